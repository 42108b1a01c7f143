import * as args from "../args.ts";
import type { PropertyGroups } from "../drive.ts";
import { RouteError, tagged } from "../errors.ts";
import { PropertiesFailed } from "../properties.ts";
import { type Route, type RouteCall, rpc, wrapping } from "../route.ts";

const read = "files.metadata.read";
const write = "files.metadata.write";

export const properties: readonly Route[] = [
  rpc("file_properties/templates/add_for_user", write, args.addTemplateArg, ({ arg, templates }) =>
    checked(() => ({ template_id: templates.add(arg) })),
  ),
  rpc("file_properties/templates/list_for_user", read, undefined, ({ templates }) => ({
    template_ids: templates.ids,
  })),
  rpc("file_properties/templates/get_for_user", read, args.templateArg, ({ arg, templates }) =>
    checked(() => templates.get(arg.template_id)),
  ),
  rpc("file_properties/templates/remove_for_user", write, args.templateArg, ({ arg, templates, drive }) =>
    checked(() => {
      templates.remove(arg.template_id);
      drive.dropGroups(arg.template_id);
      return null;
    }),
  ),

  rpc("file_properties/properties/add", write, args.addPropertiesArg, (call) =>
    change(call, call.arg.path, (now) => {
      const added = call.templates.check(call.arg.property_groups);
      for (const id of added.keys())
        if (now.has(id)) throw new PropertiesFailed("property_group_already_exists");
      return new Map([...now, ...added]);
    }),
  ),
  rpc("file_properties/properties/overwrite", write, args.overwritePropertiesArg, (call) =>
    change(
      call,
      call.arg.path,
      (now) => new Map([...now, ...call.templates.check(call.arg.property_groups)]),
    ),
  ),
  rpc("file_properties/properties/update", write, args.updatePropertiesArg, (call) =>
    change(call, call.arg.path, (now) => {
      const all = new Map(now);
      for (const { template_id, add_or_update_fields, remove_fields } of call.arg.update_property_groups) {
        const group = groupOf(all, template_id);
        const updated = call.templates.check([{ template_id, fields: add_or_update_fields }]);
        const fields = new Map([...group, ...updated.get(template_id)!]);
        for (const name of remove_fields) fields.delete(name);
        all.set(template_id, fields);
      }
      return all;
    }),
  ),
  rpc("file_properties/properties/remove", write, args.removePropertiesArg, (call) =>
    change(call, call.arg.path, (now) => {
      const all = new Map(now);
      for (const id of call.arg.property_template_ids) {
        groupOf(all, id);
        all.delete(id);
      }
      return all;
    }),
  ),
];

function groupOf(groups: PropertyGroups, template: string): ReadonlyMap<string, string> {
  const group = groups.get(template);
  if (group) return group;
  throw new PropertiesFailed(tagged("property_group_lookup", tagged("property_group_not_found")));
}

/** Changes the property groups of an item. @throws RouteError 409 */
function change(
  { drive, view }: RouteCall<unknown>,
  path: string,
  how: (now: PropertyGroups) => PropertyGroups,
): Promise<null> {
  return wrapping({ lookup: "path" }, () =>
    checked(() => {
      const item = drive.find(view, path);
      drive.setGroups(item, how(item.data.groups));
      return null;
    }),
  );
}

function checked<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof PropertiesFailed ? new RouteError(error.error) : error;
  }
}
