import type { Reply } from "../../drives/call.ts";
import type { Item } from "../account.ts";
import { readJson } from "../body.ts";
import { conditionNotMet } from "../errors.ts";
import { partialV2 } from "../fields.ts";
import { etag, fileJsonV2 } from "../file-json.ts";
import { metadataOfV2, setsModified } from "../metadata.ts";
import type { ApiCall, Route } from "../route.ts";
import { parentsIn } from "./files.ts";

const path = /^\/drive\/v2\/files\/(?<id>[^/]+)$/;

/** The part of the second version that v3 has nothing for: writes on condition that a file is as it was. */
export const v2: readonly Route[] = [
  {
    method: "GET",
    path,
    name: "v2 file",
    units: 5,
    reads: true,
    run: (request) => reply(request, request.account.find(request.groups.id!, request.access)),
  },
  { method: "PUT", path, name: "v2 file", units: 50, run: update },
  { method: "PATCH", path, name: "v2 file", units: 50, run: update },
  {
    method: "DELETE",
    path,
    name: "v2 file",
    units: 5,
    run(request) {
      request.account.remove(matching(request));
      return { status: 204 };
    },
  },
];

async function update(request: ApiCall): Promise<Reply> {
  const { call, account, access } = request;
  const metadata = metadataOfV2(await readJson(call), setsModified(call.query));
  const item = matching(request);
  account.update(item, metadata, parentsIn(call.query), access);
  return reply(request, item);
}

/** @throws DriveApiError 404, or 412 where the file is no longer as the call says */
function matching({ call, account, access, groups }: ApiCall): Item {
  const item = account.find(groups.id!, access);
  const { "if-match": ifMatch } = call.headers;
  if (ifMatch !== undefined && ifMatch !== "*" && ifMatch !== etag(item)) throw conditionNotMet();
  return item;
}

function reply({ call, account, viewer }: ApiCall, item: Item): Reply {
  return {
    status: 200,
    headers: { etag: etag(item) },
    body: partialV2(fileJsonV2(account, item, viewer), call.query),
  };
}
