import { Card } from "@/components/ui/card";
import { Empty } from "@/components/ui/states";
import type { TableOf } from "@/lib/server/sql/schema";

/** The tables there are, with their columns. */
export function Tables({
  tables,
  onChoose,
}: {
  tables: readonly TableOf[];
  onChoose: (name: string) => void;
}) {
  return (
    <Card title="Tables">
      {tables.length === 0 ? (
        <Empty title="None yet">The overview says how services become tables.</Empty>
      ) : (
        <ul className="grid max-h-[32rem] gap-4 overflow-y-auto p-5 text-sm">
          {tables.map((table) => {
            const name = sqlName(table);
            return (
              <li key={name} className="grid gap-1">
                <button
                  type="button"
                  onClick={() => onChoose(name)}
                  className="w-fit max-w-full truncate rounded font-mono text-[13px] font-medium text-accent hover:underline"
                >
                  {name}
                </button>
                <ul className="grid gap-0.5 pl-3 text-soft">
                  {table.columns.map((column) => (
                    <li key={column.name} className="flex justify-between gap-3 font-mono text-xs">
                      <span className="truncate">{column.name}</span>
                      <span className="truncate">{column.type}</span>
                    </li>
                  ))}
                </ul>
              </li>
            );
          })}
        </ul>
      )}
    </Card>
  );
}

const quoted = (name: string) => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`);

const sqlName = ({ schema, name }: TableOf) =>
  schema === "public" ? quoted(name) : `${quoted(schema)}.${quoted(name)}`;
