"use client";

import { useEffect, useRef } from "react";
import type { TableOf } from "@/lib/server/sql/schema";

interface EditorProps {
  readonly text: string;
  readonly tables: readonly TableOf[];
  readonly onChange: (text: string) => void;
  readonly onRun: () => void;
}

/**
 * A field for SQL that completes the names of tables and columns. Until its parts are loaded, and where they are not,
 * it is a plain text field of the same size.
 */
export function Editor({ text, tables, onChange, onRun }: EditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const editor = useRef<{ setText(text: string): void; destroy(): void }>(undefined);
  const latest = useRef({ text, onChange, onRun });
  latest.current = { text, onChange, onRun };

  useEffect(() => {
    let isGone = false;
    void import("./code-mirror").then(({ openEditor }) => {
      if (isGone || !place.current) return;
      editor.current = openEditor(place.current, {
        text: latest.current.text,
        tables,
        onChange: (changed) => latest.current.onChange(changed),
        onRun: () => latest.current.onRun(),
      });
      if (field.current) field.current.hidden = true;
    });
    return () => {
      isGone = true;
      editor.current?.destroy();
      editor.current = undefined;
      if (field.current) field.current.hidden = false;
    };
  }, [tables]);

  useEffect(() => editor.current?.setText(text), [text]);

  return (
    <div ref={place} className="h-56 overflow-hidden rounded-t-xl">
      <textarea
        ref={field}
        aria-label="SQL"
        value={text}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => (event.ctrlKey || event.metaKey) && event.key === "Enter" && onRun()}
        spellCheck={false}
        className="size-full resize-none bg-transparent py-3 pr-4 pl-4 font-mono text-sm leading-6"
      />
    </div>
  );
}
