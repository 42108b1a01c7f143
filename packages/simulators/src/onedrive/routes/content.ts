import { baseItem, findItem, parentOf } from "../address.ts";
import { conditionsOf, conflictName, conflictOf, isObject, propertiesOf, readJson } from "../body.ts";
import { infected } from "../downloads.ts";
import { GraphError, invalidRequest, nameExists } from "../errors.ts";
import type { ItemCall, Route } from "../route.ts";

/** From this size on a simple upload is refused. */
const simpleUploadLimit = 250 * 1024 * 1024;

/** Bytes of files: addresses of downloads, simple uploads and upload sessions. */
export const content: readonly Route[] = [
  {
    method: "GET",
    resource: /^content$/,
    name: "content",
    units: 1,
    run({ call, drive, downloads, address }) {
      const item = findItem(drive, address);
      if (!item.data.content) throw new GraphError(400, "invalidRequest", "A folder has no content.");
      if (item.data.infected) throw infected();
      const { ifNoneMatch } = conditionsOf(call);
      if (ifNoneMatch !== undefined && drive.matches(item, ifNoneMatch)) return { status: 304 };
      return { status: 302, headers: { location: downloads.url(item), etag: drive.eTag(item) } };
    },
  },
  {
    method: "PUT",
    resource: /^content$/,
    name: "content",
    units: 2,
    run: upload,
  },
  {
    method: "POST",
    resource: /^(microsoft\.graph\.)?createUploadSession$/,
    name: "createUploadSession",
    units: 2,
    run: createSession,
  },
];

async function upload({ call, drive, store, json, address, options }: ItemCall) {
  const conflict = conflictOf(call.query.get(conflictName), "replace");
  const conditions = conditionsOf(call);
  const limit = options.simpleUploadLimit ?? simpleUploadLimit;
  const tooLarge = () =>
    new GraphError(413, "invalidRequest", `A simple upload must be below ${limit} bytes.`);
  const length = Number(call.headers["content-length"] ?? 0);
  if (length >= limit) throw tooLarge();
  if (call.headers["content-range"] !== undefined)
    throw invalidRequest("A simple upload takes no Content-Range.");
  // Refused early where it cannot go well; what counts is how things are when the bytes are there.
  const early = target({ drive, address }, "refuse");
  drive.check(early?.existing, conditions);
  if (early?.existing && (conflict === "fail" || early.existing.children)) throw nameExists();
  drive.checkQuota(length, early?.existing?.data.size);

  const writer = store.writer();
  try {
    for await (const chunk of call.body) {
      if (writer.size + chunk.length >= limit) throw tooLarge();
      await writer.write(chunk);
    }
  } catch (error) {
    await writer.abort();
    throw error;
  }
  const kept = (await drive.finish(writer, address.path.at(-1) ?? early?.existing?.name ?? "")).hold();
  try {
    const { parent, name } = target({ drive, address }, "make")!;
    const { item, created } = drive.putFile(parent, name, kept, conflict, conditions);
    return { status: created ? 201 : 200, headers: { etag: drive.eTag(item) }, body: json.item(item) };
  } finally {
    kept.release();
  }
}

async function createSession({ call, drive, sessions, address, options }: ItemCall) {
  const body = await readJson(call);
  const item = body.item ?? {};
  if (!isObject(item)) throw invalidRequest("item must be an object.");
  const conflict = conflictOf(item[conflictName], options.sessionConflict ?? "replace");
  const conditions = conditionsOf(call);
  // Other than a simple upload, a session makes no folders.
  const { parent, name, existing } = target({ drive, address }, "require")!;
  drive.check(existing, conditions);
  if (existing?.children) throw nameExists("A folder of that name exists already.");
  const { fileSize } = item;
  if (
    fileSize !== undefined &&
    (typeof fileSize !== "number" || !Number.isSafeInteger(fileSize) || fileSize < 0)
  )
    throw invalidRequest("fileSize must be a number of bytes.");
  if (fileSize !== undefined) drive.checkQuota(Number(fileSize));
  return sessions.create({
    parent,
    name,
    conflict,
    conditions,
    properties: propertiesOf(item, drive.personal),
    deferCommit: body.deferCommit === true,
  });
}

/**
 * Where an upload goes.
 * @param missing what to do where a folder above is missing; undefined is given for `refuse`
 * @throws GraphError 400, 404
 */
function target(
  { drive, address }: Pick<ItemCall, "drive" | "address">,
  missing: "refuse" | "make" | "require",
) {
  if (address.path.length === 0) {
    const existing = baseItem(drive, address);
    if (!existing.parent) throw invalidRequest("The root is no file.");
    return { parent: existing.parent, name: existing.name, existing };
  }
  try {
    const { parent, name } = parentOf(drive, address, missing === "make" ? "make" : "refuse");
    return { parent, name, existing: drive.tree.child(parent, name) };
  } catch (error) {
    baseItem(drive, address);
    if (missing === "refuse" && error instanceof GraphError && error.status === 404) return undefined;
    throw error;
  }
}
