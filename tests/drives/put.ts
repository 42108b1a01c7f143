/** Puts the bytes of a file as an object of the stage in a folder, in a process that can be killed. */
import { readFile } from "node:fs/promises";
import { bucket, openStageObjects } from "./stage-objects.ts";

const [folder, key, file] = process.argv.slice(2) as [string, string, string];
const { objects } = await openStageObjects(folder);
await objects.putObject(bucket, key, await readFile(file), { metadata: { user: { from: "a process" } } });
await objects.close();
