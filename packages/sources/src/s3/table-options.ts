import type { OptionDescriptions } from "../source.ts";

export const tableOptions: OptionDescriptions = {
  bucket: { description: "bucket; default: the server's" },
  prefix: { description: "of a listing: only objects whose keys begin so" },
  metadata_from: {
    description:
      "listing (default): the metadata column has what the listing tells; head: content type and user metadata too, by one request a row",
  },
  url_expires_in: {
    description: "of a listing: seconds for which addresses in the url column are valid, signed",
  },
  on_conflict: { description: "error (default) or replace: what an INSERT of a key that exists does" },
};
