// What the Wasm keeps of a request while the API has it: handed out once, to that request, and let go when the API has answered, or
// when its time is over because the caller has gone.

import assert from "node:assert/strict";
import { request as begin } from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { sendMany } from "../support/load.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { startRelay } from "../support/workerd.mjs";

let api;
before(async () => (api = await startRecorder()));
after(() => api?.stop());
beforeEach(() => api.reset());

/** Counts the watched requests that nobody holds any more, lets time pass, and makes 30 seconds of an interval 30 milliseconds. */
const WATCHING = `
globalThis.let_go = 0;
const registry = new FinalizationRegistry(() => globalThis.let_go++);
globalThis.watch = (request) => registry.register(request);
const { now } = Date;
globalThis.passed = 0;
Date.now = () => now() + globalThis.passed;
const given = setInterval;
globalThis.setInterval = (work, milliseconds, ...values) => given(work, milliseconds / 1000, ...values);
`;
const HANDLE = `
const { pathname, search } = new URL(request.url);
if (pathname === "/let-go") { gc(); return new Response(globalThis.let_go); }
if (pathname === "/memory") return new Response(latest.exports.memory.buffer.byteLength);
if (pathname === "/pass") { globalThis.passed += Number(search.slice(1)) * 1000; return new Response(); }
if (pathname === "/api/trap") Object.defineProperty(request, "method", { get: () => trap() });
if (request.headers.has("x-watched")) watch(request);
`;

async function withRelay(front, use) {
  const relay = await startRelay({
    relay: { access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: api.url }] },
    secrets: { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: "s3cr3t-value" },
    front,
    collector: true,
    before: WATCHING,
    handle: HANDLE,
  });
  const call = (path, init = {}) => fetch(relay.url + path, { ...init, headers: { "x-watched": "1", ...init.headers } });
  /** How many watched requests are let go once all garbage is collected; what is told of it comes a little later. */
  const letGo = async () => {
    const ask = async () => Number(await (await fetch(`${relay.url}/let-go`)).text());
    await ask();
    await pause(100);
    return ask();
  };
  const leave = async (count) => {
    const answers = await Promise.all(Array.from({ length: count }, () => call("/api/silence", { headers: { "x-leave": "1" } })));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [299]);
  };
  const send = async (count) => {
    let left = count;
    assert.deepEqual(await sendMany(relay.port, () => (left-- > 0 ? {} : undefined)), { 200: count });
  };
  const pass = (seconds) => fetch(`${relay.url}/pass?${seconds}`);
  try {
    await use({ relay, call, letGo, leave, send, pass });
  } finally {
    await relay.stop();
  }
}

/** The API answers but for two paths: one never, one when it is told to. */
function answering() {
  const slow = Promise.withResolvers();
  api.answer = (request, response) => {
    if (request.url.endsWith("/silence")) return;
    const { pathname, search } = new URL(request.url, "http://api");
    (pathname.endsWith("/slow") ? slow.promise : Promise.resolve()).then(() => response.end(search));
  };
  return slow.resolve;
}

const arrived = async (count) => {
  while (api.requests.length < count) await pause(10);
};

test("requests of callers who go away while the API is silent are let go at once", async () => {
  await withRelay(true, async ({ letGo, leave, send }) => {
    answering();
    for (const round of [1, 2]) {
      await leave(300);
      await send(20);
      assert.equal(await letGo(), 300 * round);
    }
  });
});

test("what the Wasm knows of them goes once their time is over", async () => {
  await withRelay(true, async ({ relay, leave, send, pass }) => {
    answering();
    const bytes = [];
    for (let round = 0; round < 10; round++) {
      await leave(1_000);
      // timeout_ms is 30 seconds, and a slot is kept for a minute more.
      await pass(92);
      await send(700);
      bytes.push(Number(await (await fetch(`${relay.url}/memory`)).text()));
    }
    assert.ok(bytes.at(-1) <= bytes[1], `bytes of the Wasm after each round: ${bytes.join(", ")}`);
  });
});

test("a call that outlasts many others ends like them, and is let go", async () => {
  await withRelay(false, async ({ call, letGo, send }) => {
    const finish = answering();
    const waiting = Array.from({ length: 3 }, () => call("/api/slow"));
    await arrived(3);
    await send(200);
    assert.equal(await letGo(), 0);
    finish();
    assert.deepEqual((await Promise.all(waiting)).map(({ status }) => status), [200, 200, 200]);
    await send(20);
    assert.equal(await letGo(), 3);
  });
});

test("an upload that takes longer than a slot is kept says that it goes on", async () => {
  await withRelay(false, async ({ relay, send, pass }) => {
    answering();
    const upload = begin({ host: "127.0.0.1", port: relay.port, path: "/api/upload?done", method: "POST", headers: { "content-length": 20_000 } });
    const answer = new Promise((resolve, reject) => upload.on("response", resolve).on("error", reject));
    upload.write("x".repeat(10_000));
    await pause(150);
    for (let minute = 0; minute < 10; minute++) {
      await pass(60);
      await pause(150);
      await send(20);
    }
    upload.end("x".repeat(10_000));
    const { statusCode } = await answer;
    assert.equal(statusCode, 200);
  });
});

test("what a panic has taken along is nobody's in the instance that follows", async () => {
  await withRelay(true, async ({ call, letGo, leave, send, relay }) => {
    const finish = answering();
    await leave(30);
    const old = call("/api/slow?old");
    await arrived(31);
    assert.equal((await fetch(`${relay.url}/api/trap`)).status, 500);
    // It takes the first slot of the new instance, as the others had it in the old one.
    const others = Array.from({ length: 40 }, (_, number) => call(`/api/slow?${number}`));
    await arrived(71);
    finish();
    const refused = await old;
    assert.equal(refused.status, 500);
    assert.equal((await refused.json()).code, "internal");
    for (const [number, other] of (await Promise.all(others)).entries()) {
      assert.deepEqual([other.status, await other.text()], [200, `?${number}`]);
    }
    await send(200);
    assert.equal(await letGo(), 71);
  });
});
