export { ConfigFile, defaultConfigFile } from "./config-file.ts";
export { parseConfig, type Section } from "./config-text.ts";
export { ConfigError } from "./errors.ts";
export { findRemote, listRemotes, type Remote, splitRemote } from "./remotes.ts";
export { findOneDrives, signInRequest } from "./sign-in.ts";
export { openTokens, type TokensOptions } from "./tokens.ts";
export { openVendor, providerOf, servedTypes } from "./vendors.ts";
