import { ask } from "../requests.ts";
import { type Gateway, gateways, type Serving, startGateway, startStandIn } from "./stack.ts";

const files = 100_000;

export interface ListingFigure {
  readonly gateway: Gateway;
  /** Seconds to list all keys right after the first start, and again. */
  readonly cold: number;
  readonly warm: number;
  /** Milliseconds of one page of 1,000 keys then. */
  readonly page: number;
}

/** Lists 100,000 objects in 1,000 folders of a simulated OneDrive, page by page. */
export async function measureDriveListings(work: string): Promise<ListingFigure[]> {
  const standIn = await startStandIn(work, files);
  const figures: ListingFigure[] = [];
  try {
    for (const gateway of gateways()) {
      const serving = await startGateway(gateway, standIn, work, "listing");
      try {
        const cold = await listAll(serving);
        // The drive may still be taken in behind the first listing.
        await new Promise((done) => setTimeout(done, 30_000));
        const warm = await listAll(serving);
        const start = performance.now();
        const pages = 10;
        for (let i = 0; i < pages; i++) await page(serving, `00${i}00/`);
        figures.push({ gateway, cold, warm, page: (performance.now() - start) / pages });
      } finally {
        await serving.stop();
      }
    }
  } finally {
    await standIn.stop();
  }
  return figures;
}

const page = ({ port }: Serving, after: string) =>
  ask(port, { method: "GET", path: "/sample", query: { "list-type": "2", "start-after": after } });

/** Seconds that it takes. @throws Error when keys are missing */
async function listAll(serving: Serving): Promise<number> {
  const start = performance.now();
  let listed = 0;
  for (let after = "", more = true; more; ) {
    const text = await page(serving, after);
    const keys = [...text.matchAll(/<Key>(.*?)<\/Key>/g)];
    listed += keys.length;
    after = keys.at(-1)?.[1] ?? "";
    more = text.includes("<IsTruncated>true</IsTruncated>");
  }
  if (listed !== files) throw new Error(`${serving.name} listed ${listed} of ${files} keys`);
  return (performance.now() - start) / 1000;
}
