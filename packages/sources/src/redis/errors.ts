import { ErrorReply } from "@redis/client";
import { SqlError } from "../error.ts";
import type { Address, ClientOptions } from "./client/node.ts";

/** SQLSTATE and hint for what Redis answers; its errors begin with a word in capital letters. */
const replies: Readonly<Record<string, readonly [sqlState: string, hint?: string]>> = {
  WRONGPASS: ["28P01", "Check username and auth_password of the user mapping, the server or its secret."],
  NOAUTH: ["28000", "The server wants a password: set auth_password or secret."],
  NOPERM: [
    "42501",
    "Grant the ACL user this command and these keys, e.g. ACL SETUSER name ~prefix:* +@read.",
  ],
  READONLY: ["25006", "The server is a replica: let url lead to the master, or use sentinels or cluster."],
  OOM: ["53200", "Redis has reached maxmemory: free memory there or set a maxmemory-policy that evicts."],
  MISCONF: ["58030", "Redis cannot save its data to disk and takes no writes: see its log."],
  LOADING: ["57P03", "Redis is still loading its data: try again in a moment."],
  MASTERDOWN: ["57P03", "The replica has lost its master: try again when it is back."],
  BUSY: ["55006", "A script blocks the server: wait, or SCRIPT KILL."],
  CLUSTERDOWN: ["57P03", "Some slots of the cluster are not served: see CLUSTER INFO."],
  TRYAGAIN: ["40001", "A slot is being moved to another node: try again."],
  MOVED: ["08006", "This is a cluster: set the server option cluster 'true'."],
  ASK: ["08006", "This is a cluster: set the server option cluster 'true'."],
  WRONGTYPE: ["42809", "Set the table option type to what TYPE says of this key."],
  NOREPLICAS: ["57P03", "min-replicas-to-write is not met: bring the replicas back."],
};

/** An answer of Redis that refuses a command. */
export function refused(command: string, { message }: ErrorReply): SqlError {
  const word = /^-?([A-Z]+) /.exec(message)?.[1] ?? "ERR";
  const known = replies[word];
  if (known) return new SqlError(known[0], `Redis refuses ${command}: ${message}`, { hint: known[1] });
  if (message.includes("unknown command")) {
    return new SqlError("0A000", `Redis does not know ${command}: ${message}`, {
      hint: "Redis 6.2 or newer is needed, and commands must not be renamed or disabled.",
    });
  }
  return new SqlError("HV000", `Redis refuses ${command}: ${message}`);
}

/** @throws SqlError if the reply is an error */
export function accepted<T>(command: string, reply: T): Exclude<T, ErrorReply> {
  if (reply instanceof ErrorReply) throw refused(command, reply);
  return reply as Exclude<T, ErrorReply>;
}

export function timedOut(command: string, milliseconds: number): SqlError {
  return new SqlError("08006", `Redis did not answer ${command} in ${milliseconds / 1000} s`, {
    hint: "See whether the server is overloaded (SLOWLOG, LATENCY DOCTOR), or raise the server option timeout.",
  });
}

export function lostConnection(cause: unknown): SqlError {
  if (cause instanceof SqlError) return cause;
  return new SqlError("08006", `The connection to Redis was lost: ${text(cause)}`, {
    hint: "Try again: the next statement connects anew.",
    cause,
  });
}

/** Why a connection could not be made. Names the address, never the credentials. */
export function unreachable({ host, port }: Address, cause: unknown, options: ClientOptions): SqlError {
  if (cause instanceof SqlError) return cause;
  const message = text(cause);
  if (/^(WRONGPASS|ERR invalid password|ERR AUTH|NOAUTH|NOPERM)/.test(message)) {
    return new SqlError(
      message.startsWith("NO") ? "28000" : "28P01",
      `Redis refuses the log-in: ${message}`,
      {
        hint: options.password
          ? replies.WRONGPASS![1]
          : "The server wants a password: set auth_password or secret.",
        cause,
      },
    );
  }
  const refusal = /^([A-Z]+) /.exec(message)?.[1];
  const state = refusal && replies[refusal] ? replies[refusal][0] : "08001";
  return new SqlError(state, `Could not connect to Redis at ${host}:${port}: ${message}`, {
    hint: hintFor(cause, message, options),
    cause,
  });
}

function hintFor(cause: unknown, message: string, { tls, database }: ClientOptions): string {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? "";
  if (code.includes("CERT") || code.includes("SELF_SIGNED") || code.includes("ALTNAME")) {
    return "Set ca to the certificate of its authority (PEM), and tls_server_name if it names another host.";
  }
  if (message.startsWith("ERR DB index"))
    return `Database ${database} does not exist: see "databases" in redis.conf.`;
  if (code === "ENOTFOUND") return "Check the host's name in url.";
  if (tls) return "Check that a Redis with TLS (tls-port) listens there; without TLS use redis:// in url.";
  return "Check that Redis listens there; with TLS use rediss:// in url.";
}

function text(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return text(cause.errors[0]);
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}

/** A reply, or null for a key of another type. */
export function unlessWrongType<T>(command: string, reply: T): Exclude<T, ErrorReply> | null {
  if (reply instanceof ErrorReply && reply.message.startsWith("WRONGTYPE")) return null;
  return accepted(command, reply);
}
