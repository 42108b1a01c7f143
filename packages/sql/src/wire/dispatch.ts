import { SqlError } from "@overcoat/sources";
import { Fields, type Message } from "./reader.ts";
import type { Session } from "./session.ts";
import type { MessageWriter } from "./writer.ts";

const letter = (text: string) => text.charCodeAt(0);

/** Messages of a client that is signed in (PostgreSQL documentation, "Message Formats"). */
export const types = {
  query: letter("Q"),
  parse: letter("P"),
  bind: letter("B"),
  describe: letter("D"),
  execute: letter("E"),
  close: letter("C"),
  sync: letter("S"),
  flush: letter("H"),
  terminate: letter("X"),
  functionCall: letter("F"),
  copyData: letter("d"),
  copyDone: letter("c"),
  copyFail: letter("f"),
};
export const known: ReadonlySet<number> = new Set(Object.values(types));

const statementKind = letter("S");
const portalKind = letter("P");

/**
 * Reads a message of `types`, other than Terminate, and hands it to the session.
 * @returns what must be waited for before the next message
 * @throws SqlError 08P01 for a malformed one, 0A000 for what is not spoken here, and what the session throws
 */
export function dispatch(
  { type, body }: Message,
  session: Session,
  writer: MessageWriter,
  signal: AbortSignal,
): void | Promise<void> {
  const fields = new Fields(body);
  switch (type) {
    case types.query: {
      const text = fields.text();
      fields.end();
      return session.query(text, writer, signal);
    }
    case types.parse: {
      const name = fields.text();
      const text = fields.text();
      for (let left = fields.count(); left > 0; left--) fields.int32();
      fields.end();
      return session.parse(name, text, writer, signal);
    }
    case types.bind: {
      const portal = fields.text();
      const statement = fields.text();
      textOnly(fields, "a parameter");
      const values: (string | null)[] = [];
      for (let left = fields.count(); left > 0; left--) values.push(fields.value());
      textOnly(fields, "a result");
      fields.end();
      return session.bind(portal, statement, values, writer);
    }
    case types.describe: {
      const { isStatement, name } = target(fields);
      return isStatement
        ? session.describeStatement(name, writer, signal)
        : session.describePortal(name, writer, signal);
    }
    case types.execute: {
      const portal = fields.text();
      const limit = fields.int32();
      fields.end();
      return session.execute(portal, Math.max(limit, 0), writer, signal);
    }
    case types.close: {
      const { isStatement, name } = target(fields);
      return isStatement ? session.closeStatement(name, writer) : session.closePortal(name, writer);
    }
    case types.sync:
      fields.end();
      return session.sync(writer, signal);
    case types.flush:
      fields.end();
      return writer.flush();
    case types.functionCall:
      throw new SqlError("0A000", "the function call protocol is not spoken here");
    // What remains of a COPY that was refused: copyData, copyDone, copyFail.
  }
}

/** What Describe and Close are about. */
function target(fields: Fields): { isStatement: boolean; name: string } {
  const kind = fields.byte();
  const name = fields.text();
  fields.end();
  if (kind !== statementKind && kind !== portalKind)
    throw new SqlError("08P01", "invalid frontend message: neither a statement nor a portal is named");
  return { isStatement: kind === statementKind, name };
}

function textOnly(fields: Fields, what: string): void {
  for (let left = fields.count(); left > 0; left--)
    if (fields.int16() !== 0)
      throw new SqlError("0A000", `${what} in binary format is not supported`, {
        hint: "Use the text format; JDBC does with binaryTransfer=false, node-postgres with strings.",
      });
}
