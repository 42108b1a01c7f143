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
  format: {
    description:
      "csv, jsonl, parquet or text: rows are those inside of the objects that uri names, not the objects",
  },
  uri: { description: "s3://bucket/path of one object, or of many by *, **, ? and {a,b}" },
  compress: {
    description: "gzip, zlib, zstd, bzip2, xz, brotli or none; default: by the ending of the object's name",
  },
  filename_column: {
    description: "name of the column that holds the object's key; default filename, '' for none",
  },
  has_header: {
    description:
      "of CSV: whether the first record names the columns; default: it does if it names all of the table's",
  },
  delimiter: { description: "of CSV: the character between fields; default a comma" },
  quote: { description: "of CSV: the character around fields; default a double quote" },
  escape: { description: "of CSV: the character before a quote within quotes; default the quote itself" },
  null: { description: "of CSV: what stands, without quotes, for NULL; default nothing" },
  on_conflict: { description: "error (default) or replace: what an INSERT of a key that exists does" },
};
