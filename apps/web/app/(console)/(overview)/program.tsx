import { Failure } from "@/components/ui/states";
import { programStatus } from "@/lib/server/admin";
import { messageOf } from "@/lib/server/checks";
import { RecentErrors } from "./recent-errors";
import { Remotes } from "./remotes";

/** What the program tells about itself, at once, so that nothing moves when it comes. */
export async function Program() {
  const status = await programStatus().catch((error: unknown) => messageOf(error));
  if (typeof status === "string") return <Failure title="The program does not answer">{status}</Failure>;
  return (
    <>
      <Remotes remotes={status.remotes} />
      <RecentErrors errors={status.errors} />
    </>
  );
}
