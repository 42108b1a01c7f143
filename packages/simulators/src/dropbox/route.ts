import type { z } from "zod";
import type { Call, Reply } from "../drives/call.ts";
import type { ContentStore } from "../drives/content.ts";
import type { CommitLock, Commits } from "./commit-lock.ts";
import type { Cursors } from "./cursors.ts";
import { type Drive, type Item, LookupFailed, WriteFailed } from "./drive.ts";
import { RouteError, type Tagged, tagged } from "./errors.ts";
import type { Jobs } from "./jobs.ts";
import type { Links } from "./links.ts";
import type { Metadata } from "./metadata.ts";
import type { DropboxOptions } from "./options.ts";
import type { Templates } from "./properties.ts";
import type { Sessions } from "./sessions.ts";
import type { Tokens } from "./tokens.ts";

/** All that the parts of one stand-in share. */
export interface Parts {
  readonly options: DropboxOptions;
  readonly drive: Drive;
  readonly store: ContentStore;
  readonly metadata: Metadata;
  readonly sessions: Sessions;
  readonly cursors: Cursors;
  readonly templates: Templates;
  readonly links: Links;
  readonly jobs: Jobs;
  readonly lock: CommitLock;
  readonly tokens: Tokens;
}

export interface RouteCall<Arg> extends Parts {
  readonly call: Call;
  readonly arg: Arg;
  /** The folder where the caller's paths begin. */
  readonly view: Item;
  /** Commits of this call. */
  readonly commits: Commits;
}

export interface Route {
  /** As it stands in the address behind `/2/`. */
  readonly name: string;
  readonly host: "api" | "content" | "notify";
  readonly style: "rpc" | "upload" | "download";
  /** The scope that it takes; undefined where it takes no token at all. */
  readonly scope: string | undefined;
  /** Undefined where it takes no argument. */
  readonly arg: z.ZodType | undefined;
  run(call: RouteCall<unknown>): Promise<Reply> | Reply;
}

/** A route that takes JSON as its body and gives JSON. */
export function rpc<Schema extends z.ZodType>(
  name: string,
  scope: string | undefined,
  arg: Schema | undefined,
  run: (call: RouteCall<z.output<Schema>>) => Promise<unknown> | unknown,
  host: Route["host"] = "api",
): Route {
  return {
    name,
    host,
    style: "rpc",
    scope,
    arg,
    run: async (call) => ({ status: 200, body: await run(call as RouteCall<z.output<Schema>>) }),
  };
}

/** A route that takes bytes and gives JSON. */
export function upload<Schema extends z.ZodType>(
  name: string,
  arg: Schema,
  run: (call: RouteCall<z.output<Schema>>) => Promise<unknown> | unknown,
): Route {
  return { ...rpc(name, "files.content.write", arg, run, "content"), style: "upload" };
}

/** Members of a route's error that hold the errors of lookups and writes. */
export interface Wraps {
  readonly lookup?: string;
  readonly write?: string;
}

/** Runs a part of a route, whose failures become the route's error. @throws RouteError 409 */
export async function wrapping<T>({ lookup, write }: Wraps, run: () => Promise<T> | T): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof LookupFailed && lookup) throw new RouteError(tagged(lookup, error.error));
    if (error instanceof LookupFailed && write) throw new RouteError(tagged(write, tagged("malformed_path")));
    if (error instanceof WriteFailed && write) throw new RouteError(tagged(write, error.error));
    throw error;
  }
}

/** What a commit that comes too early is refused with where it is the member of an error. */
export const tooManyWrites = (member: string): Tagged => tagged(member, tagged("too_many_write_operations"));
