"use client";

import { useActionState } from "react";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import { type SignInState, signIn } from "./actions";

export function SignInForm({ to }: { to: string }) {
  const [state, action, isPending] = useActionState<SignInState, FormData>(signIn, {});
  return (
    <form action={action} className="grid gap-4">
      <input type="hidden" name="to" value={to} />
      <Field label="Password" error={state.error}>
        <Input
          name="password"
          type="password"
          autoComplete="current-password"
          required
          maxLength={200}
          autoFocus
        />
      </Field>
      <Button type="submit" disabled={isPending}>
        {isPending ? "Signing in…" : "Sign in"}
      </Button>
    </form>
  );
}
