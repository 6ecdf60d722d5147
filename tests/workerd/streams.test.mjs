// Bodies of any size, sockets, and callers who go away.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { startRelay } from "../support/workerd.mjs";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const block = Buffer.alloc(256 * 1024, "access-relay ");

/** What came, and how each exchange ended. */
const seen = { uploaded: 0, written: 0, ranges: [], closed: 0 };
let server, relay, front;

before(async () => {
  server = createServer((incoming, response) => {
    incoming.on("error", () => {});
    response.on("close", () => seen.closed++);
    const [, , what] = incoming.url.split("/");
    if (what === "download") return download(response, Number(incoming.headers["x-bytes"]));
    if (what === "upload") return upload(incoming, response);
    if (what === "range") {
      seen.ranges.push(incoming.headers.range);
      response.writeHead(206, { "content-range": "bytes 2-3/10", "accept-ranges": "bytes", "content-encoding": "gzip", "content-type": "application/x-a" });
      return response.end(Buffer.from([0x1f, 0x8b]));
    }
    if (what === "chunked") {
      response.write("a");
      return setTimeout(() => response.end("b"), 50);
    }
    // "silence"
  });
  await new Promise((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  const settings = {
    relay: { access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: `http://127.0.0.1:${server.address().port}` }] },
    secrets: { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: "s3cr3t-value" },
  };
  [relay, front] = await Promise.all([startRelay(settings), startRelay({ ...settings, front: true })]);
});
after(async () => {
  await Promise.all([relay?.stop(), front?.stop()]);
  server?.closeAllConnections();
  server?.close();
});

function download(response, bytes) {
  response.writeHead(200, { "content-length": bytes });
  let left = bytes;
  seen.written = 0;
  const write = () => {
    while (left > 0 && !response.destroyed) {
      const part = block.subarray(0, Math.min(block.length, left));
      left -= part.length;
      seen.written += part.length;
      if (!response.write(part)) return response.once("drain", write);
    }
    response.end();
  };
  write();
}

async function upload(incoming, response) {
  seen.uploaded = 0;
  try {
    for await (const chunk of incoming) seen.uploaded += chunk.length;
    response.end(String(seen.uploaded));
  } catch {
    seen.broken = true;
  }
}

const residentMiB = () => Number(readFileSync(`/proc/${relay.pid}/status`, "utf8").match(/^VmRSS:\s+(\d+) kB/m)[1]) / 1024;

/** The most memory that workerd has while something goes on. */
async function mostMemory(work) {
  let most = 0;
  const timer = setInterval(() => (most = Math.max(most, residentMiB())), 20);
  try {
    return [await work(), most];
  } finally {
    clearInterval(timer);
  }
}

function exchange(options, send = (sent) => sent.end()) {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port: relay.port, ...options }, resolve);
    sent.on("error", reject);
    send(sent);
  });
}

test("a gigabyte comes down, whole, in little memory", async () => {
  const before = residentMiB();
  const [bytes, most] = await mostMemory(async () => {
    const answer = await exchange({ path: "/api/download", headers: { "x-bytes": GIB } });
    assert.equal(answer.headers["content-length"], String(GIB));
    let bytes = 0;
    for await (const chunk of answer) bytes += chunk.length;
    return bytes;
  });
  assert.equal(bytes, GIB);
  assert.ok(most < before + 64, `${Math.round(before)} MiB before, ${Math.round(most)} at most`);
});

test("a gigabyte goes up, whole, in little memory", async () => {
  const before = residentMiB();
  const [answered, most] = await mostMemory(async () => {
    const answer = await exchange({ path: "/api/upload", method: "PUT", headers: { "content-length": GIB } }, async (sent) => {
      for (let left = GIB; left > 0; left -= block.length) if (!sent.write(block)) await new Promise((resolve) => sent.once("drain", resolve));
      sent.end();
    });
    let text = "";
    for await (const chunk of answer) text += chunk;
    return text;
  });
  assert.equal(answered, String(GIB));
  assert.ok(most < before + 64, `${Math.round(before)} MiB before, ${Math.round(most)} at most`);
});

test("who reads slowly slows the API down: nothing piles up in between", async () => {
  const answer = await exchange({ path: "/api/download", headers: { "x-bytes": 256 * MIB } });
  answer.pause();
  await pause(700);
  const stalled = seen.written;
  await pause(300);
  assert.equal(seen.written, stalled);
  assert.ok(stalled < 64 * MIB, `${stalled} bytes are on their way`);
  let bytes = 0;
  for await (const chunk of answer) bytes += chunk.length;
  assert.equal(bytes, 256 * MIB);
});

test("ranges, encodings and chunks are nobody's but the API's", async () => {
  const part = await exchange({ path: "/api/range", headers: { range: "bytes=2-3", "accept-encoding": "gzip" } });
  const { "content-range": range, "content-encoding": encoding, "content-type": type } = part.headers;
  assert.deepEqual([part.statusCode, range, encoding, type, seen.ranges.at(-1)], [206, "bytes 2-3/10", "gzip", "application/x-a", "bytes=2-3"]);
  const bytes = [];
  for await (const chunk of part) bytes.push(...chunk);
  assert.deepEqual(bytes, [0x1f, 0x8b]);
  const chunked = await exchange({ path: "/api/chunked" });
  assert.equal(chunked.headers["content-length"], undefined);
  let text = "";
  for await (const chunk of chunked) text += chunk;
  assert.equal(text, "ab");
});

test("a caller who goes away in the middle of an answer ends it for the API, too", async () => {
  const closed = seen.closed;
  const answer = await exchange({ path: "/api/download", headers: { "x-bytes": GIB } });
  await new Promise((resolve) => answer.once("data", resolve));
  answer.destroy();
  for (let tries = 0; seen.closed === closed && tries < 100; tries++) await pause(20);
  assert.equal(seen.closed, closed + 1);
  assert.ok(seen.written < GIB);
});

test("a caller who goes away before the answer ends the call, too", async () => {
  const closed = seen.closed;
  assert.equal((await fetch(`${front.url}/api/silence`, { headers: { "x-leave": "1" } })).status, 299);
  for (let tries = 0; seen.closed === closed && tries < 100; tries++) await pause(20);
  assert.equal(seen.closed, closed + 1);
});

test("a caller who breaks off an upload is no whole upload for the API", async () => {
  seen.broken = false;
  const socket = connect({ port: relay.port, host: "127.0.0.1" });
  socket.write("PUT /api/upload HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: 1000000\r\n\r\nonly this");
  await pause(200);
  socket.destroy();
  for (let tries = 0; !seen.broken && tries < 100; tries++) await pause(20);
  assert.equal(seen.broken, true);
});
