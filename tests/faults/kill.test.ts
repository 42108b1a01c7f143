import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Gateway, startGateway } from "../gateway.ts";
import { type Answer, send } from "./requests.ts";
import { seeded, temporaries } from "./state.ts";

const rounds = 30;
/** Milliseconds of work before the end of a round, at most. */
const longest = 120;
const partSize = 5 << 20;

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ workers: 1 });
  expect((await send(gateway, "PUT", "/bucket")).status).toBe(200);
});
afterAll(() => gateway?.stop());

const { below } = seeded(4711);
const md5 = (bytes: Buffer) => createHash("md5").update(bytes).digest("hex");

/** Bytes that tell which version they are of, from the first to the last. */
const content = (version: number, size: number) => Buffer.alloc(size, `${version} `);
const versionIn = (bytes: Buffer) => Number(/^\d+/.exec(bytes.toString("latin1", 0, 20))?.[0]);

/** One who changes one thing again and again; each change has the next number. */
interface Actor {
  readonly key: string;
  change(version: number): Promise<Answer>;
  /** The number of the change that is seen now, after a check that all of it is. */
  seen(): Promise<number>;
  acknowledged: number;
  attempted: number;
}

async function read(key: string, size: number): Promise<number> {
  const answer = await send(gateway, "GET", `/bucket/${key}`);
  expect(answer.status).toBe(200);
  const version = versionIn(answer.body);
  expect(answer.body.equals(content(version, size))).toBe(true);
  expect(answer.headers["x-amz-meta-version"]).toBe(String(version));
  expect(answer.headers["content-type"]).toBe(`text/v${version}`);
  if (!answer.headers.etag?.includes("-")) expect(answer.headers.etag).toBe(`"${md5(answer.body)}"`);
  return version;
}

const about = (version: number) => ({
  "content-type": `text/v${version}`,
  "x-amz-meta-version": String(version),
});

function overwriting(key: string, size: number, more: Record<string, string> = {}): Actor {
  return {
    key,
    change: (version) =>
      send(gateway, "PUT", `/bucket/${key}`, {
        headers: { ...about(version), ...more },
        body: content(version, size),
      }),
    seen: () => read(key, size),
    acknowledged: 0,
    attempted: 0,
  };
}

function copying(): Actor {
  const size = 1 << 20;
  return {
    key: "copied",
    async change(version) {
      const body = content(version, size);
      const put = await send(gateway, "PUT", "/bucket/source", { headers: about(version), body });
      if (put.status !== 200) return put;
      const headers = { "x-amz-copy-source": "/bucket/source" };
      return send(gateway, "PUT", "/bucket/copied", { headers });
    },
    seen: () => read("copied", size),
    acknowledged: 0,
    attempted: 0,
  };
}

