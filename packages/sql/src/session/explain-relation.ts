import type { Plan, TableDefinition } from "@overcoat/sources";
import type { Relation } from "../query/relation.ts";

/** A table whose rows are what services would be asked for a statement. */
export class ExplainRelation implements Relation {
  readonly definition: TableDefinition;
  readonly collation: string;
  readonly #requests: () => Promise<readonly string[]>;

  constructor(definition: TableDefinition, collation: string, requests: () => Promise<readonly string[]>) {
    this.definition = definition;
    this.collation = collation;
    this.#requests = requests;
  }

  plan({ columns, filters, identity }: Parameters<Relation["plan"]>[0]): Plan {
    const requests = this.#requests;
    return {
      handled: filters.map(() => false),
      sorted: false,
      rows: 10,
      calls: 0,
      requests: [],
      async *scan() {
        const lines = await requests();
        yield lines.map((line, index) => [...columns.map(() => line), ...(identity ? [String(index)] : [])]);
      },
    };
  }

  ctid(identity: string): string {
    return `(0,${Number(identity) + 1})`;
  }
}
