import type { Command } from "./command.ts";
import { files } from "./files.ts";
import { get } from "./get.ts";
import { session } from "./session.ts";
import { status } from "./status.ts";
import { user } from "./user.ts";

/** What can be typed, in the order of the help. */
export const commands: readonly Command[] = [session, user, files, get, status];
