import { withConnection } from "./connection.ts";
import { batchesOf } from "./cursor.ts";

/** A step of a query that was run to be measured. */
export interface PlanStep {
  /** How deep it lies within the steps that use it. */
  readonly depth: number;
  /** `Foreign Scan on redis_sessions`. */
  readonly title: string;
  readonly rows: number;
  /** With the steps within it. */
  readonly milliseconds: number;
}

interface Node {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly Alias?: string;
  readonly Relations?: string;
  readonly "Actual Rows"?: number;
  readonly "Actual Loops"?: number;
  readonly "Actual Total Time"?: number;
  readonly Plans?: readonly Node[];
}

/** Runs a query once more by EXPLAIN ANALYZE. @throws pg.DatabaseError */
export async function measureSql(text: string, signal: AbortSignal): Promise<readonly PlanStep[]> {
  return withConnection("reader", signal, async (client) => {
    await client.query("BEGIN READ ONLY");
    const explain = `EXPLAIN (ANALYZE, VERBOSE, FORMAT JSON) ${text}`;
    let json = "";
    for await (const { rows } of batchesOf(client, explain, 1)) json += rows[0]?.[0] ?? "";
    const [{ Plan }] = JSON.parse(json) as [{ Plan: Node }];
    return [...steps(Plan, 0)];
  });
}

function* steps(node: Node, depth: number): Generator<PlanStep> {
  const loops = node["Actual Loops"] ?? 1;
  const relation = node["Relation Name"] ?? node.Relations;
  yield {
    depth,
    title: relation ? `${node["Node Type"]} on ${relation}` : node["Node Type"],
    rows: Math.round((node["Actual Rows"] ?? 0) * loops),
    milliseconds: (node["Actual Total Time"] ?? 0) * loops,
  };
  for (const one of node.Plans ?? []) yield* steps(one, depth + 1);
}
