import { comparedOn } from "./compared-on.ts";
import { redis } from "./redis.ts";

comparedOn(18, [redis]);
