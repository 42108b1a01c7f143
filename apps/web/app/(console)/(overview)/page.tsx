import type { Metadata } from "next";
import { Suspense } from "react";
import { Card } from "@/components/ui/card";
import { Page } from "@/components/ui/page";
import { requireSession } from "@/lib/server/session";
import { Checklist, ChecklistSkeleton } from "./checklist";
import { Program } from "./program";
import { Services } from "./services";
import { storageSteps } from "./storage-steps";
import { tableSteps } from "./table-steps";

export const metadata: Metadata = { title: "Overview" };

export default async function OverviewPage() {
  await requireSession();
  return (
    <Page title="Overview" lead="What is set up, what is running, and what to do next.">
      <div className="grid items-start gap-6 xl:grid-cols-[minmax(0,1fr)_22rem]">
        <div className="grid gap-6">
          <Card title="Storage as S3">
            <Suspense fallback={<ChecklistSkeleton steps={4} />}>
              <Checklist steps={storageSteps} />
            </Suspense>
          </Card>
          <Card title="Services as tables">
            <Suspense fallback={<ChecklistSkeleton steps={5} />}>
              <Checklist steps={tableSteps} />
            </Suspense>
          </Card>
        </div>
        <div className="grid gap-6">
          <Card title="Running">
            <Suspense fallback={<ChecklistSkeleton steps={3} />}>
              <Services />
            </Suspense>
          </Card>
          <Suspense>
            <Program />
          </Suspense>
        </div>
      </div>
    </Page>
  );
}
