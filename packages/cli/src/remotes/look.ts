import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError, ConfigFile, DriveError, openVendor } from "@overcoat/drives";
import { RunError } from "../errors.ts";
import { defaultData } from "../flags/resolve.ts";
import { type DrivePlace, describePlace, type Place } from "./place.ts";

/** A place as others see it: past the gateway, with what is there now. */
export interface Look {
  /** For people. */
  readonly description: string;
  /** Names of the folders at the top, sorted. */
  folders(): Promise<string[]>;
  /** Bytes of a file; undefined where there is none. @param path segments as keys have them */
  size(path: readonly string[]): Promise<number | undefined>;
  close(): Promise<void>;
}

/** @throws RunError where it cannot be reached */
export async function openLook(place: Place): Promise<Look> {
  if (place.kind === "drive") return lookAtDrive(place).catch((error) => explain(place, error));
  const { root } = place;
  return {
    description: root,
    async folders() {
      const entries = await readdir(root, { withFileTypes: true });
      return entries
        .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".overcoat"))
        .map(({ name }) => name)
        .sort();
    },
    async size(path) {
      return (await stat(join(root, ...path)).catch(() => undefined))?.size;
    },
    async close() {},
  };
}

async function lookAtDrive(place: DrivePlace): Promise<Look> {
  const { remote, path, file } = place;
  const vendor = await openVendor(remote, path, {
    file: file ? new ConfigFile(file) : undefined,
    data: defaultData(`remote-${remote.name}`, process.env),
  });
  const { traits } = vendor;
  const close = async () => vendor.close();
  const root = await vendor.root().catch(async (error) => {
    await close();
    throw error;
  });
  return {
    close,
    description: vendor.description,
    async folders() {
      const names: string[] = [];
      try {
        for await (const page of vendor.children(root))
          for (const { kind, name } of page) if (kind === "folder") names.push(traits.decode(name));
      } catch (error) {
        explain(place, error);
      }
      return names.filter((name) => !name.startsWith(".overcoat")).sort();
    },
    async size(path) {
      const names = path.map((segment) => traits.encode(segment)!);
      return (await vendor.find(names).catch((error) => explain(place, error)))?.size;
    },
  };
}

function explain(place: Place, error: unknown): never {
  if (!(error instanceof ConfigError || error instanceof DriveError)) throw error;
  throw new RunError(`${describePlace(place)} cannot be reached: ${error.message}`, { cause: error });
}
