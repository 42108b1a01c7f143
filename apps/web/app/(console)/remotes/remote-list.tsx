import { Cloud, HardDrive } from "lucide-react";
import Link from "next/link";
import { Suspense } from "react";
import { buttonClasses } from "@/components/ui/button";
import { Empty, Skeleton } from "@/components/ui/states";
import { StatusIcon } from "@/components/ui/status";
import { messageOf } from "@/lib/server/checks";
import { lookAtRemote, type Remote } from "@/lib/server/remotes";
import { folderPath } from "@/lib/storage-paths";
import { againPath } from "./paths";
import { ServeButton } from "./serve-button";

/** What is in the file of remotes, and how each stands. */
export function RemoteList({ remotes, file }: { remotes: readonly Remote[]; file: string }) {
  if (remotes.length === 0)
    return (
      <Empty title="No remotes yet">
        Sign in to a drive: it is kept in {file}, for rclone and the <code>overcoat</code> command, too.
      </Empty>
    );
  return (
    <>
      <ul className="divide-y divide-line">
        {remotes.map((remote) => (
          <RemoteItem key={remote.name} remote={remote} />
        ))}
      </ul>
      <p className="border-t border-line px-5 py-3 text-sm break-words text-soft">Kept in {file}</p>
    </>
  );
}

function RemoteItem({ remote }: { remote: Remote }) {
  const { name, description, provider, signedIn, buckets } = remote;
  const Icon = provider ? Cloud : HardDrive;
  return (
    <li className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2 px-5 py-4 text-sm">
      <div className="flex min-w-0 flex-1 basis-72 items-start gap-4">
        <Icon className="mt-0.5 size-5 shrink-0 text-soft" aria-hidden="true" />
        <div className="grid min-w-0 flex-1 gap-1">
          <h3 className="font-medium break-words">{name}</h3>
          <p className="text-soft">
            {description}
            {buckets.length > 0 && " · served as "}
            {buckets.map((bucket, i) => (
              <span key={bucket}>
                {i > 0 && ", "}
                <Link href={folderPath(bucket, "")} prefetch={false} className="text-accent underline">
                  {bucket}
                </Link>
              </span>
            ))}
          </p>
          {signedIn === false && <State status="todo">Not signed in</State>}
          {signedIn && (
            <Suspense fallback={<StateSkeleton />}>
              <Look name={name} />
            </Suspense>
          )}
        </div>
      </div>
      {provider && (
        <div className="flex flex-wrap gap-2 max-sm:pl-9">
          {signedIn && buckets.length === 0 && <ServeButton name={name} />}
          <Link href={againPath(name)} className={buttonClasses("plain")}>
            {signedIn ? "Sign in again" : "Sign in"}
            <span className="sr-only"> to {name}</span>
          </Link>
        </div>
      )}
    </li>
  );
}

/** Asks the drive. */
async function Look({ name }: { name: string }) {
  const look = await lookAtRemote(name).catch((error: unknown) => messageOf(error));
  if (typeof look === "string") return <State status="bad">{look}</State>;
  const { description, folders } = look;
  return (
    <State status="good">
      Reached: {description}, {folders === 1 ? "1 folder" : `${folders.toLocaleString("en")} folders`} at the
      top
    </State>
  );
}

function State({ status, children }: { status: "good" | "todo" | "bad"; children: React.ReactNode }) {
  const labels = { good: "Works:", todo: "To do:", bad: "Failing:" };
  return (
    <p className="flex min-h-10 items-start gap-2">
      <StatusIcon status={status} label={labels[status]} />
      <span className="min-w-0 break-words">{children}</span>
    </p>
  );
}

/** As high as what it stands for. */
function StateSkeleton() {
  return (
    <div role="status" aria-label="Asking the drive" className="flex h-10 items-start">
      <Skeleton className="mt-0.5 h-4 w-56" />
    </div>
  );
}
