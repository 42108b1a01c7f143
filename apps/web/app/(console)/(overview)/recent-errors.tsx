import { Card } from "@/components/ui/card";
import { Empty } from "@/components/ui/states";
import type { ProgramStatus } from "@/lib/server/admin";

export function RecentErrors({ errors }: Pick<ProgramStatus, "errors">) {
  return (
    <Card title="Recent errors">
      {errors.length === 0 ? (
        <Empty title="None since the start" />
      ) : (
        <ol className="divide-y divide-line">
          {errors.slice(0, 8).map(({ time, part, message }, i) => (
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
