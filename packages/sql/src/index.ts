export { type LinkedServer, type LinkedTable, linkedSchema } from "./link/link.ts";
