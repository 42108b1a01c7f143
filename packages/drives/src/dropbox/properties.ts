import { DriveError } from "../drive.ts";
import type { DropboxClient } from "./client.ts";

export interface PropertyGroup {
  readonly template_id: string;
  readonly fields: readonly { readonly name: string; readonly value: string }[];
}

interface Template {
  readonly name: string;
  readonly description: string;
  readonly fields: readonly {
    readonly name: string;
    readonly description: string;
    readonly type: { readonly ".tag": "string" };
  }[];
}

/** Fields that a template may have, and bytes that a field may (Dropbox, "File properties"). */
const mostFields = 32;
const fieldBytes = 1024;
/** Bytes of the longest character, which may not fit at the end of a field. */
const longestCharacter = 4;

/** Bytes of text that fit into a group, however its characters fall. */
export const propertiesLimit = mostFields * (fieldBytes - longestCharacter + 1);

const fieldName = (index: number) => `text ${String(index).padStart(2, "0")}`;

/** The template under which texts are kept. Others of this name and form are as good. */
export const template: Template = {
  name: "Overcoat",
  description: "What S3 keeps with a file beside its bytes, in the order of the fields.",
  fields: Array.from({ length: mostFields }, (_, index) => ({
    name: fieldName(index),
    description: "",
    type: { ".tag": "string" },
  })),
};

/** A text as the group that keeps it. */
export function groupOf(templateId: string, text: string): PropertyGroup {
  const values: string[] = [];
  let value = "";
  let bytes = 0;
  for (const character of text) {
    const more = Buffer.byteLength(character);
    if (bytes + more > fieldBytes) {
      values.push(value);
      value = "";
      bytes = 0;
    }
    value += character;
    bytes += more;
  }
  values.push(value);
  return {
    template_id: templateId,
    fields: values.map((value, index) => ({ name: fieldName(index), value })),
  };
}

/** The text that groups of our templates keep; undefined where there are none. */
export function textOf(groups: readonly PropertyGroup[] = []): string | undefined {
  const [group] = groups;
  if (!group) return undefined;
  const sorted = [...group.fields].sort((one, other) => (one.name < other.name ? -1 : 1));
  return sorted.map(({ value }) => value).join("");
}

/** The template of the account, found or made once. */
export class Templates {
  readonly #client: DropboxClient;
  #ids: Promise<readonly string[]> | undefined;

  constructor(client: DropboxClient) {
    this.#client = client;
  }

  /** The filter that shows the texts of items; undefined where the account has no template yet. */
  async filter(): Promise<object | undefined> {
    const ids = await this.#known();
    return ids.length === 0 ? undefined : { ".tag": "filter_some", filter_some: ids };
  }

  /** The template for writing, made where there is none. */
  async id(): Promise<string> {
    const [first] = await this.#known();
    if (first !== undefined) return first;
    const made = this.#client
      .rpc<{ template_id: string }>("file_properties/templates/add_for_user", template)
      // Another process may have made one at the same time: all take the same.
      .then(() => this.#list());
    this.#remember(made);
    return (await made)[0]!;
  }

  /** Forgets what is known, as somebody has removed the template. */
  forget(): void {
    this.#ids = undefined;
  }

  #known(): Promise<readonly string[]> {
    return this.#ids ?? this.#remember(this.#list());
  }

  #remember(ids: Promise<readonly string[]>): Promise<readonly string[]> {
    this.#ids = ids;
    ids.catch(() => {
      if (this.#ids === ids) this.#ids = undefined;
    });
    return ids;
  }

  /** Whom the account does not let see its templates has none. */
  #list(): Promise<readonly string[]> {
    return this.#listed().catch((error) => {
      if (error instanceof DriveError && error.code === "AccessDenied") return [];
      throw error;
    });
  }

  async #listed(): Promise<readonly string[]> {
    const { template_ids } = await this.#client.rpc<{ template_ids: string[] }>(
      "file_properties/templates/list_for_user",
      null,
      { repeatable: true },
    );
    const ours: string[] = [];
    for (const template_id of template_ids.sort()) {
      const found = await this.#client.rpc<Template>(
        "file_properties/templates/get_for_user",
        { template_id },
        { repeatable: true },
      );
      const names = new Set(found.fields.map(({ name }) => name));
      if (found.name === template.name && template.fields.every(({ name }) => names.has(name)))
        ours.push(template_id);
    }
    return ours;
  }
}
