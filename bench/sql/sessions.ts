import { createClient } from "@redis/client";

/** Small JSON documents by hexadecimal number, as a web application keeps its sessions. */
export const prefix = "session:";
export const keyOf = (number: number) => `${prefix}${number.toString(16).padStart(8, "0")}`;
const documentOf = (user: number) => JSON.stringify({ user, name: `user${user}`, active: user % 2 === 0 });

/** Writes sessions 0 to `count` into a redis-server. */
export async function fillSessions(port: number, count: number): Promise<void> {
  const client = createClient({ url: `redis://127.0.0.1:${port}` });
  await client.connect();
  for (let start = 0; start < count; start += 10_000)
    await client.mSet(
      Array.from({ length: Math.min(10_000, count - start) }, (_, index): [string, string] => [
        keyOf(start + index),
        documentOf(start + index),
      ]),
    );
  client.destroy();
}
