// The configuration, as the shipped Worker reads it from its bindings.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { startEmulator } from "../support/emulator.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { startRelay } from "../support/workerd.mjs";

const secrets = { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: "s3cr3t-value" };
let api;
before(async () => (api = await startRecorder()));
after(() => api?.stop());

const open = (change = {}) => ({ access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: api.url }], ...change });

async function withRelay(settings, use) {
  const relay = await startRelay(settings);
  try {
    api.reset();
    return await use(relay);
  } finally {
    await relay.stop();
  }
}

test("a bad configuration serves nothing: the reasons are in the log, all of them, and not in the answer", async () => {
  const relay = { access: { issuer: "http://acme.example" }, routes: [{ path: "/api", upstream: api.url, typo: "s3cr3t-typo" }] };
  await withRelay({ relay, secrets: { CF_ACCESS_CLIENT_SECRET: "s3cr3t-value" } }, async (running) => {
    for (const path of ["/api/x", "/other"]) {
      const answer = await fetch(running.url + path);
      const body = await answer.text();
      assert.equal(answer.status, 500);
      assert.equal(answer.headers.get("cache-control"), "no-store");
      assert.equal(JSON.parse(body).code, "misconfigured");
      assert.ok(!/issuer|upstream|CLIENT/.test(body), body);
    }
    const [record] = await running.records();
    assert.deepEqual(record.errors.map((error) => error.split(":")[0]), ["access.issuer", "access.audience", "CF_ACCESS_CLIENT_ID", "routes[0].typo"]);
    assert.ok(!running.output().includes("s3cr3t"));
  });
  assert.equal(api.requests.length, 0);
});

test("with debug the answer has the reasons too, and never a secret", async () => {
  await withRelay({ relay: open({ debug: true, typo: "s3cr3t-typo" }), secrets: { ...secrets, CF_ACCESS_CLIENT_ID: "s3cr3t id" } }, async (running) => {
    const { reason } = await (await fetch(`${running.url}/api`)).json();
    assert.match(reason, /^CF_ACCESS_CLIENT_ID: found a space/m);
    assert.match(reason, /^typo: found an unknown key/m);
    assert.ok(!(reason + running.output()).includes("s3cr3t"));
  });
});

test("no configuration at all", async () => {
  await withRelay({ secrets }, async (running) => {
    assert.equal((await fetch(`${running.url}/api`)).status, 500);
    assert.match((await running.records())[0].errors[0], /^RELAY: found nothing/);
  });
});

test("without an access section nothing is served", async () => {
  const { access, ...relay } = open();
  await withRelay({ relay, secrets }, async (running) => {
    assert.equal((await (await fetch(`${running.url}/api`)).json()).code, "misconfigured");
    assert.equal(api.requests.length, 0);
  });
});

test("dangerously_allow_anyone is the one way around the caller check", async () => {
  await withRelay({ relay: open(), secrets }, async (running) => {
    assert.equal((await fetch(`${running.url}/api`)).status, 200);
    assert.equal(api.requests[0].headers["cf-access-client-secret"], "s3cr3t-value");
    // The default log is silent about what went well.
    assert.equal(running.output().trim(), "");
  });
});

test("RELAY as a JSON text, as a plain variable of the dashboard holds it", async () => {
  await withRelay({ secrets: { ...secrets, RELAY: JSON.stringify(open()) } }, async (running) => {
    assert.equal((await fetch(`${running.url}/api`)).status, 200);
  });
  await withRelay({ secrets: { ...secrets, RELAY: "{" } }, async (running) => {
    assert.equal((await fetch(`${running.url}/api`)).status, 500);
    assert.match((await running.records())[0].errors[0], /^RELAY: found a text that is no JSON/);
  });
});

test("secrets of a Secrets Store, and one pair for each name", async () => {
  const relay = open({ routes: [{ path: "/api", upstream: api.url }, { path: "/billing", upstream: api.url, service_token: "BILLING" }] });
  const stored = { BILLING_CLIENT_ID: `return "b111.access";`, BILLING_CLIENT_SECRET: `return "stored-value";` };
  await withRelay({ relay, secrets, stored }, async (running) => {
    for (const [path, id, secret] of [["/api", "0123.access", "s3cr3t-value"], ["/billing", "b111.access", "stored-value"]]) {
      assert.equal((await fetch(running.url + path)).status, 200);
      const { headers } = api.requests.at(-1);
      assert.deepEqual([headers["cf-access-client-id"], headers["cf-access-client-secret"]], [id, secret]);
    }
  });
});

test("a store that fails is named, and asked again", async () => {
  const relay = open({ routes: [{ path: "/api", upstream: api.url, service_token: "A" }] });
  const stored = { A_CLIENT_ID: `globalThis.tries = (globalThis.tries ?? 0) + 1; if (globalThis.tries === 1) throw new Error("the store is down"); return "a111.access";`, A_CLIENT_SECRET: `return "stored-value";` };
  await withRelay({ relay, stored }, async (running) => {
    assert.equal((await fetch(`${running.url}/api`)).status, 500);
    assert.match((await running.records())[0].errors.join("\n"), /^A_CLIENT_ID: found a Secrets Store binding that fails/);
    // Not at once: strangers must not multiply its work.
    assert.equal((await fetch(`${running.url}/api`)).status, 500);
    await pause(2_100);
    assert.equal((await fetch(`${running.url}/api`)).status, 200);
  });
});

test("a rotated secret of a store is read again once Access has refused the old one", async () => {
  const emulator = await startEmulator({ api: { backend: api.url } });
  const relay = open({ routes: [{ path: "/api", upstream: emulator.api_local_url, service_token: "A" }] });
  const stored = {
    A_CLIENT_ID: `return ${JSON.stringify(emulator.client_id)};`,
    A_CLIENT_SECRET: `globalThis.reads = (globalThis.reads ?? 0) + 1; return globalThis.reads === 1 ? "rotated-away" : ${JSON.stringify(emulator.client_secret)};`,
  };
  await withRelay({ relay, stored }, async (running) => {
    const first = await fetch(`${running.url}/api`);
    assert.deepEqual([first.status, (await first.json()).code], [502, "upstream_access_denied"]);
    assert.equal((await fetch(`${running.url}/api`)).status, 200);
  });
  await emulator.stop();
});
