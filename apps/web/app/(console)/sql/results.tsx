import { Empty } from "@/components/ui/states";
import { Table, Td, Th } from "@/components/ui/table";
import type { Answer } from "@/lib/server/sql/run";

/** Numbers stand to the right: int8, int2, int4, float4, float8, numeric. */
const numeric = new Set([20, 21, 23, 700, 701, 1700]);

export function Results({ answer: { columns, rows } }: { answer: Answer }) {
  if (columns.length === 0) return <Empty title="Done">There are no rows to show.</Empty>;
  if (rows.length === 0) return <Empty title="No rows" />;
  const align = (type: number) => (numeric.has(type) ? "text-right tabular-nums" : "");
  return (
    <div className="max-h-[32rem] overflow-y-auto">
      <Table label="Results">
        <thead>
          <tr>
            {columns.map(({ name, type }, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: columns may share a name.
              <Th key={i} className={align(type)}>
                {name}
              </Th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, r) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows have nothing else that is theirs.
            <tr key={r}>
              {row.map((cell, i) => (
                <Td
                  // biome-ignore lint/suspicious/noArrayIndexKey: as for the columns.
                  key={i}
                  title={cell ?? undefined}
                  className={`max-w-96 truncate font-mono text-[13px] ${align(columns[i]!.type)}`}
                >
                  {cell === null ? <span className="text-soft italic">NULL</span> : cell}
                </Td>
              ))}
            </tr>
          ))}
        </tbody>
      </Table>
    </div>
  );
}
