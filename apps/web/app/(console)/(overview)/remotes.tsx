import { HardDrive } from "lucide-react";
import { Card } from "@/components/ui/card";
import type { ProgramStatus } from "@/lib/server/admin";

/** What is served as S3, and how far its index is. */
export function Remotes({ remotes }: Pick<ProgramStatus, "remotes">) {
  return (
    <Card title="Remotes">
      <ul className="divide-y divide-line">
        {remotes.map(({ name, kind, path, sync }) => (
          <li key={name} className="flex min-h-16 items-center gap-4 px-5 py-2 text-sm">
            <HardDrive className="size-5 shrink-0 text-soft" aria-hidden="true" />
            <span className="grid min-w-0 flex-1">
              <span className="font-medium">{name}</span>
              <span className="truncate text-soft" title={path}>
                {sync && !sync.isDone
                  ? `Reading the index: ${sync.items.toLocaleString("en")} items so far`
                  : `${kind} · ${path}`}
              </span>
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
