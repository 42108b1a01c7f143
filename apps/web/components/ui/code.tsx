import { CopyButton } from "./copy-button";
import { Scroll } from "./scroll";

/** Lines to paste somewhere, with a button that copies them. `label` says what they are. */
export function Code({ text, label }: { text: string; label: string }) {
  return (
    <div className="flex min-w-0 items-start rounded-lg border border-line bg-canvas">
      <Scroll label={label} className="min-w-0 flex-1">
        <pre className="w-max min-w-full p-4 font-mono text-[13px] leading-5.5">
          <code>{text}</code>
        </pre>
      </Scroll>
      <div className="p-1.5">
        <CopyButton text={text} label={`Copy ${label}`} />
      </div>
    </div>
  );
}
