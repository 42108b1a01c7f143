import type { Tenant } from "./tenant.ts";

/** An object of the API, as JSON. */
export type Item = Record<string, unknown>;

/** A request that may be carried out. */
export interface Call {
  readonly tenant: Tenant;
  /** The parts of the path that the route names, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The JSON body; an empty object where there is none. */
  readonly body: Item;
  readonly scopes: ReadonlySet<string>;
  /** `http://host:port` of this server. */
  readonly origin: string;
}

export interface Reply {
  readonly status: number;
  /** Sent as JSON; nothing where undefined, bytes as they are. */
  readonly body?: unknown;
}

export interface Route {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Under `/api/v2`, in the syntax of URLPattern. */
  readonly path: string;
  /** One of these must be in the token. */
  readonly scopes: readonly string[];
  /** Query parameters that the operation knows; others are refused. */
  readonly query?: readonly string[];
  run(call: Call): Reply;
}

export const ok = (body: unknown): Reply => ({ status: 200, body });
export const created = (body: unknown): Reply => ({ status: 201, body });
export const noContent = (): Reply => ({ status: 204 });
