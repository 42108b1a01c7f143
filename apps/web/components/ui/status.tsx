import { Circle, CircleCheck, CircleX } from "lucide-react";

export type Status = "good" | "todo" | "bad";

const icons = {
  good: { Icon: CircleCheck, color: "text-good", text: "Done" },
  todo: { Icon: Circle, color: "text-edge", text: "To do" },
  bad: { Icon: CircleX, color: "text-bad", text: "Failing" },
} as const;

/** An icon with a meaning; `label` says it in words of the place. */
export function StatusIcon({ status, label }: { status: Status; label?: string }) {
  const { Icon, color, text } = icons[status];
  return (
    <span className={`inline-flex ${color}`}>
      <Icon className="size-5" aria-hidden="true" />
      <span className="sr-only">{label ?? text}</span>
    </span>
  );
}
