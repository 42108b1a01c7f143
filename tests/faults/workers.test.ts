import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Gateway, startGateway } from "../gateway.ts";
import { send } from "./requests.ts";
import { childrenOf, eventually, runs, seeded, temporaries } from "./state.ts";

const md5 = (text: string) => `"${createHash("md5").update(text).digest("hex")}"`;
const { below, pick } = seeded(99);

/** Answers to the same request by many clients at once, alternately through each gateway. */
const race = (
  gateways: readonly Gateway[],
  clients: number,
  ask: (gateway: Gateway, client: number) => ReturnType<typeof send>,
) =>
  Promise.all(
    Array.from({ length: clients }, (_, client) => ask(gateways[client % gateways.length]!, client)),
  );

describe.each(["the same --data", "different --data"])(
  "two commands of two workers on one folder, %s",
  (which) => {
    // Only a common --data has common locks and parts.
    const sharing = which === "the same --data" ? test : () => {};
    let one: Gateway;
    let other: Gateway;
    beforeAll(async () => {
      // Synced, so that others come in between a check and what follows it.
      one = await startGateway({ fsync: true });
      other = await startGateway({
        fsync: true,
        folder: one.folder,
        ...(which === "the same --data" && { data: one.data }),
      });
      expect((await send(one, "PUT", "/bucket")).status).toBe(200);
    });
    afterAll(async () => {
      await other?.stop();
      await one?.stop();
    });

    test("what one has acknowledged the other reads", async () => {
      for (let count = 0; count < 100; count++) {
        const [writer, reader] = count % 2 ? [one, other] : [other, one];
        const target = `/bucket/read/${below(5)}`;
        const body = `content ${count}`;
        const headers = { "x-amz-meta-count": String(count) };
        expect((await send(writer, "PUT", target, { body, headers })).status).toBe(200);
        const read = await send(reader, "GET", target);
        expect([read.body.toString(), read.headers.etag]).toEqual([body, md5(body)]);
        expect(read.headers["x-amz-meta-count"]).toBe(String(count));
      }
    });

    test("what one has written or deleted shows in the other's listings", async () => {
      const keys = new Set<string>();
      for (let count = 0; count < 60; count++) {
        const [writer, reader] = count % 2 ? [one, other] : [other, one];
        const key = `list/${pick(["", "a/", "b/c/"])}${below(8)}`;
        if (keys.delete(key)) await send(writer, "DELETE", `/bucket/${key}`);
        else {
          keys.add(key);
          await send(writer, "PUT", `/bucket/${key}`, { body: "x" });
        }
        const listed = await send(reader, "GET", "/bucket?list-type=2&prefix=list%2F");
        const found = [...listed.body.toString().matchAll(/<Key>(.*?)<\/Key>/g)].map((match) => match[1]);
        expect(found).toEqual([...keys].sort());
      }
    });

    test("of 50 clients that create an object only if there is none, one wins", async () => {
      for (let round = 0; round < 5; round++) {
        const target = `/bucket/created/${round}`;
        const answers = await race([one, other], 50, (gateway, client) =>
          send(gateway, "PUT", target, { body: `by ${client}`, headers: { "if-none-match": "*" } }),
        );
        const won = answers.flatMap(({ status }, client) => (status === 200 ? [client] : []));
        expect(won).toHaveLength(1);
        for (const { status, code } of answers)
          if (status !== 200) expect([412, 409]).toContain(code === undefined ? 0 : status);
        expect((await send(other, "GET", target)).body.toString()).toBe(`by ${won[0]}`);
      }
    });

    sharing("of 50 clients that replace one version, one wins", async () => {
      const target = "/bucket/replaced";
      let before = "first";
      await send(one, "PUT", target, { body: before });
      for (let round = 0; round < 5; round++) {
        const answers = await race([one, other], 50, (gateway, client) =>
          send(gateway, "PUT", target, {
            body: `${round} by ${client}`,
            headers: { "if-match": md5(before) },
          }),
        );
        const won = answers.flatMap(({ status }, client) => (status === 200 ? [client] : []));
        expect(won).toHaveLength(1);
        before = `${round} by ${won[0]}`;
        expect((await send(other, "GET", target)).body.toString()).toBe(before);
      }
    });

    sharing("an upload begun by one is continued by the other", async () => {
      const begun = await send(one, "POST", "/bucket/parts?uploads=");
      const id = /<UploadId>(.*)<\/UploadId>/.exec(begun.body.toString())![1]!;
      const part = await send(other, "PUT", `/bucket/parts?partNumber=1&uploadId=${id}`, { body: "part" });
      const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${part.headers.etag}</ETag></Part></CompleteMultipartUpload>`;
      // Both at once: the upload is completed once and told to both.
      const answers = await race([one, other], 10, (gateway) =>
        send(gateway, "POST", `/bucket/parts?uploadId=${id}`, { body }),
      );
      expect(answers.filter(({ status, code }) => status !== 200 || code !== undefined)).toEqual([]);
      expect((await send(one, "GET", "/bucket/parts")).body.toString()).toBe("part");
    });

    test("writes of all keys by both at once leave one whole version of each", async () => {
      const targets = ["/bucket/mixed/a", "/bucket/mixed/b"];
      const contents = new Map<string, string>();
      const answers = await race([one, other], 60, (gateway, client) => {
        const body = `${client} `.repeat(20_000);
        contents.set(md5(body), body);
        const headers = { "x-amz-meta-client": String(client) };
        return send(gateway, "PUT", pick(targets), { body, headers });
      });
      expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
      for (const target of targets)
        for (const gateway of [one, other]) {
          const read = await send(gateway, "GET", target);
          const body = contents.get(read.headers.etag!)!;
          expect(read.body.toString() === body).toBe(true);
          expect(read.headers["x-amz-meta-client"]).toBe(body.slice(0, body.indexOf(" ")));
        }
      expect(await temporaries(one)).toEqual([]);
    });
  },
);

describe("a worker that is killed", () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGateway();
    expect((await send(gateway, "PUT", "/bucket")).status).toBe(200);
    // One worker answers while the other still starts, whose end then would end all.
    expect(
      await eventually(
        () => gateway.log(),
        (log) => log.includes("Serving"),
      ),
    ).toContain("Serving");
  });
  afterAll(() => gateway?.stop());

  const put = async (key: string, body: string) => {
    try {
      return (await send(gateway, "PUT", `/bucket/${key}`, { body })).status;
    } catch {
      return 0;
    }
  };

  test("is started again; the others serve on, and its locks are free", async () => {
    const before = childrenOf(gateway.pid);
    expect(before).toHaveLength(2);
    let going = true;
    let refused = 0;
    const busy = Promise.all(
      Array.from({ length: 16 }, async (_, client) => {
        for (let count = 0; going; count++) {
          const status = await put(`busy/${client % 3}`, `${client} ${count}`);
          if (status !== 200 && status !== 0) refused++;
        }
      }),
    );
    const [killed] = before;
    process.kill(killed!, "SIGKILL");
    const after = await eventually(
      () => childrenOf(gateway.pid),
      (now) => now.length === 2 && !now.includes(killed!),
    );
    expect(after).toHaveLength(2);
    expect(after).toContain(before[1]);
    going = false;
    await busy;
    expect(refused).toBe(0);
    // A lock that the killed one held would block these for as long as its lease.
    const start = performance.now();
    for (let key = 0; key < 3; key++) expect(await put(`busy/${key}`, "after")).toBe(200);
    expect(performance.now() - start).toBeLessThan(25_000);
    expect(
      await eventually(
        () => temporaries(gateway),
        (left) => left.length === 0,
      ),
    ).toEqual([]);
  });

  test("takes its workers along when it is the main process", async () => {
    const workers = childrenOf(gateway.pid);
    await gateway.kill();
    expect(
      await eventually(
        () => workers.filter(runs),
        (left) => left.length === 0,
      ),
    ).toEqual([]);
    await gateway.restart();
    expect(await put("again", "x")).toBe(200);
  });
});
