import { createWrappers, type Wrappers } from "@/integrations/wrappers";
import { ownerDatabase } from "./database";

/** The helpers over the console's own database. */
export const consoleWrappers = async (): Promise<Wrappers> =>
  createWrappers({ database: await ownerDatabase() });
