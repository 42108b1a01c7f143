import { autocompletion, closeBrackets, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { PostgreSQL, sql } from "@codemirror/lang-sql";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorState, Prec } from "@codemirror/state";
import { drawSelection, EditorView, highlightSpecialChars, keymap } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import type { TableOf } from "@/lib/server/sql/schema";

const look = EditorView.theme({
  "&": { height: "100%", fontSize: "14px" },
  "&.cm-focused": {
    outline: "2px solid var(--accent)",
    outlineOffset: "-2px",
    borderRadius: "0.7rem 0.7rem 0 0",
  },
  ".cm-scroller": { fontFamily: "var(--font-geist-mono), monospace", lineHeight: "24px" },
  ".cm-content": { padding: "12px 0", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0 16px" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "var(--accent-soft)",
  },
  ".cm-tooltip": {
    background: "var(--surface)",
    color: "var(--ink)",
    border: "1px solid var(--line)",
    borderRadius: "0.5rem",
    overflow: "hidden",
  },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--accent-soft)", color: "var(--ink)" },
  ".cm-completionDetail": { color: "var(--soft)" },
});

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--accent)", fontWeight: "500" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--warn)" },
  { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
]);

export interface EditorOptions {
  readonly text: string;
  readonly tables: readonly TableOf[];
  readonly onChange: (text: string) => void;
  readonly onRun: () => void;
}

/** Opens an editor in an element; Ctrl-Enter or Cmd-Enter runs. Tab leaves it, as any field. */
export function openEditor(parent: HTMLElement, { text, tables, onChange, onRun }: EditorOptions) {
  const run = () => {
    onRun();
    return true;
  };
  // Its styles need the nonce of the page that was loaded, which scripts can read.
  const nonce = document.querySelector<HTMLScriptElement>("script[nonce]")?.nonce ?? "";
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        EditorView.cspNonce.of(nonce),
        Prec.highest(keymap.of([{ key: "Mod-Enter", run }])),
        keymap.of([...completionKeymap, ...historyKeymap, ...defaultKeymap]),
        history(),
        drawSelection(),
        highlightSpecialChars(),
        bracketMatching(),
        closeBrackets(),
        autocompletion(),
        sql({
          dialect: PostgreSQL,
          schema: schemaOf(tables),
          defaultSchema: "public",
          upperCaseKeywords: true,
        }),
        syntaxHighlighting(colours),
        look,
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": "SQL" }),
        EditorView.updateListener.of(({ docChanged, state }) => docChanged && onChange(state.doc.toString())),
      ],
    }),
  });
  return {
    /** Takes a text that comes from elsewhere. */
    setText(changed: string) {
      const { doc } = view.state;
      if (doc.toString() !== changed)
        view.dispatch({ changes: { from: 0, to: doc.length, insert: changed } });
    },
    destroy: () => view.destroy(),
  };
}

function schemaOf(tables: readonly TableOf[]) {
  const schemas: Record<string, Record<string, { label: string; detail: string; type: string }[]>> = {};
  for (const { schema, name, columns } of tables) {
    schemas[schema] ??= {};
    schemas[schema][name] = columns.map((column) => ({
      label: column.name,
      detail: column.type,
      type: "property",
    }));
  }
  return schemas;
}
