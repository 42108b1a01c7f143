import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "./load.ts";
import type { RequestShape } from "./requests.ts";
import { type Server, startServer } from "./servers.ts";
import { median } from "./statistics.ts";

/** A bucket whose keys were put there by other means, as empty files. */
interface Shape {
  readonly bucket: string;
  readonly title: string;
  readonly folders: number;
  readonly filesEach: number;
}

const shapes: readonly Shape[] = [
  { bucket: "small", title: "1,000 keys in one folder", folders: 1, filesEach: 1000 },
  { bucket: "flat", title: "1,000,000 keys in one folder", folders: 1, filesEach: 1_000_000 },
  { bucket: "deep", title: "1,000,000 keys in 10,000 folders", folders: 10_000, filesEach: 100 },
];

export interface ListingFigure {
  readonly title: string;
  /** Milliseconds of the first page after the server's first start. */
  readonly cold: number;
  /** Milliseconds of the first page after the server was started again. */
  readonly restarted: number;
  /** Milliseconds of a page that was listed before. */
  readonly warm: number;
}

const pad = (number: number, digits: number) => String(number).padStart(digits, "0");
const folderOf = ({ folders }: Shape, folder: number) => (folders === 1 ? "" : `folder-${pad(folder, 5)}/`);

function makeFiles(root: string, shape: Shape): void {
  const past = Date.now() / 1000 - 3600;
  for (let folder = 0; folder < shape.folders; folder++) {
    const path = join(root, shape.bucket, folderOf(shape, folder));
    mkdirSync(path, { recursive: true });
    for (let file = 0; file < shape.filesEach; file++) writeFileSync(join(path, `key-${pad(file, 7)}`), "");
    utimesSync(path, past, past);
  }
  utimesSync(join(root, shape.bucket), past, past);
}

/** The page that begins in the middle of the bucket. */
function middlePage(shape: Shape): RequestShape {
  const folder = folderOf(shape, Math.floor(shape.folders / 2));
  const file = shape.folders === 1 ? Math.floor(shape.filesEach / 2) : 0;
  const after = shape.filesEach === 1000 ? "" : `${folder}key-${pad(file, 7)}`;
  return { method: "GET", path: `/${shape.bucket}`, query: { "list-type": "2", "start-after": after } };
}

async function onePage({ port }: Server, shape: Shape): Promise<number> {
  const start = performance.now();
  await load({ port, connections: 1, requests: [middlePage(shape)], seconds: 0.001 });
  return performance.now() - start;
}

/** Lists one page of 1,000 keys from buckets of very different size. */
export async function measureListings(work: string): Promise<ListingFigure[]> {
  const cold = new Map<Shape, number>();
  const restarted = new Map<Shape, number>();
  const warm = new Map<Shape, number[]>();
  const first = (await startServer("overcoat", work))!;
  for (const shape of shapes) {
    makeFiles(first.folder, shape);
    cold.set(shape, await onePage(first, shape));
  }
  // The index is written behind the answer.
  await new Promise((resolve) => setTimeout(resolve, 5000));
  await first.stop();
  const again = (await startServer("overcoat", work, first.folder))!;
  for (const shape of shapes) restarted.set(shape, await onePage(again, shape));
  for (let round = 0; round <= 5; round++)
    for (const shape of shapes) {
      const requests = [middlePage(shape)];
      const { perSecond } = await load({ port: again.port, connections: 1, requests, seconds: 1 });
      if (round > 0) warm.set(shape, [...(warm.get(shape) ?? []), 1000 / perSecond]);
    }
  await again.stop();
  return shapes.map((shape) => ({
    title: shape.title,
    cold: cold.get(shape)!,
    restarted: restarted.get(shape)!,
    warm: median(warm.get(shape)!),
  }));
}
