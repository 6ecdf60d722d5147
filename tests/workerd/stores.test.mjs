// Secrets in a store: how often it is read, whatever strangers and Access do.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { audience } from "../support/issuer.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { startRelay } from "../support/workerd.mjs";

let api;
before(async () => (api = await startRecorder()));
after(() => api?.stop());
beforeEach(() => api.reset());

test("a store is read again at most once in 30 seconds, whatever Access refuses", async () => {
  api.answer = (_, response) => response.writeHead(403, { "cf-access-aud": audience }).end();
  const stored = {
    A_CLIENT_ID: `return "0123.access";`,
    A_CLIENT_SECRET: `globalThis.reads = (globalThis.reads ?? 0) + 1; console.log(JSON.stringify({ reads: globalThis.reads })); return "stored-value";`,
  };
  const running = await startRelay({ relay: { access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: api.url, service_token: "A" }] }, stored });
  for (let call = 0; call < 100; call++) assert.equal((await fetch(`${running.url}/api/x`)).status, 502);
  const reads = (await running.records()).filter(({ reads }) => reads !== undefined);
  assert.equal(reads.at(-1).reads, 2, "once at the start, once after the first refusal");
  await running.stop();
});

test("a store that fails is not asked by every stranger", async () => {
  const stored = { A_CLIENT_ID: `console.log(JSON.stringify({ asked: 1 })); throw new Error("the store is down");`, A_CLIENT_SECRET: `return "stored-value";` };
  const running = await startRelay({ relay: { access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: api.url, service_token: "A" }] }, stored });
  const began = Date.now();
  for (let call = 0; call < 200; call++) assert.equal((await fetch(`${running.url}/api/x`)).status, 500);
  const asked = (await running.records()).filter(({ asked }) => asked).length;
  // Two seconds by a clock that counts whole ones: more than one in any case.
  assert.ok(asked >= 1 && asked <= 1 + (Date.now() - began) / 1_000, `${asked} times`);
  await running.stop();
});
