import { auth0 } from "./auth0.ts";
import { comparedOn } from "./compared-on.ts";

comparedOn(18, [auth0]);
