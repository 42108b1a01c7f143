import type { ReactNode } from "react";
import { Failure } from "@/components/ui/states";
import { messageOf } from "@/lib/server/checks";

/** Shows what the gateway answers, or why it does not. */
export async function answered<T>(
  failure: string,
  ask: () => Promise<T>,
  show: (answer: T) => ReactNode,
): Promise<ReactNode> {
  let answer: T;
  try {
    answer = await ask();
  } catch (error) {
    return (
      <div className="p-5">
        <Failure title={failure}>{`${messageOf(error)}\nSee on the overview what is running.`}</Failure>
      </div>
    );
  }
  return show(answer);
}
