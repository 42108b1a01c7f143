/** The configuration of remotes is not what it must be; the message says what to do. */
export class ConfigError extends Error {
  override name = "ConfigError";
}
