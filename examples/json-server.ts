/**
 * A SQL server with a source of one's own, and its wrapper in a PostgreSQL:
 * `npx node examples/json-server.ts postgres://postgres:…@127.0.0.1:5432/app [FOLDER]`.
 */
import { randomBytes } from "node:crypto";
import { install, openScratch, openScratchPool } from "@overcoat/postgres";
import { openSqlServer } from "@overcoat/sql";
import { json } from "./json-source.ts";

const [database, folder = "overcoat-data/scratch"] = process.argv.slice(2);
if (database === undefined) throw new Error("Give the URL of a PostgreSQL database as its superuser");

const login = { user: "overcoat", password: randomBytes(16).toString("hex") };
await using scratch = await openScratch({ folder });
await using pool = openScratchPool(scratch);
const server = await openSqlServer({
  listen: [{ host: "127.0.0.1", port: 0 }],
  logins: [login],
  sources: [json],
  secrets: () => undefined,
  scratch: pool,
  log: (entry) => console.error(JSON.stringify(entry)),
});
const [address] = server.addresses;
await install(database, [json], { host: "127.0.0.1", port: address!.port!, ...login });
console.log("ready");

await new Promise((resolve) => process.once("SIGINT", resolve).once("SIGTERM", resolve));
await server.close();
