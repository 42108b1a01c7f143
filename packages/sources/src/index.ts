export { auth0 } from "./auth0/index.ts";
export { SqlError } from "./error.ts";
export { redis } from "./redis/index.ts";
export { s3 } from "./s3/index.ts";
export type {
  Change,
  Column,
  Connection,
  Filter,
  OptionDescription,
  OptionDescriptions,
  Options,
  Plan,
  Query,
  Row,
  SortKey,
  Source,
  Table,
  TableChanges,
  TableDefinition,
  Tuple,
  Value,
} from "./source.ts";
