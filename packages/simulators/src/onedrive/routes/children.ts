import type { Reply } from "../../drives/call.ts";
import { findItem } from "../address.ts";
import { conflictName, conflictOf, isObject, propertiesOf, readJson } from "../body.ts";
import type { Drive, Item } from "../drive.ts";
import { GraphError, invalidRequest, notSupported } from "../errors.ts";
import { type Json, Select } from "../item-json.ts";
import { foldName } from "../names.ts";
import { allowOptions, option, pageSize, seal, unseal } from "../paging.ts";
import { readRelated } from "../related.ts";
import type { ItemCall, Route } from "../route.ts";

/** The children of a folder: listed by page, and folders made. */
export const children: readonly Route[] = [
  {
    method: "GET",
    resource: /^children$/,
    name: "children",
    units: 2,
    run(itemCall) {
      const { call, drive, address } = itemCall;
      allowOptions(call.query, ["top", "skiptoken", "skipToken", "select", "expand", "orderby"]);
      const expand = option(call.query, "expand") ?? "thumbnails";
      if (!/^thumbnails(\(.*\))?$/.test(expand)) throw invalidRequest(`'${expand}' cannot be expanded here.`);
      const folder = findItem(drive, address);
      const { children: value, ...rest } = page(itemCall, folder);
      const context = `${call.origin}/v1.0/$metadata#Collection(driveItem)`;
      return { status: 200, body: { "@odata.context": context, value, ...rest } };
    },
  },
  {
    method: "POST",
    resource: /^children$/,
    name: "children",
    units: 2,
    async run(itemCall) {
      const { call, drive, json, address } = itemCall;
      // Personal drives take a small file with its properties, too.
      if (drive.personal && call.headers["content-type"]?.startsWith("multipart/related"))
        return upload(itemCall);
      const body = await readJson(call);
      const parent = findItem(drive, address);
      if (!isObject(body.folder)) throw invalidRequest('Only folders can be made here: give "folder": {}.');
      const conflict = conflictOf(body[conflictName], "fail");
      const properties = propertiesOf(body, drive.personal);
      const { item, created } = drive.createFolder(parent, body.name, conflict, properties);
      return { status: created ? 201 : 200, body: json.item(item) };
    },
  },
];

async function upload({ call, drive, store, json, address }: ItemCall): Promise<Reply> {
  const { item: body, bytes } = await readRelated(call);
  const kept = (await store.keep([bytes])).hold();
  try {
    const conflict = conflictOf(body[conflictName], "fail");
    const properties = propertiesOf(body, drive.personal);
    const parent = findItem(drive, address);
    const { item, created } = drive.putFile(parent, body.name, kept, conflict, {}, properties);
    return { status: created ? 201 : 200, body: json.item(item) };
  } finally {
    kept.release();
  }
}

/** The first page of a folder's children, for `$expand=children`. */
export function childrenOf({ drive, json, call, path, ...parts }: ItemCall, folder: Item): Json {
  if (!folder.children) return {};
  const query = new URLSearchParams();
  const address = `/drives/${drive.id}/items/${folder.id}/children`;
  const { children, ...links } = page(
    { ...parts, drive, json, call: { ...call, query }, path: address },
    folder,
  );
  const next = links["@odata.nextLink"];
  return { children, ...(next !== undefined && { "children@odata.nextLink": next }) };
}

function page({ call, drive, json, options, path }: ItemCall, folder: Item): Json {
  const { query, origin } = call;
  if (!folder.children) throw notSupported("A file has no children.");
  const select = new Select(option(query, "select"));
  const size = pageSize(query);
  const list = ordered(drive, folder, option(query, "orderby"));
  const token = query.get("$skiptoken") ?? query.get("$skipToken");
  const at = token === null ? 0 : placeOf(list, unseal(token));
  const shown = drive.clock.now() - (options.lag?.children ?? 0);
  const items = list.slice(at, at + size);
  const visible = items.filter(({ data }) => data.created <= shown);
  const page: Json = { children: visible.map((item) => select.from(json.item(item))) };
  if (at + size < list.length) {
    const rest = new URLSearchParams(query);
    rest.delete("$skipToken");
    const behind =
      option(query, "orderby") === null ? { after: foldName(items.at(-1)!.name) } : { at: at + size };
    rest.set("$skiptoken", seal(behind));
    page["@odata.nextLink"] = `${origin}/v1.0${path}?${rest}`;
  }
  return page;
}

/** Where a listing goes on: behind a name, or at a count where it is in another order. */
function placeOf(list: readonly Item[], token: Record<string, unknown> | undefined): number {
  if (typeof token?.at === "number") return token.at;
  const after = token?.after;
  if (typeof after !== "string") throw invalidRequest("The skip token is not one of this listing.");
  const place = list.findIndex(({ name }) => foldName(name) > after);
  return place === -1 ? list.length : place;
}

/** @throws GraphError 400 for an order that the drive's type does not know */
function ordered(drive: Drive, folder: Item, order: string | null): readonly Item[] {
  const byName = drive.tree.sorted(folder);
  if (order === null) return byName;
  const [name = "", direction = "asc", ...more] = order.trim().split(/\s+/);
  const keys: Readonly<Record<string, (item: Item) => number>> = {
    lastModifiedDateTime: ({ data }) => data.modified,
    ...(drive.personal && { size: ({ data }: Item) => data.size }),
  };
  if (more.length > 0 || !/^(asc|desc)$/i.test(direction) || !(name === "name" || Object.hasOwn(keys, name)))
    throw new GraphError(400, "invalidRequest", `The drive cannot order by '${order}'.`);
  const sorted = [...byName];
  const key = keys[name];
  if (key) sorted.sort((a, b) => key(a) - key(b));
  return direction.toLowerCase() === "desc" ? sorted.reverse() : sorted;
}
