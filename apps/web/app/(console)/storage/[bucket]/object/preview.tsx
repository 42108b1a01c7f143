import { Suspense } from "react";
import { Card } from "@/components/ui/card";
import { Scroll } from "@/components/ui/scroll";
import { Skeleton } from "@/components/ui/states";
import { Td, Th } from "@/components/ui/table";
import type { ObjectDescription } from "@/lib/server/storage/object";
import { type Preview, previewOf } from "@/lib/server/storage/preview";
import { contentPath, nameOf } from "@/lib/storage-paths";

interface Previewed {
  readonly bucket: string;
  readonly object: ObjectDescription;
}

/** What an object looks like, in a box of one height: nothing moves when it comes. */
export function PreviewCard(previewed: Previewed) {
  return (
    <Card title="Preview">
      <Suspense
        fallback={
          <div role="status" aria-label="Loading" className="h-104 p-5">
            <Skeleton className="h-full" />
          </div>
        }
      >
        <Content {...previewed} />
      </Suspense>
    </Card>
  );
}

async function Content({ bucket, object }: Previewed) {
  const preview = await previewOf(bucket, object);
  if (preview.kind === "none")
    return <p className="grid h-104 place-items-center p-5 text-center text-sm text-soft">{preview.why}</p>;
  if (preview.kind === "image")
    return (
      // biome-ignore lint/performance/noImgElement: it comes from the gateway as it is.
      <img
        src={contentPath("show", bucket, object.key)}
        alt={`What ${nameOf(object.key)} shows`}
        className="h-104 w-full object-contain p-5"
      />
    );
  return (
    <>
      <Scroll label="Preview" className="h-94 overflow-y-auto">
        {preview.kind === "table" ? (
          <Rows {...preview} />
        ) : (
          <pre className="w-max min-w-full p-5 font-mono text-[13px] leading-5.5">{preview.text}</pre>
        )}
      </Scroll>
      <p className="flex h-10 items-center border-t border-line px-5 text-sm text-soft">
        {`This is ${preview.extent}.`}
      </p>
    </>
  );
}

function Rows({ columns, rows }: Extract<Preview, { kind: "table" }>) {
  return (
    <table className="w-full border-collapse text-sm">
      <thead>
        <tr>
          {columns.map((name, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: columns may have one name, and never change places.
            <Th key={i} className="sticky top-0 bg-surface">
              {name}
            </Th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other name.
          <tr key={i}>
            {columns.map((_, j) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: as above.
              <Td key={j} className="h-9 max-w-80 truncate font-mono text-[13px]">
                {row[j]}
              </Td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
