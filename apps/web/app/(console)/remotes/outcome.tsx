import { CircleCheck } from "lucide-react";
import Link from "next/link";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Failure } from "@/components/ui/states";
import { type SignIn, signInOf } from "@/lib/server/remotes";
import { keptSignInState } from "@/lib/server/sign-in-cookie";
import { folderPath } from "@/lib/storage-paths";
import { takeDrive } from "./actions";

/** What became of the sign-in that this browser began. */
export async function Outcome() {
  const state = await keptSignInState();
  const signIn = state === undefined ? undefined : await signInOf(state).catch(() => undefined);
  if (!signIn || signIn.standing.state === "waiting")
    return (
      <Failure title="The sign-in did not end">
        It was not begun in this browser, or it took longer than 15 minutes. Begin it anew.
      </Failure>
    );
  const { name, title, standing } = signIn;
  switch (standing.state) {
    case "failed":
      return <Failure title={`The sign-in to ${title} did not succeed`}>{standing.message}</Failure>;
    case "choosing":
      return <Choice drives={standing.drives} name={name} />;
    case "done":
      return <Done name={name} title={title} {...standing} />;
  }
}

function Done({
  name,
  title,
  bucket,
  advice,
}: {
  name: string;
  title: string;
  bucket?: string;
  advice?: string;
}) {
  return (
    <div role="status" className="flex gap-3 rounded-lg border border-line bg-surface px-4 py-3 text-sm">
      <CircleCheck className="mt-0.5 size-4.5 shrink-0 text-good" aria-hidden="true" />
      <div className="grid min-w-0 gap-1">
        <p className="font-medium">
          You are signed in to {title}: the remote is {name}:
        </p>
        {bucket !== undefined && (
          <p className="text-soft">
            It is served as the bucket{" "}
            <Link href={folderPath(bucket, "")} prefetch={false} className="text-accent underline">
              {bucket}
            </Link>
            .
          </p>
        )}
        {advice !== undefined && <p className="break-words">{advice}</p>}
      </div>
    </div>
  );
}

type Drives = Extract<SignIn["standing"], { state: "choosing" }>["drives"];

function Choice({ name, drives }: { name: string; drives: Drives }) {
  return (
    <Card title={`Which drive is ${name}: to be?`}>
      <ul className="divide-y divide-line">
        {drives.map((drive) => (
          <li key={drive.id}>
            <form action={takeDrive} className="flex items-center justify-between gap-4 px-5 py-3 text-sm">
              <input type="hidden" name="drive" value={drive.id} />
              <span className="min-w-0 break-words">{drive.name}</span>
              <Button type="submit" look="plain" aria-label={`Take ${drive.name}`}>
                Take it
              </Button>
            </form>
          </li>
        ))}
      </ul>
    </Card>
  );
}
