import { type Account, folderType, type Item } from "./account.ts";
import { invalid } from "./errors.ts";
import type { Viewer } from "./tokens.ts";

/** A search in the query language of `files.list`. */
export interface Query {
  matches(item: Item): boolean;
  /** The folders in whose children alone there can be matches; undefined where anywhere. */
  readonly parents: readonly string[] | undefined;
  /** Whether it asks for a name, which the search index learns of late. */
  readonly byName: boolean;
}

type Test = (item: Item) => boolean;

interface Term {
  readonly test: Test;
  readonly parents?: readonly string[];
}

const token = /\s*(?:('(?:[^'\\]|\\.)*')|([A-Za-z]\w*)|(<=|>=|!=|[=<>(){}])|(\S))/gy;

/** @throws DriveApiError 400 for what the language does not have */
export function parseQuery(text: string, account: Account, viewer: Viewer): Query {
  const tokens: string[] = [];
  token.lastIndex = 0;
  for (const match of text.trimEnd().matchAll(token)) {
    if (match[4] !== undefined) throw invalid("Invalid Value", "q");
    tokens.push(match[0].trim());
  }
  let at = 0;
  let byName = false;
  const refuse = () => invalid("Invalid Value", "q");
  const take = (expected?: string): string => {
    const next = tokens[at];
    if (next === undefined || (expected !== undefined && next !== expected)) throw refuse();
    at += 1;
    return next;
  };
  const stringOf = (word: string): string => {
    if (!word.startsWith("'")) throw refuse();
    return word.slice(1, -1).replace(/\\(.)/g, "$1");
  };

  const either = (): Term => {
    const terms = [both()];
    while (tokens[at] === "or") {
      at += 1;
      terms.push(both());
    }
    if (terms.length === 1) return terms[0]!;
    const narrow = terms.every(({ parents }) => parents);
    return {
      test: (item) => terms.some(({ test }) => test(item)),
      ...(narrow && { parents: terms.flatMap(({ parents }) => parents!) }),
    };
  };
  const both = (): Term => {
    const terms = [negated()];
    while (tokens[at] === "and") {
      at += 1;
      terms.push(negated());
    }
    return {
      test: (item) => terms.every(({ test }) => test(item)),
      parents: terms.find(({ parents }) => parents)?.parents,
    };
  };
  const negated = (): Term => {
    if (tokens[at] !== "not") return single();
    at += 1;
    const { test } = negated();
    return { test: (item) => !test(item) };
  };
  const single = (): Term => {
    if (tokens[at] === "(") {
      at += 1;
      const term = either();
      take(")");
      return term;
    }
    const first = take();
    return first.startsWith("'") ? membership(stringOf(first)) : comparison(first);
  };
  const membership = (id: string): Term => {
    take("in");
    const collection = take();
    if (collection === "parents") {
      const folder = id === "root" ? account.myDrive.tree.root.id : id;
      return { test: ({ parent }) => parent?.id === folder, parents: [folder] };
    }
    if (!["owners", "writers", "readers"].includes(collection)) throw refuse();
    return { test: () => id === "me" };
  };
  const comparison = (field: string): Term => {
    const operator = take();
    if (operator === "has") return { test: property(field) };
    const word = take();
    const flag = flags[field];
    if (flag) {
      if (!/^(true|false)$/.test(word) || !/^!?=$/.test(operator)) throw refuse();
      const wanted = (word === "true") === (operator === "=");
      return { test: (item) => flag(item, account) === wanted };
    }
    const value = stringOf(word);
    if (field === "name") {
      byName = true;
      return { test: nameTest(operator, value, refuse) };
    }
    if (field === "mimeType") return { test: typeTest(operator, value, refuse) };
    const time = times[field];
    if (!time) throw refuse();
    const moment = Date.parse(/Z|[+-]\d\d:?\d\d$/.test(value) ? value : `${value}Z`);
    const compare = comparisons[operator];
    if (Number.isNaN(moment) || !compare) throw refuse();
    return { test: (item) => compare(time(item), moment) };
  };
  const property = (field: string): Test => {
    take("{");
    take("key");
    take("=");
    const key = stringOf(take());
    take("and");
    take("value");
    take("=");
    const value = stringOf(take());
    take("}");
    if (field === "properties") return ({ data }) => data.properties.get(key) === value;
    if (field === "appProperties")
      return ({ data }) => data.appProperties.get(viewer.clientId)?.get(key) === value;
    throw refuse();
  };

  const { test, parents } = either();
  if (at !== tokens.length) throw refuse();
  return { matches: test, parents, byName };
}

const flags: Readonly<Record<string, (item: Item, account: Account) => boolean>> = {
  trashed: (item, account) => account.trashed(item),
  starred: ({ data }) => data.starred,
  sharedWithMe: () => false,
};

const times: Readonly<Record<string, (item: Item) => number>> = {
  modifiedTime: ({ data }) => data.modified,
  createdTime: ({ data }) => data.created,
};

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  "=": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};

/** Names are compared without regard to case; `contains` finds the beginnings of words. */
function nameTest(operator: string, value: string, refuse: () => Error): Test {
  const wanted = value.toLowerCase();
  if (operator === "=") return ({ name }) => name.toLowerCase() === wanted;
  if (operator === "!=") return ({ name }) => name.toLowerCase() !== wanted;
  if (operator !== "contains") throw refuse();
  return ({ name }) => {
    const text = name.toLowerCase();
    for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + 1))
      if (at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1]!)) return true;
    return false;
  };
}

function typeTest(operator: string, value: string, refuse: () => Error): Test {
  const typeOf = ({ data, children }: Item) => (children ? folderType : data.mimeType);
  if (operator === "=") return (item) => typeOf(item) === value;
  if (operator === "!=") return (item) => typeOf(item) !== value;
  if (operator === "contains") return (item) => typeOf(item).startsWith(value);
  throw refuse();
}
