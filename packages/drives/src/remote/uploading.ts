import { DriveError } from "../drive.ts";
import type { Body, Item, Target, Vendor, WriteOptions } from "./vendor.ts";

/** How often an upload goes on where the drive stands, or is begun anew, before it fails. */
const attempts = 4;

/**
 * Sends bytes that are whole to their place: in one call while they are few, else in fragments.
 * @throws DriveError as `Vendor.upload`
 */
export function sendWhole(vendor: Vendor, target: Target, body: Body, options: WriteOptions): Promise<Item> {
  return body.size <= vendor.traits.uploadLimit
    ? vendor.upload(target, body, options)
    : sendFragments(vendor, target, body, options);
}

async function sendFragments(
  vendor: Vendor,
  target: Target,
  body: Body,
  options: WriteOptions,
): Promise<Item> {
  const { fragmentSize } = vendor.traits;
  const { size } = body;
  for (let attempt = 1; ; attempt++) {
    const session = await vendor.startUpload(target, size, options);
    try {
      for (let position = 0; ; ) {
        const end = Math.min(position + fragmentSize, size);
        const item = await session.send(body, position, end);
        if (item) return item;
        if (end === size) throw new DriveError("Unavailable", "The last fragment did not end the upload");
        position = end;
      }
    } catch (error) {
      await session.cancel().catch(() => undefined);
      if (!(error instanceof DriveError && error.code === "Gone") || attempt === attempts) throw error;
    }
  }
}
