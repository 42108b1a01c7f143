"use client";

import { Button } from "@/components/ui/button";
import { Page } from "@/components/ui/page";
import { Failure } from "@/components/ui/states";

/** What a page shows that could not be made. The server's log says why. */
export default function ConsoleError({
  error,
  reset,
}: {
  error: Error & { digest?: string };
  reset: () => void;
}) {
  return (
    <Page title="Something went wrong">
      <Failure title="This page could not be made" action={<Button onClick={reset}>Try again</Button>}>
        {`See whether Overcoat still runs; its terminal says what happened${error.digest ? ` (${error.digest})` : ""}.`}
      </Failure>
    </Page>
  );
}
