import type { Metadata } from "next";
import { Page } from "@/components/ui/page";
import { activity } from "@/lib/server/activity/history";
import { requireSession } from "@/lib/server/session";
import { Plots } from "./plots";

export const metadata: Metadata = { title: "Activity" };

export default async function ActivityPage() {
  await requireSession();
  return (
    <Page
      title="Activity"
      lead="What the S3 gateway and its drives did in the last hour, since the console started."
    >
      <Plots first={activity(0)} now={Date.now()} />
    </Page>
  );
}
