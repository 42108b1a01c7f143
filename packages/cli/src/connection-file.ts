import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const fileName = "connection.json";

/** Where a running `overcoat up` is reached, for programs: `connection.json`. */
export interface Connections {
  readonly s3: {
    readonly endpoint: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly region: string;
  };
  readonly postgres: { readonly url: string };
  /** Once it answers. */
  readonly console?: { readonly url: string; readonly password: string };
}

export const connectionFile = (folder: string) => join(folder, fileName);

/** Removes the `connection.json` of a run that was killed. Not while another run may have the folder. */
export const removeConnections = (folder: string) => rm(connectionFile(folder), { force: true });

/** Writes `folder/connection.json`, whole or not at all and for its owner only; disposing of it removes it. */
export async function writeConnections(folder: string, connections: Connections): Promise<AsyncDisposable> {
  const file = connectionFile(folder);
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify(connections, null, 2)}\n`, { mode: 0o600 });
  await rename(temporary, file);
  return { [Symbol.asyncDispose]: () => removeConnections(folder) };
}
