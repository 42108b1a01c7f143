import { randomBytes } from "node:crypto";
import { send } from "../load.ts";
import { type Gateway, gateways, startGateway, startStandIn } from "./stack.ts";

const partSize = 16 * 1024 * 1024;
const parts = 64;

export interface LargeFigure {
  readonly gateway: Gateway;
  /** MiB a second of 1 GiB in one PUT, and of the GET of it. */
  readonly up: number;
  readonly down: number;
}

/** Writes 1 GiB to a simulated OneDrive in one PUT and reads it again. */
export async function measureLarge(work: string): Promise<LargeFigure[]> {
  const standIn = await startStandIn(work, 100);
  const body = Buffer.alloc(parts * partSize);
  randomBytes(partSize).copy(body);
  for (let filled = partSize; filled < body.length; filled *= 2) body.copy(body, filled, 0, filled);
  const figures: LargeFigure[] = [];
  try {
    for (const gateway of gateways()) {
      const serving = await startGateway(gateway, standIn, work, "large");
      try {
        const path = `/sample/large-${gateway.replaceAll(" ", "-")}`;
        const rate = async (method: string) => {
          const start = performance.now();
          await send(serving.port, [{ method, path, ...(method === "PUT" && { body }) }], 1);
          return (body.length / 2 ** 20 / (performance.now() - start)) * 1000;
        };
        figures.push({ gateway, up: await rate("PUT"), down: await rate("GET") });
      } finally {
        await serving.stop();
      }
    }
  } finally {
    await standIn.stop();
  }
  return figures;
}
