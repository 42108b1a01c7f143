import type { Metadata } from "next";
import { headers } from "next/headers";
import { Card } from "@/components/ui/card";
import { Page } from "@/components/ui/page";
import { Failure } from "@/components/ui/states";
import { messageOf } from "@/lib/server/checks";
import { environment } from "@/lib/server/environment";
import { consoleOrigin } from "@/lib/server/origin";
import { listRemotes } from "@/lib/server/remotes";
import { requireSession } from "@/lib/server/session";
import { Outcome } from "./outcome";
import { callbackPath, signInId } from "./paths";
import { RemoteList } from "./remote-list";
import { SignInForm } from "./sign-in-form";

export const metadata: Metadata = { title: "Remotes" };

interface Parameters {
  /** A sign-in has ended. */
  readonly ended?: string;
  /** The remote to sign in to again. */
  readonly again?: string;
}

export default async function RemotesPage({ searchParams }: { searchParams: Promise<Parameters> }) {
  await requireSession();
  const { ended, again } = await searchParams;
  const lead = "Sign in to OneDrive, Google Drive or Dropbox: each is served as a bucket of its name.";
  const list = await listRemotes().catch((error: unknown) => messageOf(error));
  if (typeof list === "string")
    return (
      <Page title="Remotes" lead={lead}>
        <Failure title="The remotes cannot be read">{list}</Failure>
      </Page>
    );
  const { file, providers, remotes } = list;
  const remote = remotes.find(({ name, provider }) => name === again && provider !== undefined);
  const origin = consoleOrigin(await headers(), environment().url);
  return (
    <Page title="Remotes" lead={lead}>
      {ended !== undefined && <Outcome />}
      <div className="grid items-start gap-6 xl:grid-cols-[minmax(0,1fr)_26rem]">
        <Card title="Remotes">
          <RemoteList remotes={remotes} file={file} />
        </Card>
        <div id={signInId} className="scroll-mt-20">
          <Card title={remote ? `Sign in again: ${remote.name}` : "Add a remote"}>
            <SignInForm
              key={remote?.name}
              providers={providers}
              taken={remotes.map(({ name }) => name)}
              remote={remote}
              redirect={origin + callbackPath}
            />
          </Card>
        </div>
      </div>
    </Page>
  );
}
