import { SqlError } from "../../error.ts";
import { accepted } from "../errors.ts";
import { type Address, type ClientOptions, Node } from "./node.ts";

/**
 * Asks the Sentinels, one after the other, where the master is.
 * https://redis.io/docs/latest/develop/reference/sentinel-clients/
 * @throws SqlError 08001 when none of them answers or knows the master
 */
export async function masterAddress(
  sentinels: readonly Address[],
  name: string,
  options: ClientOptions,
): Promise<Address> {
  const failures: string[] = [];
  for (const sentinel of sentinels) {
    const node = new Node(() => sentinel, options);
    try {
      const [reply] = await node.run([["SENTINEL", "get-master-addr-by-name", name]]);
      const found = accepted("SENTINEL", reply) as [string, string] | null;
      if (found) return { host: found[0], port: Number(found[1]) };
      failures.push(`${sentinel.host}:${sentinel.port} knows no master "${name}"`);
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    } finally {
      node.close();
    }
  }
  throw new SqlError("08001", `No Sentinel tells where the master "${name}" is`, {
    detail: failures.join("; "),
    hint: "Check sentinels, master_name, sentinel_username and sentinel_password.",
  });
}
