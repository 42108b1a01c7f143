import { auth0 } from "./auth0.ts";
import { comparedOn } from "./compared-on.ts";
import { redis } from "./redis.ts";
import { s3 } from "./s3.ts";

for (const version of [14, 15, 16, 17] as const) comparedOn(version, [redis, s3, auth0]);
