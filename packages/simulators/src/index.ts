export {
  type Auth0Fault,
  type Auth0Options,
  type Auth0Request,
  type Auth0Server,
  startAuth0,
} from "./auth0/index.ts";
