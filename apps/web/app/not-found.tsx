import Link from "next/link";
import { buttonClasses } from "@/components/ui/button";
import { Empty } from "@/components/ui/states";

export default function NotFound() {
  return (
    <main className="grid min-h-dvh place-items-center">
      <Empty
        title="There is no such page"
        action={
          <Link href="/" className={buttonClasses("plain")}>
            Go to the overview
          </Link>
        }
      />
    </main>
  );
}
