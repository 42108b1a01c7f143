import type { Reply } from "../../drives/call.ts";
import type { Content } from "../../drives/content.ts";
import type { Item } from "../account.ts";
import { readJson, readRelated } from "../body.ts";
import { badRequest, conditionNotMet, forbidden } from "../errors.ts";
import { type Json, partial, partialV2 } from "../fields.ts";
import { etag, fileJson, fileJsonV2 } from "../file-json.ts";
import { type Metadata, metadataOf, metadataOfV2, setsModified } from "../metadata.ts";
import type { ApiCall, Route } from "../route.ts";
import { parentsIn } from "./files.ts";

const kind = (query: URLSearchParams) => query.get("uploadType") ?? "media";
const name = (version: string) => (query: URLSearchParams) =>
  `${version}${kind(query) === "resumable" ? "resumable upload" : "upload"}`;

/** Uploads: bytes alone, bytes with metadata, or the begin of a session. */
export const uploads: readonly Route[] = [
  { method: "POST", path: /^\/upload\/drive\/v3\/files$/, name: name(""), units: 50, run: upload },
  {
    method: "PATCH",
    path: /^\/upload\/drive\/v3\/files\/(?<id>[^/]+)$/,
    name: name(""),
    units: 50,
    run: upload,
  },
  { method: "POST", path: /^\/upload\/drive\/v2\/files$/, name: name("v2 "), units: 50, run: upload },
  {
    method: "PUT",
    path: /^\/upload\/drive\/v2\/files\/(?<id>[^/]+)$/,
    name: name("v2 "),
    units: 50,
    run: upload,
  },
];

async function upload(request: ApiCall): Promise<Reply> {
  const { call, store, options } = request;
  const type = kind(call.query);
  if (type === "resumable") return begin(request);
  if (type === "multipart") {
    const { metadata, type, bytes } = await readRelated(call, options.multipartLimit ?? 64 * 1024 * 1024);
    const upload = prepare(request, metadata, type);
    upload.check(bytes.length);
    return finish(await store.keep([bytes]), upload);
  }
  if (type !== "media") throw badRequest(`The uploadType '${type}' is not known.`);
  const upload = prepare(request, {}, call.headers["content-type"] ?? "");
  upload.check(Number(call.headers["content-length"] ?? 0));
  return finish(await store.keep(call.body), upload);
}

async function begin(request: ApiCall): Promise<Reply> {
  const { call, sessions } = request;
  const { "x-upload-content-type": type = "", "x-upload-content-length": length } = call.headers;
  const upload = prepare(request, await readJson(call), String(type));
  const total = length === undefined ? undefined : Number(length);
  if (total !== undefined && !Number.isSafeInteger(total))
    throw badRequest("X-Upload-Content-Length is no number.");
  upload.check(total ?? 0);
  const id = await sessions.create(total, upload.commit);
  const query = new URLSearchParams({ uploadType: "resumable", upload_id: id });
  return {
    status: 200,
    headers: { location: `${call.origin}${call.path}?${query}`, "x-guploader-uploadid": id },
  };
}

interface Upload {
  /** @throws DriveApiError for what can be known before the bytes have come */
  check(size: number): void;
  commit(content: Content): Reply;
}

/** @param mediaType the content type of the bytes */
function prepare(request: ApiCall, body: Json, mediaType: string): Upload {
  const { call, account, access, viewer, groups } = request;
  const v2 = call.path.startsWith("/upload/drive/v2/");
  const given = v2
    ? metadataOfV2(body, setsModified(call.query))
    : metadataOf(body, groups.id === undefined ? "create" : "update");
  // A type without a subtype is none.
  const type = given.mimeType ?? (mediaType.includes("/") ? mediaType.split(";")[0]!.trim() : undefined);
  const metadata: Metadata = { ...given, mimeType: type };
  const answer = (item: Item): Reply => ({
    status: 200,
    body: v2
      ? partialV2(fileJsonV2(account, item, viewer), call.query)
      : partial(fileJson(account, item, viewer), call.query),
  });
  const { id } = groups;
  if (id === undefined)
    return {
      check(size) {
        account.checkCreate(metadata, access, true);
        account.checkQuota(size);
      },
      commit: (content) => answer(account.create(metadata, content, access)),
    };
  const ifMatch = v2 ? call.headers["if-match"] : undefined;
  const find = () => {
    const item = account.find(id, access);
    if (ifMatch !== undefined && ifMatch !== "*" && ifMatch !== etag(item)) throw conditionNotMet();
    return item;
  };
  return {
    check(size) {
      const { data } = find();
      const head = data.revisions.at(-1);
      if (!head) throw forbidden("fileNotDownloadable", "Only files with binary content can have new bytes.");
      account.checkQuota(size, head.content.size);
    },
    commit(content) {
      const item = find();
      account.update(item, { ...metadata, modified: undefined }, parentsIn(call.query), access);
      const keepForever =
        call.query.get("keepRevisionForever") === "true" || call.query.get("pinned") === "true";
      account.setContent(item, content, { keepForever, modified: metadata.modified });
      return answer(item);
    },
  };
}

function finish(content: Content, { commit }: Upload): Reply {
  content.hold();
  try {
    return commit(content);
  } finally {
    content.release();
  }
}
