import type { drive_v3 } from "@googleapis/drive";
import type { Reply } from "../../drives/call.ts";
import { type Item, isGoogleType } from "../account.ts";
import { readJson } from "../body.ts";
import { exported, exportFormats } from "../documents.ts";
import { checkAbuse, download } from "../download.ts";
import { badRequest, forbidden, invalid } from "../errors.ts";
import { partial } from "../fields.ts";
import { fileJson } from "../file-json.ts";
import { metadataOf } from "../metadata.ts";
import type { ApiCall, Route } from "../route.ts";

const media = (query: URLSearchParams) => query.get("alt") === "media";

/** Metadata of files, their content as it is read, and searches. */
export const files: readonly Route[] = [
  {
    method: "GET",
    path: /^\/drive\/v3\/files$/,
    name: "files",
    units: 100,
    reads: true,
    run({ call: { query }, account, listing, viewer }) {
      const { items, nextPageToken } = listing.page(query, viewer);
      const found = items.map((item) => fileJson(account, item, viewer));
      const page: drive_v3.Schema$FileList = {
        kind: "drive#fileList",
        incompleteSearch: false,
        nextPageToken,
        files: found,
      };
      return { status: 200, body: partial(page, query) };
    },
  },
  {
    method: "POST",
    path: /^\/drive\/v3\/files$/,
    name: "files",
    units: 50,
    async run(request) {
      const { call, account, access, empty } = request;
      return reply(
        request,
        account.create(metadataOf(await readJson(call), "create"), undefined, access, empty),
      );
    },
  },
  {
    method: "GET",
    path: /^\/drive\/v3\/files\/generateIds$/,
    name: "generateIds",
    units: 5,
    run({ call: { query }, account }) {
      const count = Number(query.get("count") ?? 10);
      if (!Number.isInteger(count) || count < 1 || count > 1000)
        throw invalid("Values must be within the range: [1, 1000]", "count");
      const space = query.get("space") ?? "drive";
      return { status: 200, body: { kind: "drive#generatedIds", space, ids: account.generateIds(count) } };
    },
  },
  {
    method: "DELETE",
    path: /^\/drive\/v3\/files\/trash$/,
    name: "trash",
    units: 5,
    run({ account }) {
      const { tree } = account.myDrive;
      for (const item of [...tree.below(tree.root)])
        if (item.data.trashed && !item.removed) account.remove(item);
      return { status: 204 };
    },
  },
  {
    method: "GET",
    path: /^\/drive\/v3\/files\/(?<id>[^/]+)$/,
    name: (query) => (media(query) ? "download" : "file"),
    units: (query) => (media(query) ? 200 : 5),
    reads: true,
    run(request) {
      const { call, account, access, groups } = request;
      const item = account.find(groups.id!, access);
      return media(call.query) ? content(request, item) : reply(request, item);
    },
  },
  {
    method: "PATCH",
    path: /^\/drive\/v3\/files\/(?<id>[^/]+)$/,
    name: "file",
    units: 50,
    async run(request) {
      const { call, account, access, groups } = request;
      const metadata = metadataOf(await readJson(call), "update");
      const item = account.find(groups.id!, access);
      account.update(item, metadata, parentsIn(call.query), access);
      return reply(request, item);
    },
  },
  {
    method: "DELETE",
    path: /^\/drive\/v3\/files\/(?<id>[^/]+)$/,
    name: "file",
    units: 5,
    run({ account, access, groups }) {
      account.remove(account.find(groups.id!, access));
      return { status: 204 };
    },
  },
  {
    method: "POST",
    path: /^\/drive\/v3\/files\/(?<id>[^/]+)\/copy$/,
    name: "copy",
    units: 50,
    async run(request) {
      const { call, account, access, groups } = request;
      const metadata = metadataOf(await readJson(call), "copy");
      return reply(request, account.copy(account.find(groups.id!, access), metadata, access));
    },
  },
  {
    method: "GET",
    path: /^\/drive\/v3\/files\/(?<id>[^/]+)\/export$/,
    name: "export",
    units: 200,
    reads: true,
    async run({ call: { query }, account, access, groups, store }) {
      const { name, data } = account.find(groups.id!, access);
      const type = query.get("mimeType") ?? "";
      const formats = exportFormats[data.mimeType];
      if (!formats) throw forbidden("fileNotExportable", "Export only supports Docs Editors files.");
      if (!formats.includes(type)) throw badRequest("The requested conversion is not supported.");
      const kept = await store.keep([exported(name, type)]);
      return {
        status: 200,
        headers: { "content-type": type },
        bytes: { content: kept, start: 0, end: kept.size },
      };
    },
  },
];

/** Where an item is to be moved, as the query says. */
export function parentsIn(query: URLSearchParams): { add?: string; remove?: string } {
  const one = (name: string) => {
    const ids = (query.get(name) ?? "").split(",").filter(Boolean);
    if (ids.length > 1) throw invalid("A file can only have one parent.", name);
    return ids[0];
  };
  return { add: one("addParents"), remove: one("removeParents") };
}

function reply({ call, account, viewer }: ApiCall, item: Item): Reply {
  return { status: 200, body: partial(fileJson(account, item, viewer), call.query) };
}

function content({ call }: ApiCall, item: Item): Reply {
  const { data } = item;
  const head = data.revisions.at(-1);
  if (!head) {
    const message = "Only files with binary content can be downloaded. Use Export with Docs Editors files.";
    throw isGoogleType(data.mimeType)
      ? forbidden("fileNotDownloadable", message)
      : badRequest("The file has no content.");
  }
  checkAbuse(item, call.query);
  return download(call, head.content, data.mimeType);
}
