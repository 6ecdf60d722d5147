// What the Wasm keeps of a request while the API has it: let go when the API has answered, or when the caller has gone; once.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { sendMany } from "../support/load.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { startRelay } from "../support/workerd.mjs";

let api;
before(async () => (api = await startRecorder()));
after(() => api?.stop());
beforeEach(() => api.reset());

/** The script that ships, with V8's collector and a trap at hand. It counts what is let go for nobody holds it any more. */
function counting(script) {
  const [free, head] = [/(\w+\.__wbg_exchange_free)\((\w+),1\)/, /__wbg_head_\w+:function\(\w,(\w)\)\{/];
  for (const place of [free, head]) assert.match(script, place);
  const trap = 'import trapModule from "./trap.wasm";const trap=new WebAssembly.Instance(trapModule).exports.trap;globalThis.freed=0;';
  return trap + script
    .replace(free, "(globalThis.freed++,$1($2,1))")
    .replace(head, (start, request) => `${start}if(${request}.url.endsWith("/trap"))trap();`)
    .replace(/fetch\((\w),\w\)\{/, (start, request) => `${start}if(${request}.url.endsWith("/freed")){gc();return new Response(globalThis.freed)}`);
}

async function withRelay(front, use) {
  const relay = await startRelay({
    relay: { access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: api.url }] },
    secrets: { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: "s3cr3t-value" },
    front,
    collector: true,
    sabotage: counting,
  });
  /** How many were freed once all garbage is collected; what is told of it comes a little later. */
  const freed = async () => {
    const ask = async () => Number(await (await fetch(`${relay.url}/freed`)).text());
    await ask();
    await pause(100);
    return ask();
  };
  const leave = async (count) => {
    const answers = await Promise.all(Array.from({ length: count }, () => fetch(`${relay.url}/api/silence`, { headers: { "x-leave": "1" } })));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [299]);
  };
  const send = async (count) => {
    let left = count;
    assert.deepEqual(await sendMany(relay.port, () => (left-- > 0 ? {} : undefined)), { 200: count });
  };
  try {
    await use({ relay, freed, leave, send });
  } finally {
    await relay.stop();
  }
}

/** The API answers but for two paths: one never, one when it is told to. */
function answering() {
  const slow = Promise.withResolvers();
  api.answer = (request, response) => {
    if (request.url.endsWith("/silence")) return;
    (request.url.endsWith("/slow") ? slow.promise : Promise.resolve()).then(() => response.end("{}"));
  };
  return slow.resolve;
}

test("of callers who go away while the API is silent no more than 64 leave anything behind", async () => {
  await withRelay(true, async ({ freed, leave }) => {
    answering();
    for (const round of [1, 2]) {
      await leave(300);
      const count = await freed();
      assert.ok(count >= 300 * round - 64 && count <= 300 * round, `${count} of ${300 * round}`);
    }
  });
});

test("a call that outlasts many others ends like them, and is let go once", async () => {
  await withRelay(false, async ({ relay, freed, send }) => {
    const finish = answering();
    const waiting = Array.from({ length: 3 }, () => fetch(`${relay.url}/api/slow`));
    while (api.requests.length < 3) await pause(10);
    await send(200);
    finish();
    assert.deepEqual((await Promise.all(waiting)).map(({ status }) => status), [200, 200, 200]);
    assert.equal(await freed(), 0);
  });
});

test("what a panic has taken along is not let go of in the instance that follows", async () => {
  await withRelay(true, async ({ relay, freed, leave, send }) => {
    answering();
    await leave(30);
    assert.equal((await fetch(`${relay.url}/api/trap`)).status, 500);
    await send(200);
    assert.equal(await freed(), 0);
    await send(200);
  });
});
