import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { ClusterError } from "../cluster/errors.ts";

const idleMs = 60_000;
/** A statement that still runs then ends with its connection. */
const resetMs = 2000;
const cancelMs = 5000;
/** CancelRequest, https://www.postgresql.org/docs/current/protocol-message-formats.html */
const cancelCode = 80877102;

export interface ScratchPoolOptions {
  /** Of a scratch. */
  readonly url: string;
  /** How many sessions this process may have at once. */
  readonly connections: number;
  /** How long to wait for one of them; 30 s by default. */
  readonly waitMs?: number;
}

/** Sessions of a scratch, used again and again. */
export interface ScratchPool extends AsyncDisposable {
  /** @throws Error when none gets free in time, or the server does not answer */
  session(): Promise<ScratchSession>;
  close(): Promise<void>;
}

/** A session as if new. Disposing of it rolls back, drops its temporary tables and forgets its settings. */
export interface ScratchSession extends AsyncDisposable {
  /** Gives values as PostgreSQL writes them in text, unparsed. */
  readonly client: pg.ClientBase;
  /** Asks the server to cancel the running statement, which then fails with SQLSTATE 57014. */
  cancel(): Promise<void>;
}

export function openScratchPool({ url, connections, waitMs = 30_000 }: ScratchPoolOptions): ScratchPool {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: waitMs,
    idleTimeoutMillis: idleMs,
    allowExitOnIdle: true,
    keepAlive: true,
    types: { getTypeParser: () => (value: string) => value },
  });
  // An idle connection that breaks is replaced when one is needed.
  pool.on("error", () => {});
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= pool.end();
    return closed;
  };
  return {
    async session() {
      const client = await pool.connect().catch((error) => {
        if (pool.totalCount < connections || pool.idleCount > 0) throw error;
        throw new ClusterError(
          `All ${connections} sessions for intermediate results are in use: try again, or allow more of them`,
          { cause: error },
        );
      });
      // So is one that breaks in use, by the statement that fails.
      const ignore = () => {};
      client.on("error", ignore);
      let released = false;
      return {
        client,
        cancel: () => cancel(client),
        async [Symbol.asyncDispose]() {
          if (released) return;
          released = true;
          const clean = await Promise.race([reset(client), sleep(resetMs, false, { ref: false })]);
          client.off("error", ignore);
          client.release(!clean);
        },
      };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** @returns whether the session can be used again */
async function reset(client: pg.ClientBase): Promise<boolean> {
  try {
    if (client.getTransactionStatus() !== "I") await client.query("ROLLBACK");
    await client.query("DISCARD ALL");
    return true;
  } catch {
    return false;
  }
}

function cancel(client: pg.PoolClient): Promise<void> {
  const { host, port, processID, secretKey } = client as unknown as SessionKey;
  const request = Buffer.alloc(16);
  for (const [i, value] of [request.length, cancelCode, processID, secretKey].entries())
    request.writeInt32BE(value, i * 4);
  return new Promise((done, failed) => {
    const socket = connect(port, host);
    socket.setTimeout(cancelMs, () => socket.destroy(new Error("the server does not answer")));
    socket.on("error", failed);
    // The server closes the connection when it has passed the request on.
    socket.on("close", () => done());
    socket.on("connect", () => socket.write(request));
    socket.resume();
  });
}

/** What names a session to its server; pg keeps it without telling in its types. */
interface SessionKey {
  readonly host: string;
  readonly port: number;
  readonly processID: number;
  readonly secretKey: number;
}
