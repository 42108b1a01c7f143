"use client";

import { useActionState, useEffect, useState } from "react";
import { Button } from "@/components/ui/button";
import { Code } from "@/components/ui/code";
import { Field, Input, Select } from "@/components/ui/field";
import { Failure } from "@/components/ui/states";
import type { Provider, Remote } from "@/lib/server/remotes";
import { beginSignIn, type StartState } from "./actions";

/** Leads to a provider's own page to sign in there: to a new remote, or to `remote` again. */
export function SignInForm({
  providers,
  taken,
  remote,
  redirect,
}: {
  providers: readonly Provider[];
  /** Names of remotes that there are. */
  taken: readonly string[];
  remote: Remote | undefined;
  /** Where the provider sends the browser back to. */
  redirect: string;
}) {
  const [state, action, isPending] = useActionState<StartState, FormData>(beginSignIn, {});
  const [command, setCommand] = useState(remote?.provider ?? providers[0]!.command);
  const [name, setName] = useState(remote?.name);
  const [clientId, setClientId] = useState("");
  const { address } = state;
  useEffect(() => {
    if (address !== undefined) window.location.assign(address);
  }, [address]);
  const { title, needsSecret } = providers.find((one) => one.command === command)!;
  const hasClient = remote?.hasClient ?? false;
  const leaves = isPending || address !== undefined;
  return (
    <form action={action} className="grid gap-4 p-5">
      {state.error && <Failure title="That did not work">{state.error}</Failure>}
      {remote ? (
        <>
          <input type="hidden" name="provider" value={command} />
          <input type="hidden" name="name" value={remote.name} />
          <input type="hidden" name="again" value="yes" />
        </>
      ) : (
        <>
          <Field label="Provider">
            <Select name="provider" value={command} onChange={(event) => setCommand(event.target.value)}>
              {providers.map((one) => (
                <option key={one.command} value={one.command}>
                  {one.title}
                </option>
              ))}
            </Select>
          </Field>
          <Field label="Name of the remote and its bucket">
            <Input
              name="name"
              value={name ?? freeName(command, taken)}
              onChange={(event) => setName(event.target.value)}
              required
              minLength={3}
              maxLength={63}
              spellCheck={false}
            />
          </Field>
        </>
      )}
      <Field label={hasClient ? "Client id (empty for the one it has)" : "Client id of your own"}>
        <Input
          name="clientId"
          value={clientId}
          onChange={(event) => setClientId(event.target.value)}
          required={!hasClient}
          maxLength={1000}
          autoComplete="off"
          spellCheck={false}
        />
      </Field>
      <Field label={`Client secret${secretNote(hasClient, needsSecret)}`}>
        <Input
          name="clientSecret"
          type="password"
          required={needsSecret && !hasClient}
          maxLength={1000}
          autoComplete="off"
        />
      </Field>
      <div className="grid gap-2 text-sm text-soft">
        <p>
          The guide <code className="font-mono">docs/{command}.md</code> tells how to register a client. This
          is the redirect URI to give it:
        </p>
        <Code text={redirect} label="redirect URI" />
        <RedirectNote command={command} redirect={redirect} />
      </div>
      <Button type="submit" disabled={leaves}>
        {leaves ? `Going to ${title}…` : `Continue to ${title}`}
      </Button>
    </form>
  );
}

/** `onedrive`, or `onedrive-2` and so on where that is taken. */
function freeName(command: string, taken: readonly string[]): string {
  for (let i = 1; ; i++) {
    const name = i === 1 ? command : `${command}-${i}`;
    if (!taken.includes(name)) return name;
  }
}

function secretNote(hasClient: boolean, needsSecret: boolean): string {
  if (hasClient) return " (empty for the one it has)";
  return needsSecret ? "" : " (empty for a public client)";
}

/** Microsoft lets an address with http be one of `localhost` only. */
function RedirectNote({ command, redirect }: { command: string; redirect: string }) {
  const url = new URL(redirect);
  if (command !== "onedrive" || url.protocol === "https:" || url.hostname === "localhost") return null;
  url.hostname = "localhost";
  return (
    <p>
      Microsoft takes http addresses of localhost only: open the console at{" "}
      <a href={`${url.origin}/remotes`} className="text-accent underline">
        {url.origin}
      </a>{" "}
      for that.
    </p>
  );
}
