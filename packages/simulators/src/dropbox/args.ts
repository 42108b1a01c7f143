import { z } from "zod";

// Types of arguments, as the API's published descriptions have them. Unknown fields are refused.

const path = (pattern: RegExp) => z.string().regex(pattern, { error: "did not match the pattern of paths" });
const below = "/(?:.|[\\r\\n])*";
const namespace = `ns:[0-9]+(?:${below})?`;
export const readPath = path(new RegExp(`^(?:${below}|id:.*|rev:[0-9a-f]{9,}|${namespace})$`, "s"));
const folderPath = path(new RegExp(`^(?:(?:${below})?|id:.*|${namespace})$`, "s"));
const pathOrId = path(new RegExp(`^(?:${below}|id:.*|${namespace})$`, "s"));
const writePath = path(new RegExp(`^(?:${below}|${namespace})$`, "s"));
const writePathOrId = pathOrId;
const rev = z.string().regex(/^[0-9a-f]{9,}$/, { error: "is no rev" });
const hash = z.string().length(64);
const flag = z.boolean().default(false);
const count = z.int().min(0);
const timestamp = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, { error: "is not of the form YYYY-MM-DDThh:mm:ssZ" })
  .transform((text) => Date.parse(text));
const templateId = z.string().regex(/^(\/|ptid:).*/s);

/** A union; its members without a value may be given as their bare tag. */
function union<T extends readonly [z.core.$ZodTypeDiscriminable, ...z.core.$ZodTypeDiscriminable[]]>(
  ...members: T
) {
  const bare = (value: unknown) => (typeof value === "string" ? { ".tag": value } : value);
  return z.preprocess(bare, z.discriminatedUnion(".tag", members));
}
const member = <const T extends string>(tag: T) => z.strictObject({ ".tag": z.literal(tag) });

const field = z.strictObject({ name: z.string(), value: z.string() });
const propertyGroup = z.strictObject({ template_id: templateId, fields: z.array(field) });
const propertyFilter = union(
  z.strictObject({ ".tag": z.literal("filter_some"), filter_some: z.array(templateId).min(1) }),
).optional();

const commitFields = {
  path: writePathOrId,
  mode: union(
    member("add"),
    member("overwrite"),
    z.strictObject({ ".tag": z.literal("update"), update: rev }),
  ).default({ ".tag": "add" }),
  autorename: flag,
  client_modified: timestamp.optional(),
  mute: flag,
  property_groups: z.array(propertyGroup).optional(),
  strict_conflict: flag,
};
const commitInfo = z.strictObject(commitFields);
const cursor = z.strictObject({ session_id: z.string(), offset: count });
const sessionType = union(member("sequential"), member("concurrent")).default({ ".tag": "sequential" });
const finishFields = { cursor, commit: commitInfo, content_hash: hash.optional() };

export type CommitInfo = z.infer<typeof commitInfo>;
export type WriteMode = CommitInfo["mode"];
export type PropertyGroup = z.infer<typeof propertyGroup>;
export type PropertyFilter = z.infer<typeof propertyFilter>;
export type SessionCursor = z.infer<typeof cursor>;

export const uploadArg = z.strictObject({ ...commitFields, content_hash: hash.optional() });
export const sessionStartArg = z.strictObject({
  close: flag,
  session_type: sessionType,
  content_hash: hash.optional(),
});
export const sessionStartBatchArg = z.strictObject({
  session_type: sessionType,
  num_sessions: z.int().min(1).max(1000),
});
export const sessionAppendArg = z.strictObject({ cursor, close: flag, content_hash: hash.optional() });
export const sessionFinishArg = z.strictObject(finishFields);
export const sessionFinishBatchArg = z.strictObject({ entries: z.array(sessionFinishArg).max(1000) });

export const getMetadataArg = z.strictObject({
  path: readPath,
  include_media_info: flag,
  include_deleted: flag,
  include_has_explicit_shared_members: flag,
  include_property_groups: propertyFilter,
});
export const downloadArg = z.strictObject({ path: readPath, rev: rev.optional() });
export const exportArg = z.strictObject({ path: readPath, export_format: z.string().optional() });
export const pathArg = z.strictObject({ path: readPath });

export const listFolderArg = z.strictObject({
  path: folderPath,
  recursive: flag,
  include_media_info: flag,
  include_deleted: flag,
  include_has_explicit_shared_members: flag,
  include_mounted_folders: z.boolean().default(true),
  limit: z.int().min(1).max(2000).optional(),
  include_property_groups: propertyFilter,
  include_non_downloadable_files: z.boolean().default(true),
  include_restorable_info: flag,
});
export type ListFolderArg = z.infer<typeof listFolderArg>;
export const cursorArg = z.strictObject({ cursor: z.string().min(1) });
export const longpollArg = z.strictObject({
  cursor: z.string().min(1),
  timeout: z.int().min(30).max(480).default(30),
});

export const createFolderArg = z.strictObject({ path: writePath, autorename: flag });
const deleteFields = { path: writePathOrId, parent_rev: rev.optional() };
export const deleteArg = z.strictObject(deleteFields);
export type DeleteArg = z.infer<typeof deleteArg>;
export const deleteBatchArg = z.strictObject({ entries: z.array(deleteArg).max(1000) });
export const pollArg = z.strictObject({ async_job_id: z.string().min(1) });
export const relocationArg = z.strictObject({
  from_path: writePathOrId,
  to_path: writePathOrId,
  allow_shared_folder: flag,
  autorename: flag,
  allow_ownership_transfer: flag,
});
export type RelocationArg = z.infer<typeof relocationArg>;
export const listRevisionsArg = z.strictObject({
  path: pathOrId,
  mode: union(member("path"), member("id")).default({ ".tag": "path" }),
  limit: z.int().min(1).max(100).default(10),
  before_rev: rev.optional(),
  include_restorable_info: flag,
});
export const restoreArg = z.strictObject({ path: writePath, rev });

const fieldTemplate = z.strictObject({
  name: z.string(),
  description: z.string(),
  type: union(member("string")),
});
export const addTemplateArg = z.strictObject({
  name: z.string(),
  description: z.string(),
  fields: z.array(fieldTemplate),
});
export type Template = z.infer<typeof addTemplateArg>;
export const templateArg = z.strictObject({ template_id: templateId });
export const addPropertiesArg = z.strictObject({ path: pathOrId, property_groups: z.array(propertyGroup) });
export const overwritePropertiesArg = z.strictObject({
  path: pathOrId,
  property_groups: z.array(propertyGroup).min(1),
});
export const updatePropertiesArg = z.strictObject({
  path: pathOrId,
  update_property_groups: z.array(
    z.strictObject({
      template_id: templateId,
      add_or_update_fields: z.array(field).default([]),
      remove_fields: z.array(z.string()).default([]),
    }),
  ),
});
export const removePropertiesArg = z.strictObject({
  path: pathOrId,
  property_template_ids: z.array(templateId),
});

export const pathRoot = union(
  member("home"),
  z.strictObject({ ".tag": z.literal("root"), root: z.string() }),
  z.strictObject({ ".tag": z.literal("namespace_id"), namespace_id: z.string() }),
);
