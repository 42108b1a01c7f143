import { ErrorReply } from "@redis/client";
import calculateSlot from "cluster-key-slot";
import { SqlError } from "../../error.ts";
import { accepted } from "../errors.ts";
import type { Settings } from "../options.ts";
import { type Address, Node, type Reply, type Run } from "./node.ts";
import type { Redis } from "./redis.ts";
import { Turns } from "./turns.ts";

/** Which server holds which slots. */
interface Topology {
  readonly owners: readonly (Server | undefined)[];
  readonly masters: readonly Server[];
}

class Server {
  readonly shared: Node;
  readonly turns: Turns;

  constructor(address: Address, settings: Settings) {
    this.shared = new Node(() => address, settings.client);
    this.turns = new Turns(new Node(() => address, settings.client));
  }

  close(): void {
    this.shared.close();
    this.turns.close();
  }
}

type SlotRange = readonly [from: number, to: number, master: readonly [host: string, port: number]];

const slotCount = 16384;

/** Redirections of one command before it is given up. */
const mostRedirections = 5;

/** https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/ */
export function openCluster(settings: Settings): Redis {
  const servers = new Map<string, Server>();
  let topology: Promise<Topology> | undefined;

  function server({ host, port }: Address): Server {
    const name = `${host}:${port}`;
    const known = servers.get(name) ?? new Server({ host, port }, settings);
    servers.set(name, known);
    return known;
  }

  function current(): Promise<Topology> {
    if (topology === undefined) {
      const learning = learn();
      learning.catch(() => forget(learning));
      topology = learning;
    }
    return topology;
  }

  function forget(old: Promise<Topology> | undefined): void {
    if (topology === old) topology = undefined;
  }

  /** Asks the nodes in turn, those that url names first. */
  async function learn(): Promise<Topology> {
    let failure: unknown;
    for (const node of new Set([...settings.addresses.map(server), ...servers.values()])) {
      try {
        const [reply] = await node.shared.run([["CLUSTER", "SLOTS"]]);
        return read(accepted("CLUSTER SLOTS", reply) as SlotRange[]);
      } catch (error) {
        failure ??= error;
      }
    }
    throw failure;
  }

  function read(ranges: readonly SlotRange[]): Topology {
    const owners: (Server | undefined)[] = new Array(slotCount).fill(undefined);
    for (const [from, to, [host, port]] of ranges) owners.fill(server({ host, port }), from, to + 1);
    return { owners, masters: [...new Set(owners)].filter((owner) => owner !== undefined) };
  }

  const run: Run = async (commands, options) => {
    const replies: Reply[] = new Array(commands.length);
    let open = commands.map((_, index) => index);
    for (let round = 0; ; round++) {
      const asked = current();
      const { owners } = await asked;
      const groups = Map.groupBy(open, (index) => owners[calculateSlot(commands[index]![1]!)]);
      await Promise.all(
        [...groups].map(async ([owner, indices]) => {
          if (!owner) throw unservedSlot();
          const group = indices.map((index) => commands[index]!);
          const answers = await owner.shared.run(group, options).catch((error) => {
            forget(asked);
            throw error;
          });
          for (const [at, index] of indices.entries()) replies[index] = answers[at]!;
        }),
      );
      const moved: number[] = [];
      for (const index of open) {
        const redirection = redirected(replies[index]!);
        if (redirection?.word === "MOVED") moved.push(index);
        if (redirection?.word === "ASK") {
          const asking = [["ASKING"], commands[index]!] as const;
          replies[index] = (await server(redirection.address).shared.run(asking, options))[1]!;
        }
      }
      if (moved.length === 0 || round === mostRedirections) return replies;
      forget(asked);
      open = moved;
    }
  };

  return {
    clustered: true,
    run,
    masters: async () => (await current()).masters.map(({ shared }) => shared.run),
    slot: calculateSlot,
    async exclusive(key, work, signal) {
      for (let round = 0; ; round++) {
        const asked = current();
        const owner = (await asked).owners[calculateSlot(key)];
        if (!owner) throw unservedSlot();
        try {
          return await owner.turns.take((run) => work(unlessMoved(run)), signal);
        } catch (error) {
          forget(asked);
          if (!(error instanceof SlotMoved) || round === mostRedirections) throw error;
        }
      }
    },
    close() {
      for (const each of servers.values()) each.close();
    },
  };
}

class SlotMoved extends Error {}

/** @throws SlotMoved before anything is done, when the server no longer holds the slot */
function unlessMoved(run: Run): Run {
  return async (commands, options) => {
    const replies = await run(commands, options);
    if (redirected(replies[0]!)) throw new SlotMoved();
    return replies;
  };
}

function unservedSlot(): SqlError {
  return new SqlError("57P03", "A slot of the Redis Cluster is served by no node", {
    hint: "See CLUSTER INFO and CLUSTER SLOTS.",
  });
}

/** `MOVED 3999 127.0.0.1:6381` */
function redirected(reply: Reply): { word: string; address: Address } | undefined {
  const match = reply instanceof ErrorReply && /^(MOVED|ASK) \d+ (.*):(\d+)$/.exec(reply.message);
  return match ? { word: match[1]!, address: { host: match[2]!, port: Number(match[3]) } } : undefined;
}
