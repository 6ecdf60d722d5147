// A configuration that looks wrong, and ones that serve nothing.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { startRecorder } from "../support/recorder.mjs";
import { startRelay } from "../support/workerd.mjs";
import { SECRET, secrets } from "../support/setup.mjs";

let api;
before(async () => (api = await startRecorder()));
after(() => api?.stop());
beforeEach(() => api.reset());

test("what looks wrong with the configuration is said once", async () => {
  const odd = { access: { issuer: "https://login.example.com", audience: ["short"] }, routes: [{ path: "/api", upstream: api.url }] };
  const running = await startRelay({ relay: odd, secrets });
  for (let call = 0; call < 5; call++) await fetch(`${running.url}/api/x`);
  const warned = (await running.records(5)).filter(({ warnings }) => warnings);
  assert.equal(warned.length, 1);
  assert.match(warned[0].warnings.join("\n"), /^configuration: access\.issuer: found .*\nconfiguration: access\.audience/);
  await running.stop();
});

test("RELAY as a text with a key twice, and placeholders for secrets, serve nothing", async () => {
  const open = { access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: api.url }] };
  const twice = JSON.stringify(open).replace('"access":', '"access":{"issuer":"https://acme.cloudflareaccess.com","audience":["x"]},"access":');
  for (const [relay, found, path] of [
    [undefined, { ...secrets, RELAY: twice }, /^access: /],
    [open, { ...secrets, CF_ACCESS_CLIENT_ID: "<hex>.access" }, /^CF_ACCESS_CLIENT_ID: /],
    [open, { ...secrets, CF_ACCESS_CLIENT_SECRET: "0123.access" }, /^CF_ACCESS_CLIENT_SECRET: /],
    [{ ...open, log: SECRET }, secrets, /^log: /],
  ]) {
    const running = await startRelay({ relay, secrets: found });
    assert.equal((await fetch(`${running.url}/api/x`)).status, 500);
    const [record] = await running.records();
    assert.ok(record.errors.some((error) => path.test(error)), record.errors.join("\n"));
    assert.ok(!running.output().includes(SECRET));
    await running.stop();
  }
  assert.equal(api.requests.length, 0);
});
