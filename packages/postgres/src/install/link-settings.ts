/** Where the SQL server is, and a login that it knows: what the linker gives to foreign servers and mappings. */
export interface LinkSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** As libpq has it; needed where the SQL server is not on this machine. */
  readonly sslmode?: string;
  /** A file on the database's machine. */
  readonly sslrootcert?: string;
}
