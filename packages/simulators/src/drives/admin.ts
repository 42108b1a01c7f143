import { type Call, type Reply, readBody } from "./call.ts";
import type { CallLog } from "./calls.ts";
import type { Fault, Faults } from "./faults.ts";
import type { Admin } from "./server.ts";

/** Changes to a drive as another user of it makes them. Paths are decoded, without a leading slash. */
export interface OtherUser {
  /** Creates or replaces a file, and the folders above it. */
  put(path: string, bytes: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<void>;
  /** Removes a file or a folder with all in it. @returns whether it was there */
  remove(path: string): boolean;
}

/**
 * The end points that every stand-in has for those who run it: `GET/DELETE /-/calls`,
 * `PUT/DELETE /-/files/PATH`, `POST/DELETE /-/faults`.
 */
export function administer(calls: CallLog, faults: Faults, user: OtherUser): Admin {
  return async (call: Call): Promise<Reply> => {
    const { method, path } = call;
    if (path === "/-/calls" && method === "GET") return { status: 200, body: calls.counts };
    if (path === "/-/calls" && method === "DELETE") {
      calls.reset();
      return { status: 204 };
    }
    if (path === "/-/faults" && method === "POST") {
      faults.add(parseFault(JSON.parse((await readBody(call)).toString())));
      return { status: 204 };
    }
    if (path === "/-/faults" && method === "DELETE") {
      faults.clear();
      return { status: 204 };
    }
    const file = /^\/-\/files\/(.+)$/.exec(path)?.[1];
    if (file && method === "PUT") {
      await user.put(decodeURIComponent(file), call.body);
      return { status: 204 };
    }
    if (file && method === "DELETE") return { status: user.remove(decodeURIComponent(file)) ? 204 : 404 };
    return { status: 404, body: `There is no ${method} ${path}\n` };
  };
}

/** A fault from JSON: as the interface, with `path` as the text of a regular expression. */
function parseFault(json: Omit<Fault, "path"> & { path?: string }): Fault {
  return { ...json, path: json.path === undefined ? undefined : new RegExp(json.path) };
}
