import { readFile } from "node:fs/promises";
import { z } from "zod";
import { environment } from "./environment.ts";

const schema = z.object({
  s3: z.object({
    endpoint: z.url(),
    accessKeyId: z.string(),
    secretAccessKey: z.string(),
    region: z.string(),
  }),
  postgres: z.object({ url: z.string() }),
});

/** Where all parts are, with their secrets: never to be handed to components that run in browsers. */
export type Connections = z.infer<typeof schema>;

/** Reads `connection.json` anew: parts may have moved since. @throws Error when it is not there */
export async function connections(): Promise<Connections> {
  return schema.parse(JSON.parse(await readFile(environment().connectionFile, "utf8")));
}

/** The S3 endpoint, if it is known: browsers load and store files there. */
export async function s3Origin(): Promise<string | undefined> {
  try {
    return new URL((await connections()).s3.endpoint).origin;
  } catch {
    return undefined;
  }
}
