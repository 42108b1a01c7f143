import type { Settings } from "../options.ts";
import { openCluster } from "./cluster.ts";
import { type Bytes, Node, type Run } from "./node.ts";
import { masterAddress } from "./sentinel.ts";
import { Turns } from "./turns.ts";

/** A Redis, however many servers it consists of. */
export interface Redis {
  /** Whether a command's keys must all be of one slot. */
  readonly clustered: boolean;
  /** Sends each command to the server that holds its key. */
  readonly run: Run;
  /**
   * The servers that hold the keys, each some of them.
   * @throws SqlError 08001 when they cannot be found, 28P01 when the log-in is refused
   */
  masters(signal?: AbortSignal): Promise<readonly Run[]>;
  /** Keys of the same slot can be changed in one transaction. */
  slot(key: Bytes): number;
  /** A connection to the server that holds the key, for WATCH and MULTI: nobody else's until `work` is done. */
  exclusive<T>(key: Bytes, work: (run: Run) => Promise<T>, signal: AbortSignal): Promise<T>;
  close(): void;
}

export function openRedis(settings: Settings): Redis {
  return settings.kind === "cluster" ? openCluster(settings) : openServer(settings);
}

function openServer({ kind, addresses, client, masterName, sentinelClient }: Settings): Redis {
  const address =
    kind === "sentinel" ? () => masterAddress(addresses, masterName, sentinelClient) : () => addresses[0]!;
  const shared = new Node(address, client);
  const turns = new Turns(new Node(address, client));
  return {
    clustered: false,
    run: shared.run,
    async masters(signal) {
      await shared.run([], { signal });
      return [shared.run];
    },
    slot: () => 0,
    exclusive: (_key, work, signal) => turns.take(work, signal),
    close() {
      shared.close();
      turns.close();
    },
  };
}
