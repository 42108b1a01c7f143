/** Objects in a folder, without HTTP: `npx node examples/library.ts [FOLDER [DATA]]`. */
import { mkdir } from "node:fs/promises";
import { localDrive } from "@overcoat/drives";
import { openObjects } from "@overcoat/objects";

const [folder = "overcoat-data/drive", data = "overcoat-data/data"] = process.argv.slice(2);
await mkdir(folder, { recursive: true });
await using objects = await openObjects({ drive: localDrive(folder), data });

const bucket = "onedrive-bucket";
await objects.createBucket(bucket);
await objects.putObject(bucket, "datasets/train.csv", "id,label\n1,cat\n2,dog\n3,horse\n");

await using train = await objects.getObject(bucket, "datasets/train.csv");
process.stdout.write(await train.text());

const page = await objects.listObjects(bucket, { prefix: "datasets/" });
for (const { key, size, etag } of page.objects) console.log(key, size, etag);
