import { Skeleton } from "@/components/ui/states";

export default function Loading() {
  return (
    <div
      className="mx-auto grid max-w-6xl gap-6 px-4 py-6 sm:px-8 sm:py-10"
      role="status"
      aria-label="Loading"
    >
      <Skeleton className="h-8 w-48" />
      <Skeleton className="h-64" />
    </div>
  );
}
