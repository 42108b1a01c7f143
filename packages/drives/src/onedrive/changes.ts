import { DriveError } from "../drive.ts";
import type { ChangePage } from "../remote/vendor.ts";
import type { GraphClient } from "./client.ts";
import { type DriveItem, itemOf, selectChanged } from "./items.ts";

interface DeltaPage {
  readonly value: readonly DriveItem[];
  readonly "@odata.nextLink"?: string;
  readonly "@odata.deltaLink"?: string;
}

/** How often the feed may say that it must be begun anew before that is taken for a fault. */
const mostResets = 3;

/**
 * As `Vendor.changes`. A cursor is the address that Graph gave for what comes next. The feed is that of the whole
 * drive, for Business has none of a folder.
 */
export async function* changes(
  graph: GraphClient,
  cursor: string | undefined,
  signal?: AbortSignal,
): AsyncGenerator<ChangePage> {
  const first = `${graph.drive}/root/delta?${selectChanged}&$top=1000`;
  // A cursor of another cloud is worth nothing here, and must not get the token of this one.
  const isOurs = (url: string | undefined): url is string =>
    url?.startsWith(`${new URL(graph.url).origin}/`) ?? false;
  let reset = cursor !== undefined && !isOurs(cursor);
  let url = cursor === undefined || reset ? first : cursor;
  for (let resets = 0; ; ) {
    const { status, headers, body } = await graph.http.json<DeltaPage>({
      endpoint: "GET delta",
      method: "GET",
      url,
      accept: [410],
      signal,
    });
    if (status === 410) {
      resets += 1;
      if (resets > mostResets)
        throw new DriveError("Unavailable", "OneDrive's change feed begins anew again and again.");
      url = isOurs(headers.location) ? headers.location : first;
      reset = true;
      continue;
    }
    const next = body["@odata.nextLink"] ?? body["@odata.deltaLink"];
    if (!isOurs(next))
      throw new DriveError("Unavailable", "OneDrive's change feed does not say where to go on.");
    yield {
      changes: body.value.flatMap((json) => {
        const change = json.deleted
          ? ({ id: json.id, removed: true } as const)
          : itemOf(json, graph.driveType);
        return change ?? [];
      }),
      cursor: next,
      reset,
    };
    if (body["@odata.nextLink"] === undefined) return;
    reset = false;
    url = next;
  }
}
