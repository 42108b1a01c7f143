import { Card } from "@/components/ui/card";
import { Empty, Failure } from "@/components/ui/states";
import { programStatus } from "@/lib/server/admin";
import { messageOf } from "@/lib/server/checks";

export async function RecentErrors() {
  const status = await programStatus().catch((error: unknown) => messageOf(error));
  return (
    <Card title="Recent errors">
      {typeof status === "string" ? (
        <div className="p-5">
          <Failure title="The program does not answer">{status}</Failure>
        </div>
      ) : status.errors.length === 0 ? (
        <Empty title="None since the start" />
      ) : (
        <ol className="divide-y divide-line">
          {status.errors.slice(0, 8).map(({ time, part, message }, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the list is never changed in place.
            <li key={i} className="grid gap-0.5 px-5 py-3 text-sm">
              <span className="text-soft">
                <time dateTime={new Date(time).toISOString()}>
                  {new Date(time).toLocaleTimeString("en-GB")}
                </time>{" "}
                · {part}
              </span>
              <span className="break-words">{message}</span>
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
}
