import { baseItem, findItem, isDriveId, parentOf } from "../address.ts";
import { conditionsOf, conflictName, conflictOf, isObject, propertiesOf, readJson } from "../body.ts";
import type { Drive, Item } from "../drive.ts";
import { invalidRequest, notFound, notSupported } from "../errors.ts";
import { Select } from "../item-json.ts";
import { allowOptions, option } from "../paging.ts";
import type { Route } from "../route.ts";
import { childrenOf } from "./children.ts";

const expandable = new Set(["children", "thumbnails", "permissions", "versions", "listItem"]);

/** Items themselves: read, described, moved, removed; and uploads that are committed by their address. */
export const items: readonly Route[] = [
  {
    method: "GET",
    resource: /^$/,
    name: "item",
    units: 1,
    run(itemCall) {
      const { call, drive, json, address } = itemCall;
      const { query } = call;
      allowOptions(query, ["select", "expand"]);
      const item = findItem(drive, address);
      const { ifNoneMatch } = conditionsOf(call);
      if (ifNoneMatch !== undefined && drive.matches(item, ifNoneMatch))
        return { status: 304, headers: { etag: drive.eTag(item) } };
      const select = new Select(option(query, "select"));
      const expand = (option(query, "expand") ?? "").split(",").filter((name) => name !== "");
      for (const name of expand)
        if (!expandable.has(name.replace(/\(.*$/, ""))) throw invalidRequest(`'${name}' cannot be expanded.`);
      const body = {
        "@odata.context": `${call.origin}/v1.0/$metadata#drives('${drive.id}')/items/$entity`,
        ...select.from(json.item(item)),
        ...(expand.some((name) => name.startsWith("children")) && childrenOf(itemCall, item)),
        ...(expand.includes("thumbnails") && { thumbnails: [] }),
      };
      return { status: 200, headers: { etag: drive.eTag(item) }, body };
    },
  },
  {
    method: "PATCH",
    resource: /^$/,
    name: "item",
    units: 2,
    async run({ call, drive, json, address }) {
      const body = await readJson(call);
      const item = findItem(drive, address);
      drive.check(item, conditionsOf(call));
      const { name, parentReference } = body;
      const parent = parentReference === undefined ? undefined : target(drive, parentReference);
      const conflict = conflictOf(body[conflictName] ?? call.query.get(conflictName), "fail");
      const properties = propertiesOf(body, drive.personal);
      drive.update(item, { parent: parent === item.parent ? undefined : parent, name, properties }, conflict);
      return { status: 200, body: json.item(item) };
    },
  },
  {
    method: "DELETE",
    resource: /^$/,
    name: "item",
    units: 2,
    run({ call, drive, address }) {
      const item = findItem(drive, address);
      drive.check(item, conditionsOf(call));
      drive.remove(item);
      return { status: 204 };
    },
  },
  {
    method: "POST",
    resource: /^permanentDelete$/,
    name: "permanentDelete",
    units: 2,
    run({ drive, address }) {
      if (drive.personal) throw notSupported("A personal drive has no permanent delete.");
      drive.remove(findItem(drive, address));
      return { status: 204 };
    },
  },
  {
    method: "PUT",
    resource: /^$/,
    name: "item",
    units: 2,
    async run({ call, drive, sessions, address }) {
      const body = await readJson(call);
      const url = body["@microsoft.graph.sourceUrl"];
      if (typeof url !== "string") throw invalidRequest("The item is written by its content or a sourceUrl.");
      const conflict = conflictOf(body[conflictName], "fail");
      const conditions = conditionsOf(call);
      const { parent, name } =
        address.path.length > 0 ? parentOf(drive, address, "refuse") : named(baseItem(drive, address));
      return sessions.commitTo(url, { parent, name: String(body.name ?? name), conflict, conditions });
    },
  },
  {
    method: "POST",
    resource: /^copy$/,
    name: "copy",
    units: 2,
    async run({ call, drive, copies, address }) {
      const body = await readJson(call);
      const item = findItem(drive, address);
      if (item === drive.root) throw invalidRequest("The root cannot be copied.");
      const parent = body.parentReference === undefined ? item.parent! : target(drive, body.parentReference);
      const asked = conflictOf(call.query.get(conflictName), "fail");
      // A personal drive does not know the parameter.
      const conflict = drive.personal ? "fail" : asked;
      return copies.start(item, { parent, name: body.name ?? item.name, conflict });
    },
  },
];

function named(item: Item) {
  if (!item.parent) throw invalidRequest("The root is no file.");
  return { parent: item.parent, name: item.name };
}

/** The folder that a parentReference names, by id or by path. @throws GraphError 400, 404 */
function target(drive: Drive, reference: unknown): Item {
  if (!isObject(reference)) throw invalidRequest("parentReference must be an object.");
  const { driveId, id, path } = reference;
  if (driveId !== undefined && driveId !== "" && !(typeof driveId === "string" && isDriveId(drive, driveId)))
    throw notFound("The drive of the parentReference could not be found.");
  if (typeof id === "string" && id !== "") {
    // The name of the root is no id here: the service asks for its real one.
    const parent = drive.tree.get(id);
    if (id === "root") throw invalidRequest("'root' is no id of an item.");
    if (!parent) throw notFound("The parent folder could not be found.");
    return parent;
  }
  const below =
    typeof path === "string" ? /^\/?(?:drive|drives\/[^/]+)\/root:?\/?(.*)$/.exec(path) : undefined;
  if (!below) throw invalidRequest("parentReference needs an id or a path.");
  const names = below[1]!.split("/").filter((name) => name !== "");
  const parent = drive.find(drive.root, names.map(decodeURIComponent));
  if (!parent) throw notFound("The parent folder could not be found.");
  return parent;
}
