import { SqlError } from "@overcoat/sources";
import { parseStatements } from "../statement/parse.ts";
import type { Statement } from "../statement/statement.ts";
import type { Session, StartupParameters } from "../wire/session.ts";
import type { MessageWriter, Status } from "../wire/writer.ts";
import { Executor, type ExecutorOptions } from "./executor.ts";
import { linkSetting, parseLinkedServer, parseOptions } from "./link-options.ts";
import { done, type Outcome, writeRows } from "./result.ts";
import { Settings } from "./settings.ts";

type Values = readonly (string | null)[];

interface Prepared {
  readonly text: string;
  /** `undefined` for an empty one. */
  readonly statement: Statement | undefined;
}

interface Portal extends Prepared {
  readonly values: Values;
  /** Once it was executed, or a SELECT planned to be described. */
  outcome?: Outcome;
  written: number;
}

/** Prepared statements and portals that a session may have, and characters of all statements. */
const mostNamed = 10_000;
const mostText = 64 * 1024 * 1024;

/** @throws SqlError 22023, 0A000 for start-up parameters that cannot be met */
export function openSession(options: ExecutorOptions, startup: StartupParameters): SqlSession {
  const given = new Map([...startup, ...parseOptions(startup.get("options") ?? "")]);
  const link = given.get(linkSetting);
  const executor = new Executor(options, link === undefined ? undefined : parseLinkedServer(link));
  return new SqlSession(executor, new Settings(startup.get("user") ?? "", given));
}

/** One client's session: simple and extended queries. */
export class SqlSession implements Session {
  readonly #executor: Executor;
  readonly #settings: Settings;
  readonly #prepared = new Map<string, Prepared>();
  readonly #portals = new Map<string, Portal>();
  /** Characters of all prepared statements. */
  #text = 0;

  constructor(executor: Executor, settings: Settings) {
    this.#executor = executor;
    this.#settings = settings;
  }

  get status(): Status {
    return this.#executor.status;
  }

  get parameters() {
    return this.#settings.parameters;
  }

  get statementTimeout(): number {
    return this.#settings.statementTimeout;
  }

  query(text: string, out: MessageWriter, signal: AbortSignal): void | Promise<void> {
    this.closePortal("");
    this.#unprepare("");
    const statements = parseStatements(text);
    if (statements instanceof Promise || statements.length !== 1)
      return this.#queryAll(statements, out, signal);
    return this.#queryOne(statements[0]!, out, signal, true);
  }

