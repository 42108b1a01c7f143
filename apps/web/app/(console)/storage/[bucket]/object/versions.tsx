import { Suspense } from "react";
import { buttonClasses } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Table, Td, Th } from "@/components/ui/table";
import { formatBytes, formatTime } from "@/lib/format";
import type { Place } from "@/lib/server/storage/urls";
import { versionsOf } from "@/lib/server/storage/versions";
import { contentPath } from "@/lib/storage-paths";
import { RestoreButton } from "./restore-button";

/** The earlier contents of an object, where its remote keeps some. */
export const VersionsCard = ({ place }: { place: Place }) => (
  <Suspense>
    <Versions place={place} />
  </Suspense>
);

async function Versions({ place: { bucket, key } }: { place: Place }) {
  const versions = await versionsOf({ bucket, key }).catch(() => []);
  if (versions.length === 0) return null;
  return (
    <Card title="Versions">
      <Table label="Versions">
        <thead>
          <tr>
            <Th>Changed</Th>
            <Th className="text-right">Size</Th>
            <Th>
              <span className="sr-only">What may be done with it</span>
            </Th>
          </tr>
        </thead>
        <tbody>
          {versions.map(({ id, isLatest, size, modified }) => (
            <tr key={id}>
              <Td className="whitespace-nowrap">{modified && formatTime(modified)}</Td>
              <Td className="text-right whitespace-nowrap tabular-nums">{formatBytes(size)}</Td>
              <Td className="py-1.5">
                {isLatest ? (
                  <span className="text-soft">The present one</span>
                ) : (
                  <div className="flex flex-wrap gap-2">
                    <a href={contentPath("save", bucket, key, id)} className={buttonClasses("plain")}>
                      Download
                    </a>
                    <RestoreButton bucket={bucket} objectKey={key} version={id} />
                  </div>
                )}
              </Td>
            </tr>
          ))}
        </tbody>
      </Table>
    </Card>
  );
}
