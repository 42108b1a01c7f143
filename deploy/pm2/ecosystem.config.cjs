// pm2 start deploy/pm2/ecosystem.config.cjs
// Keys come from the environment of `pm2 start`: RC_S3_ACCESS_KEY_ID and others as docs/operations.md lists them.
const { resolve } = require("node:path");

const root = resolve(__dirname, "../..");
const common = {
  cwd: root,
  interpreter: resolve(root, "node_modules/.bin/node"),
  // The command has workers of its own.
  exec_mode: "fork",
  instances: 1,
  kill_timeout: 60_000,
  max_restarts: 10,
  exp_backoff_restart_delay: 500,
};

module.exports = {
  apps: [
    {
      ...common,
      name: "overcoat-s3",
      script: "packages/cli/bin/overcoat.js",
      args: "serve s3 --admin-addr 127.0.0.1:9100 --log-format json",
      env: {
        RC_S3_REMOTE: process.env.RC_S3_REMOTE ?? "/srv/nas",
        RC_S3_ADDR: process.env.RC_S3_ADDR ?? "127.0.0.1:9000",
      },
    },
    {
      ...common,
      name: "overcoat-sql",
      script: "packages/cli/bin/overcoat.js",
      args: "serve sql --log-format json",
    },
  ],
};
