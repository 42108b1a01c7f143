import type { drive_v3 } from "@googleapis/drive";
import type { Drive } from "../account.ts";
import { exportFormats } from "../documents.ts";
import { DriveApiError } from "../errors.ts";
import { partial } from "../fields.ts";
import { timestamp, user } from "../file-json.ts";
import type { Route } from "../route.ts";

/** The account, its shared drives and its changes. */
export const about: readonly Route[] = [
  {
    method: "GET",
    path: /^\/drive\/v3\/about$/,
    name: "about",
    units: 5,
    reads: true,
    run({ call: { query }, account }) {
      if (!query.get("fields"))
        throw new DriveApiError(400, "required", "The 'fields' parameter is required for this method.", {
          location: "fields",
        });
      const trash = [...account.myDrive.tree.below(account.myDrive.tree.root)].filter((item) =>
        account.trashed(item),
      );
      const inTrash = trash.reduce((sum, { data }) => sum + (data.revisions.at(-1)?.content.size ?? 0), 0);
      const body: drive_v3.Schema$About = {
        kind: "drive#about",
        user,
        storageQuota: {
          limit: String(account.quota),
          usage: String(account.used),
          usageInDrive: String(account.used),
          usageInDriveTrash: String(inTrash),
        },
        maxUploadSize: "5497558138880",
        exportFormats,
        importFormats: { "text/plain": ["application/vnd.google-apps.document"] },
        canCreateDrives: false,
      };
      return { status: 200, body: partial(body, query) };
    },
  },
  {
    method: "GET",
    path: /^\/drive\/v3\/drives$/,
    name: "drives",
    units: 100,
    reads: true,
    run({ call: { query }, account }) {
      const page: drive_v3.Schema$DriveList = {
        kind: "drive#driveList",
        drives: account.sharedDrives.map(driveJson),
      };
      return { status: 200, body: partial(page, query) };
    },
  },
  {
    method: "GET",
    path: /^\/drive\/v3\/drives\/(?<id>[^/]+)$/,
    name: "drive",
    units: 5,
    reads: true,
    run({ call: { query }, account, groups: { id } }) {
      const drive = account.sharedDrives.find((each) => each.id === id);
      if (!drive)
        throw new DriveApiError(404, "notFound", `Shared drive not found: ${id}`, { location: "driveId" });
      return { status: 200, body: partial(driveJson(drive), query) };
    },
  },
  {
    method: "GET",
    path: /^\/drive\/v3\/changes\/startPageToken$/,
    name: "startPageToken",
    units: 5,
    reads: true,
    run: ({ call: { query }, feed }) => ({ status: 200, body: feed.startPageToken(query) }),
  },
  {
    method: "GET",
    path: /^\/drive\/v3\/changes$/,
    name: "changes",
    units: 100,
    reads: true,
    run: ({ call: { query }, feed, viewer }) => ({
      status: 200,
      body: partial(feed.page(query, viewer), query),
    }),
  },
];

function driveJson({ id, name, tree }: Drive): drive_v3.Schema$Drive {
  return {
    kind: "drive#drive",
    id,
    name,
    createdTime: timestamp(tree.root.data.created),
    hidden: false,
    capabilities: { canAddChildren: true, canEdit: true, canListChildren: true, canDownload: true },
    restrictions: { domainUsersOnly: false, driveMembersOnly: false },
  };
}
