import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { RunError } from "./errors.ts";
import type { Settings } from "./flags/resolve.ts";

/** Reads the files of TLS. @throws RunError that names the flag whose file is not right */
export async function readTls(files: Readonly<NonNullable<Settings["tls"]>>) {
  const cert = await read(files.cert, "--cert");
  const key = await read(files.key, "--key");
  const ca = files.ca === undefined ? undefined : await read(files.ca, "--client-ca");
  const certificate = parse(
    () => new X509Certificate(cert),
    `--cert: ${files.cert} holds no PEM certificate`,
  );
  const privateKey = parse(
    () => createPrivateKey(key),
    `--key: ${files.key} holds no PEM private key without a passphrase`,
  );
  if (ca) parse(() => new X509Certificate(ca), `--client-ca: ${files.ca} holds no PEM certificate`);
  if (!certificate.checkPrivateKey(privateKey))
    throw new RunError(`--cert and --key do not belong together: ${files.cert}, ${files.key}`);
  return { cert, key, ca, minVersion: files.minVersion };
}

async function read(file: string, flag: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new RunError(`${flag}: cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
}

function parse<T>(make: () => T, message: string): T {
  try {
    return make();
  } catch (error) {
    throw new RunError(message, { cause: error });
  }
}
