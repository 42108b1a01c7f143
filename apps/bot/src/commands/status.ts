import type { Wrappers } from "@/integrations/wrappers";
import { problemOf } from "../problem.ts";
import type { Command } from "./command.ts";

/** Look-ups that cost a service next to nothing, by the service's name. */
const checks: Readonly<Record<string, (wrappers: Wrappers) => Promise<unknown>>> = {
  Redis: ({ getRedisSession }) => getRedisSession("status"),
  Auth0: ({ getAuth0User }) => getAuth0User("status@example.com"),
  S3: ({ listS3Files }) => listS3Files({ limit: 1 }),
};

export const status: Command = {
  name: "status",
  description: "whether Redis, Auth0 and S3 answer",
  install(bot, wrappers) {
    bot.command("status", async (context) => {
      const lines = Object.entries(checks).map(async ([name, check]) => {
        const start = performance.now();
        try {
          await check(wrappers);
          return `✅ ${name} answers (${Math.round(performance.now() - start)} ms)`;
        } catch (error) {
          return `❌ ${name}: ${problemOf(error).shown}`;
        }
      });
      await context.reply((await Promise.all(lines)).join("\n"));
    });
  },
};
