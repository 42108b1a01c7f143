import { CopyButton } from "./copy-button";
import { Scroll } from "./scroll";

/** Lines to paste somewhere, with a button that copies them. `label` says what they are. */
export function Code({ text, label }: { text: string; label: string }) {
  return (
    <div className="relative min-w-0 rounded-lg border border-line bg-canvas">
      <Scroll label={label}>
        <pre className="w-max min-w-full p-4 pr-14 font-mono text-[13px] leading-5.5">
          <code>{text}</code>
        </pre>
      </Scroll>
      <div className="absolute top-1.5 right-1.5 rounded-md bg-canvas">
        <CopyButton text={text} label={`Copy ${label}`} />
      </div>
    </div>
  );
}
