import { StatusIcon } from "@/components/ui/status";
import { services } from "@/lib/server/services";

export async function Services() {
  return (
    <ul className="divide-y divide-line">
      {(await services()).map(({ name, address, milliseconds, error }) => (
        <li key={name}>
          <div className="flex h-16 items-center gap-4 px-5 text-sm">
            <StatusIcon
              status={error === undefined ? "good" : "bad"}
              label={error === undefined ? "Running" : "Down"}
            />
            <span className="grid min-w-0 flex-1">
              <span className="font-medium">{name}</span>
              <span className="truncate text-soft" title={error}>
                {error ?? address}
              </span>
            </span>
            {milliseconds !== undefined && <span className="text-soft tabular-nums">{milliseconds} ms</span>}
          </div>
        </li>
      ))}
    </ul>
  );
}
