export type { ByteStream } from "./bodies.ts";
export {
  type CallObserver,
  type FinishedCall,
  HttpClient,
  type HttpOptions,
  type Reply,
  type Request,
} from "./client.ts";
export { type Clock, systemClock } from "./clock.ts";
export { exactly, placed } from "./ranges.ts";
export { retryAfter } from "./retry-after.ts";
export type { Headers, RequestBody } from "./transport.ts";
export { judgeStatus, LostAnswer, type Refusal, type Remedy, type Verdict } from "./verdict.ts";