  parse(name: string, text: string, out: MessageWriter): void | Promise<void> {
    const statements = parseStatements(text);
    return statements instanceof Promise
      ? statements.then((parsed) => this.#prepare(name, text, parsed, out))
      : this.#prepare(name, text, statements, out);
  }

  bind(name: string, statementName: string, values: Values, out: MessageWriter): void {
    const prepared = this.#find(statementName);
    if (name !== "" && this.#portals.has(name))
      throw new SqlError("42P03", `cursor "${name}" already exists`);
    this.closePortal(name);
    if (this.#portals.size >= mostNamed) throw tooMany("portals");
    this.#portals.set(name, { ...prepared, values, written: 0 });
    out.bare("bindComplete");
  }

  /** The types of parameters are not told: any text is taken, as PostgreSQL takes untyped literals. */
  describeStatement(name: string, out: MessageWriter, signal: AbortSignal): void | Promise<void> {
    const { text, statement } = this.#find(name);
    const count = Math.max(0, ...Array.from(text.matchAll(/\$(\d{1,5})/g), ([, number]) => Number(number)));
    out.parameterDescription(count);
    const values = Array.from({ length: count }, () => null);
    const portal: Portal = { text, statement, values, written: 0 };
    return this.#describe(portal, out, signal)?.then(() => portal.outcome?.rows?.stream.close());
  }

  describePortal(name: string, out: MessageWriter, signal: AbortSignal): void | Promise<void> {
    return this.#describe(this.#portal(name), out, signal);
  }

  execute(name: string, limit: number, out: MessageWriter, signal: AbortSignal): void | Promise<void> {
    const portal = this.#portal(name);
    const { statement, values } = portal;
    if (!statement) return out.bare("emptyQueryResponse");
    const outcome = portal.outcome ?? this.#perform(statement, values, out, signal);
    return outcome instanceof Promise
      ? outcome.then((made) => this.#write(portal, made, limit, out, signal))
      : this.#write(portal, outcome, limit, out, signal);
  }

  closeStatement(name: string, out: MessageWriter): void {
    this.#unprepare(name);
    out.bare("closeComplete");
  }

  closePortal(name: string, out?: MessageWriter): void {
    this.#portals.get(name)?.outcome?.rows?.stream.close();
    this.#portals.delete(name);
    out?.bare("closeComplete");
  }

  sync(_out: MessageWriter, signal: AbortSignal): void | Promise<void> {
    const settled = this.#executor.settle(signal);
    if (settled) return settled.then(() => this.closePortals());
    if (this.status === "I") this.closePortals();
  }

  fail(error: unknown): SqlError {
    const told = this.#executor.fail(error);
    if (this.status === "I") this.closePortals();
    return told;
  }

  closePortals(): void {
    for (const name of this.#portals.keys()) this.closePortal(name);
  }

  async close(): Promise<void> {
    this.closePortals();
    await this.#executor.close();
  }

  async #queryAll(
    parsing: readonly Statement[] | Promise<readonly Statement[]>,
    out: MessageWriter,
    signal: AbortSignal,
  ): Promise<void> {
    const statements = await parsing;
    if (statements.length === 0) out.bare("emptyQueryResponse");
    for (const [index, statement] of statements.entries())
      await this.#queryOne(statement, out, signal, index === statements.length - 1);
  }

  /** @param last Whether what it does outside of a block is then committed. */
  #queryOne(
    statement: Statement,
    out: MessageWriter,
    signal: AbortSignal,
    last: boolean,
  ): void | Promise<void> {
    const outcome = this.#perform(statement, [], out, signal);
    if (outcome instanceof Promise) return outcome.then((made) => this.#answer(made, out, signal, last));
    return this.#answer(outcome, out, signal, last);
  }

  #answer(
    { rows, tag }: Outcome,
    out: MessageWriter,
    signal: AbortSignal,
    last: boolean,
  ): void | Promise<void> {
    if (rows) out.rowDescription(rows.fields);
    const written = rows ? writeRows(rows, out, signal) : 0;
    const complete = (count: number) => {
      if (this.status === "I") this.closePortals();
      out.commandComplete(tag(count));
    };
    const finish = (count: number): void | Promise<void> => {
      const settled = last ? this.#executor.settle(signal) : undefined;
      return settled ? settled.then(() => complete(count)) : complete(count);
    };
    return written instanceof Promise ? written.then(finish) : finish(written);
  }

  #perform(
    statement: Statement,
    values: Values,
    out: MessageWriter,
    signal: AbortSignal,
  ): Outcome | Promise<Outcome> {
    if (statement.kind === "set") {
      const told = this.#settings.set(statement.name, statement.value);
      if (told) out.parameterStatus(...told);
      return done("SET");
    }
    if (statement.kind === "deallocate") {
      const names = statement.name === undefined ? [...this.#prepared.keys()] : [statement.name];
      for (const name of names) if (!this.#unprepare(name)) throw noStatement(name);
      return done(statement.name === undefined ? "DEALLOCATE ALL" : "DEALLOCATE");
    }
    return this.#executor.execute(statement, values, signal);
  }

  #prepare(name: string, text: string, statements: readonly Statement[], out: MessageWriter): void {
    if (statements.length > 1)
      throw new SqlError("42601", "cannot insert multiple commands into a prepared statement");
    if (name !== "" && this.#prepared.has(name))
      throw new SqlError("42P05", `prepared statement "${name}" already exists`);
    this.#unprepare(name);
    this.#text += text.length;
    if (this.#prepared.size >= mostNamed || this.#text > mostText) {
      this.#text -= text.length;
      throw tooMany("prepared statements");
    }
    this.#prepared.set(name, { text, statement: statements[0] });
    out.bare("parseComplete");
  }

  #unprepare(name: string): boolean {
    this.#text -= this.#prepared.get(name)?.text.length ?? 0;
    return this.#prepared.delete(name);
  }

  #find(name: string): Prepared {
    const prepared = this.#prepared.get(name);
    if (!prepared) throw noStatement(name);
    return prepared;
  }

  #portal(name: string): Portal {
    const portal = this.#portals.get(name);
    if (!portal) throw new SqlError("34000", `portal "${name}" does not exist`);
    return portal;
  }

  #describe(portal: Portal, out: MessageWriter, signal: AbortSignal): void | Promise<void> {
    const { statement, values } = portal;
    if (!statement || statement.kind === "set" || statement.kind === "deallocate") return out.bare("noData");
    if (statement.kind !== "select") {
      const fields = this.#executor.fields(statement);
      return fields ? out.rowDescription(fields) : out.bare("noData");
    }
    return Promise.resolve(this.#executor.execute(statement, values, signal)).then((outcome) => {
      portal.outcome = outcome;
      out.rowDescription(outcome.rows!.fields);
    });
  }

  #write(
    portal: Portal,
    outcome: Outcome,
    limit: number,
    out: MessageWriter,
    signal: AbortSignal,
  ): void | Promise<void> {
    portal.outcome = outcome;
    const { rows, tag } = outcome;
    if (!rows) return out.commandComplete(tag(0));
    const most = limit > 0 ? Math.min(limit, rows.limit) : rows.limit;
    const finish = (count: number) => {
      portal.written += count;
      if (limit > 0 && count === limit) out.bare("portalSuspended");
      else out.commandComplete(tag(portal.written));
    };
    const written = writeRows({ ...rows, limit: most }, out, signal);
    return written instanceof Promise ? written.then(finish) : finish(written);
  }
}

const noStatement = (name: string) => new SqlError("26000", `prepared statement "${name}" does not exist`);
const tooMany = (what: string) =>
  new SqlError("53400", `a session cannot have more ${what}`, {
    hint: "Close those that are done with.",
  });
