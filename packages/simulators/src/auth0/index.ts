export type { Fault as Auth0Fault } from "./faults.ts";
export {
  type Auth0Options,
  type Auth0Server,
  type LoggedRequest as Auth0Request,
  startAuth0,
} from "./server.ts";
