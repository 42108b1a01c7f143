import { runWorker } from "./workers.ts";

runWorker();
