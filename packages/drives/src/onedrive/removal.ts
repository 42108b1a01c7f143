import { DriveError } from "../drive.ts";
import { retryAfter } from "../remote/http/index.ts";
import type { Item } from "../remote/vendor.ts";
import { type GraphClient, judge } from "./client.ts";

/** Most requests of a batch (Microsoft Graph, "JSON batching"). */
export const mostInBatch = 20;
const attempts = 5;
/** Batches that are under way at once. */
const parallel = 4;

interface Answer {
  readonly id: string;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** As `Vendor.removeAll`: 20 items in each call. */
export async function removeAll(
  graph: GraphClient,
  items: readonly Item[],
  hard: boolean,
): Promise<(boolean | Error)[]> {
  const results: (boolean | Error)[] = [];
  const starts = Array.from(
    { length: Math.ceil(items.length / mostInBatch) },
    (_, index) => index * mostInBatch,
  );
  const work = async () => {
    for (let start = starts.shift(); start !== undefined; start = starts.shift()) {
      const batch = items.slice(start, start + mostInBatch);
      for (const [index, result] of (await removeBatch(graph, batch, hard)).entries())
        results[start + index] = result;
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  return results;
}

async function removeBatch(
  graph: GraphClient,
  items: readonly Item[],
  hard: boolean,
): Promise<(boolean | Error)[]> {
  const results: (boolean | Error)[] = [];
  let open = items.map((_, index) => index);
  for (let attempt = 1; open.length > 0; attempt += 1) {
    let answers: ReadonlyMap<string, Answer>;
    try {
      answers = await send(graph, items, open, hard);
    } catch (error) {
      for (const index of open) results[index] = error as Error;
      return results;
    }
    const again: number[] = [];
    for (const index of open) {
      const outcome = outcomeOf(answers.get(String(index)));
      if ("result" in outcome) results[index] = outcome.result;
      else if (attempt === attempts) results[index] = outcome.error;
      else {
        again.push(index);
        // The service throttles each request of a batch by itself.
        graph.http.pause(outcome.wait ?? attempt * 500);
      }
    }
    open = again;
  }
  return results;
}

async function send(
  graph: GraphClient,
  items: readonly Item[],
  open: readonly number[],
  hard: boolean,
): Promise<ReadonlyMap<string, Answer>> {
  const below = graph.drive.slice(graph.url.length);
  const requests = open.map((index) => {
    const url = `${below}/items/${encodeURIComponent(items[index]!.id)}`;
    const id = String(index);
    return hard ? { id, method: "POST", url: `${url}/permanentDelete` } : { id, method: "DELETE", url };
  });
  const { body } = await graph.http.json<{ responses: Answer[] }>({
    endpoint: "POST $batch",
    method: "POST",
    url: `${graph.url}/$batch`,
    content: { requests },
    // What is gone already stays gone.
    repeatable: true,
  });
  return new Map(body.responses.map((answer) => [answer.id, answer]));
}

type Outcome =
  | { readonly result: boolean | Error }
  | { readonly error: Error; readonly wait: number | undefined };

function outcomeOf(answer: Answer | undefined): Outcome {
  if (!answer)
    return { error: new DriveError("Unavailable", "OneDrive left out a part of a batch."), wait: undefined };
  const { status, headers = {}, body } = answer;
  if (status >= 200 && status < 300) return { result: true };
  if (status === 404) return { result: false };
  const lower = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const refusal = { endpoint: "DELETE item", status, headers: lower, text: "", json: body };
  const { error, remedy } = judge(refusal);
  if (remedy === undefined) return { result: error };
  return { error, wait: retryAfter(lower, Date.now()) };
}
