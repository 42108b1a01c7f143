import { DriveError, type DriveErrorCode } from "../drive.ts";
import type { Item, Target } from "../remote/vendor.ts";
import type { GraphClient } from "./client.ts";
import type { DriveItem } from "./items.ts";
import { conflictBehavior } from "./writes.ts";

/** What the address that tells of a copy answers. */
interface Progress {
  readonly status?: string;
  readonly resourceId?: string;
  readonly errorCode?: string;
  readonly statusDescription?: string;
}

/** Milliseconds between two looks at a copy, doubled each time, and until it is given up. */
const firstLook = 100;
const longestLook = 2_000;
const longestCopy = 10 * 60_000;

const meanings: readonly (readonly [RegExp, DriveErrorCode])[] = [
  [/exists/i, "Exists"],
  [/quota|storage|space/i, "NoSpace"],
  [/notfound/i, "NotFound"],
  [/denied|forbidden/i, "AccessDenied"],
];

/**
 * Copies a file within the drive and waits until it is there.
 * @returns the copy as the drive has it
 * @throws DriveError `Exists` where the name is taken and not to be replaced
 */
export async function copyFile(
  graph: GraphClient,
  item: Item,
  target: Target,
  replace: boolean,
  signal?: AbortSignal,
): Promise<DriveItem> {
  // Only Business knows the parameter.
  const query = graph.driveType === "personal" ? "" : `?${conflictBehavior}=${replace ? "replace" : "fail"}`;
  const { headers } = await graph.http.json({
    endpoint: "POST copy",
    method: "POST",
    url: `${graph.byId(item.id)}/copy${query}`,
    headers: { prefer: "respond-async" },
    content: { parentReference: { driveId: graph.driveId, id: target.folder.id }, name: target.name },
    signal,
  });
  const id = headers.location === undefined ? undefined : await finished(graph, headers.location, signal);
  const address = id === undefined ? graph.byPath(target.folder.id, [target.name]) : graph.byId(id);
  const copy = await graph.item(address, signal);
  if (!copy) throw new DriveError("Unavailable", "OneDrive has made a copy that is not there.");
  return copy;
}

/** The id of the copy that a monitor tells of, once it is done; undefined where the monitor keeps it to itself. */
async function finished(
  graph: GraphClient,
  monitor: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const end = graph.clock.now() + longestCopy;
  for (let wait = firstLook; graph.clock.now() < end; wait = Math.min(longestLook, 2 * wait)) {
    await graph.clock.sleep(wait, signal);
    const { status: answer, body } = await graph.http.json<Progress | undefined>({
      endpoint: "GET monitor",
      method: "GET",
      url: monitor,
      authorized: false,
      // Done, where storage leads on to the copy.
      accept: [303],
      signal,
    });
    // Answers of one meaning come with several statuses: the body counts.
    const { status, resourceId, errorCode, statusDescription } = body ?? {};
    if (status === "completed" || (status === undefined && answer !== 202)) return resourceId;
    if (status === "failed" || status === "deleteFailed") {
      const [, code = "Unavailable"] = meanings.find(([pattern]) => pattern.test(errorCode ?? "")) ?? [];
      throw new DriveError(
        code,
        `OneDrive failed to copy: ${statusDescription ?? errorCode ?? "no reason given"}`,
      );
    }
  }
  throw new DriveError("Unavailable", "OneDrive did not finish a copy in ten minutes.");
}
