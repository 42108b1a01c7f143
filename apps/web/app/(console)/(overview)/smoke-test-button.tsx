"use client";

import { useFormStatus } from "react-dom";
import { Button } from "@/components/ui/button";
import { testStorage } from "./actions";

export function SmokeTestButton() {
  return (
    <form action={testStorage}>
      <Submit />
    </form>
  );
}

function Submit() {
  const { pending } = useFormStatus();
  return (
    <Button type="submit" look="plain" disabled={pending}>
      {pending ? "Testing…" : "Run the test"}
    </Button>
  );
}
