import { ChevronDown } from "lucide-react";
import Link from "next/link";
import { buttonClasses } from "@/components/ui/button";
import { Code } from "@/components/ui/code";
import { Skeleton } from "@/components/ui/states";
import { StatusIcon } from "@/components/ui/status";
import { SmokeTestButton } from "./smoke-test-button";
import type { Step } from "./step";

/** Steps with what their checks found; one that is not done opens to say what to do next. */
export async function Checklist({ steps }: { steps: () => Promise<Step[]> }) {
  return (
    <ol className="divide-y divide-line">
      {(await steps()).map((step) => (
        <li key={step.title}>
          <details className="group" name="steps">
            <summary className="flex h-16 list-none items-center gap-4 px-5 [&::-webkit-details-marker]:hidden hover:bg-raised">
              <StatusIcon status={step.status} />
              <span className="grid min-w-0 flex-1">
                <span className="truncate text-sm font-medium">{step.title}</span>
                <span className="truncate text-sm text-soft">{step.found}</span>
              </span>
              <ChevronDown
                className="size-4 shrink-0 text-soft transition-transform group-open:rotate-180"
                aria-hidden="true"
              />
            </summary>
            <div className="grid gap-3 px-5 pt-1 pb-5 text-sm sm:pl-14">
              <p className="text-soft">{step.how}</p>
              {step.status !== "good" && (
                <>
                  <p className="break-words whitespace-pre-wrap">{step.found}</p>
                  <p>{step.advice}</p>
                  {step.sql && (
                    <>
                      <Code text={step.sql} label={`SQL: ${step.title}`} />
                      <Link
                        href={`/sql?text=${encodeURIComponent(step.sql)}`}
                        className={`${buttonClasses("plain")} justify-self-start`}
                      >
                        Open on the SQL page
                      </Link>
                    </>
                  )}
                </>
              )}
              {step.title === "Grant applications access" && <SmokeTestButton />}
            </div>
          </details>
        </li>
      ))}
    </ol>
  );
}

/** As high as the list will be. */
export function ChecklistSkeleton({ steps }: { steps: number }) {
  return (
    <div className="divide-y divide-line" role="status" aria-label="Checking">
      {Array.from({ length: steps }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike.
        <div key={i}>
          <div className="flex h-16 items-center gap-4 px-5">
            <Skeleton className="size-5 rounded-full" />
            <Skeleton className="h-4 w-48" />
          </div>
        </div>
      ))}
    </div>
  );
}
