import type { DriveItemVersion } from "@microsoft/microsoft-graph-types";
import { findItem } from "../address.ts";
import type { Item, Version } from "../drive.ts";
import { invalidRequest, notFound } from "../errors.ts";
import { timestamp } from "../item-json.ts";
import type { Route } from "../route.ts";

/** The versions of files. */
export const versions: readonly Route[] = [
  {
    method: "GET",
    resource: /^versions$/,
    name: "versions",
    units: 2,
    run({ call, drive, address }) {
      const { data } = file(findItem(drive, address));
      const current = { number: data.version, content: data.content!, modified: data.modified };
      const user = { user: { displayName: "Stand-in User" } };
      const value: DriveItemVersion[] = [current, ...data.versions].map(({ number, content, modified }) => ({
        id: `${number}.0`,
        lastModifiedDateTime: timestamp(drive, modified),
        size: content.size,
        lastModifiedBy: user,
      }));
      const context = `${call.origin}/v1.0/$metadata#Collection(driveItemVersion)`;
      return { status: 200, body: { "@odata.context": context, value } };
    },
  },
  {
    method: "GET",
    resource: /^versions\/(?<version>[^/]+)\/content$/,
    name: "version content",
    units: 1,
    run({ drive, downloads, address, groups }) {
      const item = file(findItem(drive, address));
      const { number } = older(item, groups.version!);
      return { status: 302, headers: { location: downloads.url(item, number) } };
    },
  },
  {
    method: "POST",
    resource: /^versions\/(?<version>[^/]+)\/restoreVersion$/,
    name: "restoreVersion",
    units: 2,
    run({ drive, address, groups }) {
      const item = file(findItem(drive, address));
      drive.restore(item, older(item, groups.version!));
      return { status: 204 };
    },
  },
  {
    method: "DELETE",
    resource: /^versions\/(?<version>[^/]+)$/,
    name: "version",
    units: 2,
    run({ drive, address, groups }) {
      if (drive.personal) throw invalidRequest("API not found");
      const item = file(findItem(drive, address));
      drive.deleteVersion(item, older(item, groups.version!));
      return { status: 204 };
    },
  },
];

function file(item: Item): Item {
  if (!item.data.content) throw invalidRequest("A folder has no versions.");
  return item;
}

/** @throws GraphError 400 for the current version, 404 */
function older({ data }: Item, id: string): Version {
  if (id === `${data.version}.0` || id === "current")
    throw invalidRequest("The current version is reached by the item itself.");
  const version = data.versions.find(({ number }) => id === `${number}.0`);
  if (!version) throw notFound("The version could not be found.");
  return version;
}
