// Uploads: when their deadline begins, and what becomes of those that break off or are answered early.

import assert from "node:assert/strict";
import { Agent, createServer, request } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { sendRaw } from "../support/raw.mjs";
import { startRelay } from "../support/workerd.mjs";
import { secrets } from "../support/setup.mjs";

test("a deadline begins where the request's body ends", async () => {
  // An API that reads slowly where it is asked to, and answers late.
  const seen = [];
  const slow = createServer((incoming, response) => {
    let bytes = 0;
    incoming.on("data", (chunk) => {
      bytes += chunk.length;
      if (!incoming.url.includes("slow-reader")) return;
      incoming.pause();
      setTimeout(() => incoming.resume(), 5);
    });
    incoming.on("error", () => {});
    incoming.on("end", () => {
      seen.push([incoming.headers["content-length"], incoming.headers["transfer-encoding"], bytes]);
      setTimeout(() => response.end(String(bytes)), incoming.url.includes("late") ? 2_000 : 0);
    });
  });
  await new Promise((resolve) => slow.listen({ port: 0, host: "127.0.0.1" }, resolve));
  const uploads = await startRelay({
    relay: { access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: `http://127.0.0.1:${slow.address().port}`, timeout_ms: 500 }] },
    secrets,
  });
  const agent = new Agent();
  /** A body in so many pieces, with a pause after each. */
  const upload = (path, pieces, size, milliseconds, headers) =>
    new Promise((resolve, reject) => {
      const began = Date.now();
      const sent = request({ host: "127.0.0.1", port: uploads.port, path, method: "POST", agent, headers }, async (response) => {
        let text = "";
        for await (const chunk of response) text += chunk;
        resolve({ status: response.statusCode, text, took: Date.now() - began });
      });
      sent.on("error", reject);
      (async () => {
        for (let piece = 0; piece < pieces; piece++) {
          sent.write(Buffer.alloc(size, "x"));
          await pause(milliseconds);
        }
        sent.end();
      })();
    });
  const [slowly, small, large, chunked, none, late, lateChunked] = await Promise.all([
    upload("/api/slow-reader", 16, 1024 * 1024, 0, { "content-length": 16 * 1024 * 1024 }),
    upload("/api/small", 8, 100, 150, { "content-length": 800 }),
    upload("/api/large", 8, 20_000, 150, { "content-length": 160_000 }),
    upload("/api/chunked", 8, 100, 150, {}),
    upload("/api/late", 0, 0, 0, { "content-length": 0 }),
    upload("/api/late", 4, 20_000, 100, { "content-length": 80_000 }),
    upload("/api/late", 4, 20_000, 100, {}),
  ]);
  assert.deepEqual([small.status, small.text, large.status, large.text, chunked.status, chunked.text], [200, "800", 200, "160000", 200, "800"]);
  assert.deepEqual([slowly.status, slowly.text], [200, String(16 * 1024 * 1024)], "an API that reads slowly is no late one");
  assert.ok(slowly.took > 1_000, `${slowly.took} ms`);
  assert.ok(small.took > 1_000 && large.took > 1_000 && chunked.took > 1_000, "each took longer than timeout_ms");
  // Content-Length stays where there was one.
  assert.deepEqual(seen.filter(([, , bytes]) => bytes === 160_000 || bytes === 800).map(([length, encoding]) => length ?? encoding).sort(), ["160000", "800", "chunked"]);
  // What is late after the body is late.
  for (const [answer, least] of [[none, 400], [late, 700], [lateChunked, 700]]) {
    assert.equal(answer.status, 504);
    assert.ok(answer.took > least && answer.took < 1_900, `${answer.took} ms`);
  }
  agent.destroy();
  await uploads.stop();
  slow.closeAllConnections();
  slow.close();
});

test("an upload that breaks off never looks whole to the API", async () => {
  const complete = [];
  const server = createServer((incoming, response) => {
    const chunks = [];
    incoming.on("data", (chunk) => chunks.push(chunk)).on("error", () => {});
    incoming.on("end", () => {
      complete.push(Buffer.concat(chunks).toString());
      response.end();
    });
  });
  await new Promise((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  const uploads = await startRelay({ relay: { access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: `http://127.0.0.1:${server.address().port}` }] }, secrets });
  /** Sends the beginning of a request, and ends the connection; the status line of the answer, if there is one. */
  const breakOff = (lines, body, end) =>
    new Promise((resolve) => {
      let answer = "";
      const socket = connect({ port: uploads.port, host: "127.0.0.1" });
      socket.setEncoding("latin1").on("data", (text) => (answer += text)).on("error", () => {});
      socket.write(["POST /api/x HTTP/1.1", "Host: app.example.com", ...lines, "", body].join("\r\n"));
      setTimeout(() => end(socket), 100);
      setTimeout(() => {
        socket.destroy();
        resolve(answer.split("\r\n")[0]);
      }, 400);
    });
  const ends = [(socket) => socket.end(), (socket) => socket.resetAndDestroy()];
  const chunked = ["Transfer-Encoding: chunked"];
  const cases = [
    [chunked, "5\r\nhello\r\n5\r\nwo"], [chunked, "5\r\nhello\r\n"], [chunked, "5\r\nhello\r\nZZ\r\n"], [chunked, "hello"],
    [["Content-Length: 50000"], "hello"], [["Content-Length: 500"], "hello"],
  ];
  const answers = await Promise.all(cases.flatMap(([lines, body]) => ends.map((end) => breakOff(lines, body, end))));
  for (const answer of answers) assert.match(answer, /^$|^HTTP\/1\.1 (400|502) /);
  assert.deepEqual(complete, []);
  assert.match(await breakOff(chunked, "5\r\nhello\r\n0\r\n\r\n", () => {}), /^HTTP\/1\.1 200 /);
  assert.deepEqual(complete, ["hello"]);
  await uploads.stop();
  server.closeAllConnections();
  server.close();
});

test("an API that answers an upload early is heard", async () => {
  const server = createServer((incoming, response) => {
    response.writeHead(413).end("too large");
    incoming.on("error", () => {}).resume();
  });
  await new Promise((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  const uploads = await startRelay({ relay: { access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: `http://127.0.0.1:${server.address().port}` }] }, secrets });
  const answer = await fetch(`${uploads.url}/api/x`, { method: "POST", body: Buffer.alloc(500_000) });
  assert.deepEqual([answer.status, await answer.text()], [413, "too large"]);
  await uploads.stop();
  server.closeAllConnections();
  server.close();
});

test("a length that no stream can have is an error of that request alone", async () => {
  const api = createServer((incoming, response) => setTimeout(() => response.end("hello"), incoming.url.endsWith("?slow") ? 500 : 0));
  await new Promise((resolve) => api.listen({ port: 0, host: "127.0.0.1" }, resolve));
  const relay = await startRelay({
    relay: { access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: `http://127.0.0.1:${api.address().port}` }] },
    secrets,
  });
  try {
    const other = fetch(`${relay.url}/api?slow`);
    await pause(100);
    for (const length of ["9007199254740993", "18446744073709551615"]) {
      const refused = await sendRaw(relay.port, `POST /api HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: ${length}\r\n\r\nx`, { headOnly: true });
      assert.ok(refused.status >= 400, `${length}: ${refused.statusLine}`);
    }
    assert.equal((await other).status, 200, "a call that was under way");
  } finally {
    api.closeAllConnections();
    await Promise.all([relay.stop(), new Promise((resolve) => api.close(resolve))]);
  }
});
