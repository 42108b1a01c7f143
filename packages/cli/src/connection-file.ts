import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Where a running `overcoat up` is reached, for programs: `connection.json`. */
export interface Connections {
  readonly s3: {
    readonly endpoint: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly region: string;
  };
  readonly postgres: { readonly url: string };
}

/** Writes `folder/connection.json`, whole or not at all and for its owner only; disposing of it removes it. */
export async function writeConnections(folder: string, connections: Connections): Promise<AsyncDisposable> {
  const file = join(folder, "connection.json");
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify(connections, null, 2)}\n`, { mode: 0o600, flag: "w" });
  await rename(temporary, file);
  return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
}
