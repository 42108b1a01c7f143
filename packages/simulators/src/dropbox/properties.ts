import { randomBytes } from "node:crypto";
import type { PropertyGroup, Template } from "./args.ts";
import type { PropertyGroups } from "./drive.ts";
import { type Tagged, tagged } from "./errors.ts";

const mostFields = 32;
const mostTemplates = 64;
const bytes = { name: 256, description: 1024, value: 1024 };

/** Property groups that cannot be; holds an InvalidPropertyGroupError or a ModifyTemplateError. */
export class PropertiesFailed extends Error {
  readonly error: Tagged;
  constructor(error: Tagged | string) {
    const union = typeof error === "string" ? tagged(error) : error;
    super(union[".tag"]);
    this.error = union;
  }
}

/** Templates of property groups, as one app has made them for one user. */
export class Templates {
  readonly #templates = new Map<string, Template>();

  /** @throws PropertiesFailed */
  add(template: Template): string {
    const { name, description, fields } = template;
    if (this.#templates.size >= mostTemplates) throw new PropertiesFailed("too_many_templates");
    if (fields.length > mostFields) throw new PropertiesFailed("too_many_properties");
    const names = new Set(fields.map((field) => field.name));
    if (names.size < fields.length) throw new PropertiesFailed("conflicting_property_names");
    for (const each of [{ name, description }, ...fields])
      if (
        Buffer.byteLength(each.name) > bytes.name ||
        Buffer.byteLength(each.description) > bytes.description
      )
        throw new PropertiesFailed("template_attribute_too_large");
    const id = `ptid:${randomBytes(16).toString("base64url")}`;
    this.#templates.set(id, template);
    return id;
  }

  get ids(): string[] {
    return [...this.#templates.keys()];
  }

  /** @throws PropertiesFailed */
  get(id: string): Template {
    const template = this.#templates.get(id);
    if (template) return template;
    throw new PropertiesFailed({ ".tag": "template_not_found", template_not_found: id });
  }

  /** @throws PropertiesFailed */
  remove(id: string): void {
    this.get(id);
    this.#templates.delete(id);
  }

  /** Groups as they are kept. @throws PropertiesFailed */
  check(groups: readonly PropertyGroup[]): PropertyGroups {
    const checked = new Map<string, Map<string, string>>();
    for (const { template_id, fields } of groups) {
      const { fields: known } = this.get(template_id);
      if (checked.has(template_id)) throw new PropertiesFailed("duplicate_property_groups");
      for (const { name, value } of fields) {
        if (!known.some((field) => field.name === name)) throw new PropertiesFailed("does_not_fit_template");
        if (Buffer.byteLength(value) > bytes.value) throw new PropertiesFailed("property_field_too_large");
      }
      checked.set(template_id, new Map(fields.map(({ name, value }) => [name, value])));
    }
    return checked;
  }
}