/** Uploads in two parts; what a crash interrupts is completed afterwards, as a client would. */
function inParts(): Actor & { finish(): Promise<void> } {
  let open: { id: string; etags: string[] } | undefined;
  const complete = () =>
    send(gateway, "POST", `/bucket/parts?uploadId=${open!.id}`, {
      body: `<CompleteMultipartUpload>${open!.etags
        .map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`)
        .join("")}</CompleteMultipartUpload>`,
    });
  return {
    key: "parts",
    async change(version) {
      open = undefined;
      const begun = await send(gateway, "POST", "/bucket/parts?uploads=", { headers: about(version) });
      const id = /<UploadId>(.*)<\/UploadId>/.exec(begun.body.toString())![1]!;
      const body = content(version, partSize + 1000);
      const etags: string[] = [];
      for (const [i, part] of [body.subarray(0, partSize), body.subarray(partSize)].entries()) {
        const sent = await send(gateway, "PUT", `/bucket/parts?partNumber=${i + 1}&uploadId=${id}`, {
          body: part,
        });
        expect(sent.status).toBe(200);
        etags.push(sent.headers.etag!);
      }
      open = { id, etags };
      return complete();
    },
    async finish() {
      if (open) expect((await complete()).body.toString()).toContain("<ETag>");
    },
    seen: () => read("parts", partSize + 1000),
    acknowledged: 0,
    attempted: 0,
  };
}

/** Even numbers write, odd ones delete. */
function deleting(): Actor {
  const size = 5000;
  const actor: Actor = {
    key: "a/b/deleted",
    change: (version) =>
      version % 2
        ? send(gateway, "DELETE", "/bucket/a/b/deleted")
        : send(gateway, "PUT", "/bucket/a/b/deleted", {
            headers: about(version),
            body: content(version, size),
          }),
    async seen() {
      const head = await send(gateway, "HEAD", "/bucket/a/b/deleted");
      if (head.status !== 404) return read("a/b/deleted", size);
      // Nothing there tells by which change.
      return actor.acknowledged % 2 ? actor.acknowledged : actor.attempted;
    },
    acknowledged: 0,
    attempted: 0,
  };
  return actor;
}

function tagging(): Actor {
  return {
    key: "tagged",
    change: (version) =>
      version === 1
        ? send(gateway, "PUT", "/bucket/tagged", {
            headers: { ...about(1), "x-amz-tagging": "v=1" },
            body: content(1, 9),
          })
        : send(gateway, "PUT", "/bucket/tagged?tagging=", {
            body: `<Tagging><TagSet><Tag><Key>v</Key><Value>${version}</Value></Tag></TagSet></Tagging>`,
          }),
    async seen() {
      expect(await read("tagged", 9)).toBe(1);
      const tags = await send(gateway, "GET", "/bucket/tagged?tagging=");
      return Number(/<Key>v<\/Key><Value>(\d+)</.exec(tags.body.toString())?.[1]);
    },
    acknowledged: 0,
    attempted: 0,
  };
}

async function act(actor: Actor): Promise<void> {
  for (;;) {
    const version = actor.attempted + 1;
    actor.attempted = version;
    let answer: Answer;
    try {
      answer = await actor.change(version);
    } catch (error) {
      // The connection ended with the process.
      if (
        (error as NodeJS.ErrnoException).code !== undefined ||
        /aborted|cut off|hang up/.test(String(error))
      )
        return;
      throw error;
    }
    expect([actor.key, answer.status, answer.code]).toEqual([
      actor.key,
      version % 2 && answer.status === 204 ? 204 : 200,
      undefined,
    ]);
    actor.acknowledged = version;
  }
}

test("SIGKILL leaves each object as it was or as it was to be, and nothing besides", async () => {
  // More than an attribute of most file systems can hold.
  const tags = Array.from({ length: 10 }, (_, i) => `${i}${"k".repeat(100)}=${"v".repeat(250)}`).join("&");
  const parts = inParts();
  const actors: Actor[] = [
    overwriting("small", 100),
    overwriting("large", 1 << 20),
    overwriting("with/many/tags", 1000, { "x-amz-tagging": tags }),
    copying(),
    deleting(),
    tagging(),
    parts,
  ];
  for (const actor of actors) {
    expect((await actor.change(++actor.attempted)).status).toBe(actor.key === "a/b/deleted" ? 204 : 200);
    actor.acknowledged = actor.attempted;
  }
  for (let round = 0; round < rounds; round++) {
    const work = Promise.all(actors.map(act));
    await sleep(below(longest));
    await gateway.kill();
    await work;
    await gateway.restart();

    expect(await temporaries(gateway)).toEqual([]);
    for (const actor of actors) {
      const version = await actor.seen();
      expect([actor.key, version]).toEqual([
        actor.key,
        expect.toSatisfy((n) => n === actor.acknowledged || n === actor.attempted),
      ]);
      actor.acknowledged = actor.attempted = version;
    }
    await parts.finish();
  }
  const listed = await send(gateway, "GET", "/bucket?list-type=2");
  const keys = [...listed.body.toString().matchAll(/<Key>(.*?)<\/Key>/g)].map((match) => match[1]!);
  const there = (await send(gateway, "HEAD", "/bucket/a/b/deleted")).status === 200;
  const expected = ["copied", "large", "parts", "small", "source", "tagged", "with/many/tags"];
  expect(keys).toEqual(there ? ["a/b/deleted", ...expected] : expected);
});
