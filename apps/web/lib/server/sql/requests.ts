import { withConnection } from "./connection.ts";

/** One request that answering a query takes, in the words of the service. */
export interface ServiceRequest {
  readonly server: string;
  readonly request: string;
}

/** What services are asked for a query, by `overcoat.explain`; undefined for what cannot be explained. */
export async function requestsOf(
  text: string,
  signal: AbortSignal,
): Promise<readonly ServiceRequest[] | undefined> {
  try {
    return await withConnection("reader", signal, async (client) => {
      // It makes a temporary table, which goes at the end.
      await client.query("BEGIN READ WRITE");
      const statement = text.replace(/[\s;]+$/, "");
      const explained = "SELECT server, request FROM overcoat.explain($1)";
      return (await client.query<ServiceRequest>(explained, [statement])).rows;
    });
  } catch {
    return undefined;
  }
}
