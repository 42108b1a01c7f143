export interface StoragePageProps {
  readonly params: Promise<{ bucket: string }>;
  readonly searchParams: Promise<Readonly<Record<string, string | string[] | undefined>>>;
}

/** The bucket that a page's address names. */
export const bucketOf = async (params: StoragePageProps["params"]) =>
  decodeURIComponent((await params).bucket);

/** One parameter of a page's address; empty where it is not there once. */
export async function parameterOf(
  searchParams: StoragePageProps["searchParams"],
  name: string,
): Promise<string> {
  const value = (await searchParams)[name];
  return typeof value === "string" ? value : "";
}
