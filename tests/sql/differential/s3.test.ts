import { comparedOn } from "./compared-on.ts";
import { s3 } from "./s3.ts";

comparedOn(18, [s3]);
