import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { Metrics } from "./metrics.ts";

test("bytes are counted on connections that are open and that were closed", async () => {
  const metrics = new Metrics();
  const server = http.createServer((request, response) => {
    request.resume().on("end", () => response.end("x".repeat(50_000)));
  });
  server.on("connection", (socket) => metrics.connected(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const bytes = async (way: string) =>
    Number(new RegExp(`^overcoat_s3_${way}_bytes_total (\\d+)`, "m").exec(await metrics.text())![1]);
  expect(await bytes("received")).toBe(0);

  const agent = new http.Agent({ keepAlive: true });
  const send = async () => {
    const request = http.request(url, { method: "PUT", agent }).end("y".repeat(20_000));
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    await once(response.resume(), "end");
  };
  await send();
  const [received, sent] = [await bytes("received"), await bytes("sent")];
  expect(received).toBeGreaterThan(20_000);
  expect(received).toBeLessThan(21_000);
  expect(sent).toBeGreaterThan(50_000);
  expect(sent).toBeLessThan(51_000);

  agent.destroy();
  await send();
  agent.destroy();
  server.closeAllConnections();
  server.close();
  await once(server, "close");
  expect(await bytes("received")).toBe(2 * received);
  expect(await bytes("sent")).toBe(2 * sent);
});
