import { z } from "zod";
import { environment } from "./environment.ts";

const status = z.object({
  remotes: z.array(
    z.object({
      name: z.string(),
      kind: z.string(),
      path: z.string(),
      /** Of the first walk through a drive, where it keeps an index. */
      sync: z.object({ isDone: z.boolean(), items: z.number() }).optional(),
    }),
  ),
  errors: z.array(z.object({ time: z.number(), part: z.string(), message: z.string() })),
});

/** What `overcoat up` tells about itself: its remotes, and its last errors, the newest first. */
export type ProgramStatus = z.infer<typeof status>;

async function ask(path: string): Promise<Response> {
  const { adminUrl } = environment();
  if (!adminUrl) throw new Error("this console was started without OVERCOAT_ADMIN_URL");
  const response = await fetch(`${adminUrl}${path}`, {
    cache: "no-store",
    signal: AbortSignal.timeout(6000),
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response;
}

export const programStatus = async (): Promise<ProgramStatus> =>
  status.parse(await (await ask("/-/status")).json());

/** Of the S3 gateway, as Prometheus takes it. */
export const gatewayMetrics = async (): Promise<string> => (await ask("/-/metrics")).text();
