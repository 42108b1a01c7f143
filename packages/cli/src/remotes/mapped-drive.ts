import { type Drive, DriveError, type ListedEntry } from "@overcoat/drives";

/** A drive some of whose top-level folders are the roots of other drives; `mapped` may grow meanwhile. */
export function mappedDrive(base: Drive, mapped: ReadonlyMap<string, Drive>): Drive {
  const place = (path: string): [drive: Drive, path: string] => {
    const slash = path.indexOf("/");
    const drive = mapped.get(slash < 0 ? path : path.slice(0, slash));
    return drive ? [drive, slash < 0 ? "" : path.slice(slash + 1)] : [base, path];
  };
  const copy: Drive["copy"] = async (from, to) => {
    const [source, sourcePath] = place(from);
    const [target, targetPath] = place(to);
    if (source === target) return source.copy(sourcePath, targetPath);
    const file = await source.open(sourcePath);
    if (!file) return undefined;
    const pending = await target.create(targetPath, { size: file.described.entry.size });
    try {
      for await (const chunk of file.readChunks(0, file.described.entry.size)) await pending.write(chunk);
      return pending;
    } catch (error) {
      await pending.discard();
      throw error;
    } finally {
      await file.close();
    }
  };
  return {
    get description() {
      const others = [...mapped].map(([name, drive]) => `${name} from ${drive.description}`);
      return [base.description, ...(others.length > 0 ? [`with ${others.join(", ")}`] : [])].join(" ");
    },
    fits(path) {
      const [drive, inner] = place(path);
      return drive.fits(inner);
    },
    list(folder) {
      const [drive, inner] = place(folder);
      return folder === "" ? listRoot(base, mapped) : drive.list(inner);
    },
    stat(path) {
      const [drive, inner] = place(path);
      return drive.stat(inner);
    },
    open(path) {
      const [drive, inner] = place(path);
      return drive.open(inner);
    },
    describe(path) {
      const [drive, inner] = place(path);
      return drive.describe(inner);
    },
    describeAll(folder, names) {
      const [drive, inner] = place(folder);
      return drive.describeAll(inner, names);
    },
    create(path, options) {
      const [drive, inner] = place(path);
      return drive.create(inner, options);
    },
    setProperties(path, properties) {
      const [drive, inner] = place(path);
      return drive.setProperties(inner, properties);
    },
    copy,
    async move(from, to) {
      const [source, sourcePath] = place(from);
      const [target, targetPath] = place(to);
      if (source === target) return source.move(sourcePath, targetPath);
      const described = await source.describe(sourcePath);
      const pending = described && (await copy(from, to));
      if (!pending) return false;
      await pending.commit(described.properties ?? "");
      return source.remove(sourcePath);
    },
    remove(path, unchanged) {
      const [drive, inner] = place(path);
      return drive.remove(inner, unchanged);
    },
    async removeAll(paths) {
      const places = paths.map(place);
      const results: (boolean | Error)[] = [];
      for (const drive of new Set(places.map(([one]) => one))) {
        const of = [...places.keys()].filter((at) => places[at]![0] === drive);
        const removed = await drive.removeAll(of.map((at) => places[at]![1]));
        for (const [i, at] of of.entries()) results[at] = removed[i]!;
      }
      return results;
    },
    async makeFolder(path) {
      const [drive, inner] = place(path);
      return inner === "" && drive !== base ? false : drive.makeFolder(inner);
    },
    async removeFolder(path) {
      const [drive, inner] = place(path);
      if (inner === "" && drive !== base)
        throw new DriveError("AccessDenied", `${path} is mapped in the configuration`);
      return drive.removeFolder(inner);
    },
    async versions(path) {
      const [drive, inner] = place(path);
      return (await drive.versions?.(inner)) ?? [];
    },
    async openVersion(path, id) {
      const [drive, inner] = place(path);
      return drive.openVersion?.(inner, id);
    },
    async sweep(olderThan) {
      let removed = 0;
      for (const drive of [base, ...mapped.values()]) removed += await drive.sweep(olderThan);
      return removed;
    },
    async close() {
      for (const drive of [base, ...mapped.values()]) await drive.close();
    },
  };
}

async function* listRoot(
  base: Drive,
  mapped: ReadonlyMap<string, Drive>,
): AsyncGenerator<readonly ListedEntry[]> {
  for await (const page of base.list("")) yield page.filter((entry) => !mapped.has(entry.name));
  yield [...mapped.keys()].map((name) => ({ name, kind: "folder" as const }));
}
