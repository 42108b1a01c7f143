export { type ExtensionFile, extensionFiles, extensionNames, renewed } from "./extension/extension.ts";
export { installScript, plainScript, type ScriptSettings } from "./extension/script.ts";
export type { Handler } from "./extension/wrapper.ts";
export { type LinkedServer, type LinkedTable, linkedSchema } from "./link/link.ts";
export { openSqlServer, type SqlServer, type SqlServerOptions } from "./server.ts";
export type { Secret, Secrets } from "./session/secrets.ts";
export type { Login } from "./wire/logins.ts";
