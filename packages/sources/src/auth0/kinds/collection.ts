import { SqlError } from "../../error.ts";
import type { Item, Parameters } from "../api.ts";
import { byId, checkpoints, encoded, paged } from "../read/lists.ts";
import { equalTo, type Reading, type ReadRequest } from "../read/request.ts";
import type { Kind } from "./kind.ts";

/** A list of the tenant as a whole, whose objects have addresses of their own. */
export interface Collection {
  /** Of the table, of the list in answers, and of the path. */
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly id: string;
  readonly paging: "pages" | "checkpoints";
  /** Parameters that narrow the list down to objects of which one attribute has a value, perhaps some more. */
  readonly narrowed?: Readonly<Record<string, string>>;
  /** Another address of one object, by an attribute that no two objects share. */
  readonly unique?: { readonly attribute: string; readonly path: string; readonly form: RegExp };
  /** Attributes that can be written; an object can be neither made nor changed where not given. */
  readonly writable?: readonly string[];
  readonly deletable: boolean;
}

/** How many objects such a list is guessed to have. */
const guessed = 50;

export function collection(definition: Collection): Kind {
  const { name, attributes, id, paging, narrowed = {}, unique, writable, deletable } = definition;
  const list = `/${name}`;
  const path = (key: string) => `${list}/${encoded(key)}`;

  function read(request: ReadRequest): Reading {
    const { api } = request;
    const ids = equalTo(request, id);
    if (ids) return byId(api, ids, path);
    const uniques = unique && equalTo(request, unique.attribute);
    if (unique && uniques?.values.every((value) => unique.form.test(value)))
      return byId(api, uniques, (value) => `${unique.path}/${encoded(value)}`);
    const parameters: Record<string, string> = {};
    for (const [attribute, parameter] of Object.entries(narrowed)) {
      const [value, ...others] = equalTo(request, attribute)?.values ?? [];
      if (value && others.length === 0) parameters[parameter] = value;
    }
    const query = new URLSearchParams(parameters);
    return {
      rows: query.size > 0 ? 1 : guessed,
      calls: 1,
      requests: [`GET ${list}${query.size > 0 ? `?${decodeURIComponent(String(query))}` : ""}`],
      pages: (signal) => readList(parameters, request, signal),
    };
  }

  const readList = (parameters: Parameters, { api }: ReadRequest, signal: AbortSignal) =>
    (paging === "pages" ? paged : checkpoints)(api, list, name, parameters, signal);

  return {
    name,
    attributes,
    key: [id],
    read,
    async find(api, [key = ""], signal) {
      return key ? ((await api.find(path(key), {}, signal)) as Item | undefined) : undefined;
    },
    ...(writable && {
      writable: new Set(writable),
      async insert(api, values, signal) {
        const given = Object.entries(values).filter(([, value]) => value !== null);
        await api.send("POST", list, Object.fromEntries(given), signal);
      },
      async update(api, [key = ""], values, _before, signal) {
        await api.send("PATCH", path(key), values, signal);
      },
    }),
    ...(deletable && {
      async delete(api, [key = ""], signal) {
        if (!key) throw new SqlError("02000", `an object of ${name} without ${id} cannot be deleted`);
        await api.send("DELETE", path(key), undefined, signal);
      },
    }),
  };
}
