const query = (path: string, parameters: Readonly<Record<string, string | undefined>>) => {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return given.length > 0 ? `${path}?${new URLSearchParams(given)}` : path;
};

const bucketPath = (bucket: string) => `/storage/${encodeURIComponent(bucket)}`;

/** The page of a folder. Keys may hold anything, so they travel in the query and never in the path. */
export const folderPath = (bucket: string, prefix: string, after?: string) =>
  query(bucketPath(bucket), { prefix, after });

/** The page of an object. */
export const objectPath = (bucket: string, key: string) => query(`${bucketPath(bucket)}/object`, { key });

/** Where an object's bytes are: to be saved, or to be shown by the browser. */
export const contentPath = (use: "save" | "show", bucket: string, key: string, version?: string) =>
  query("/api/storage/content", { use, bucket, key, version });

/** The folder that a key is in: empty, or with a slash at its end. */
export const folderOf = (key: string) => key.slice(0, key.slice(0, -1).lastIndexOf("/") + 1);

/** The last part of a key or of a folder's prefix; a name that is empty, which keys may have, shows as such. */
export const nameOf = (key: string) => key.slice(folderOf(key).length).replace(/\/$/, "") || "(no name)";
