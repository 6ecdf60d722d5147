// The relay between two applications of Access, as the emulator plays them: keys, rotation, and refused credentials.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { startEmulator } from "../support/emulator.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { startRelay } from "../support/workerd.mjs";

let api;
before(async () => (api = await startRecorder()));
after(() => api?.stop());
beforeEach(() => api.reset());

async function withRelay({ emulator: settings = {}, access = {}, route = {}, secret }, use) {
  const emulator = await startEmulator({ ...settings, api: { backend: api.url, ...settings.api } });
  const relay = await startRelay({
    relay: { access: { issuer: emulator.issuer, audience: [emulator.app_aud], ...access }, routes: [{ path: "/api", upstream: emulator.api_local_url, ...route }] },
    secrets: { CF_ACCESS_CLIENT_ID: emulator.client_id, CF_ACCESS_CLIENT_SECRET: secret ?? emulator.client_secret },
  });
  const call = async (token, headers = {}) => fetch(`${relay.url}/api/x`, { redirect: "manual", headers: { "cf-access-jwt-assertion": token ?? (await emulator.mint()), ...headers } });
  try {
    await use({ emulator, relay, call });
  } finally {
    await Promise.all([relay.stop(), emulator.stop()]);
  }
}

const code = async (answer) => [answer.status, (await answer.json()).code];

for (const strict of [true, false]) {
  test(`a call goes through both applications, and no cookie of Access comes back (strict: ${strict})`, async () => {
    await withRelay({ emulator: { api: { strict } } }, async ({ call, emulator }) => {
      const answer = await call(undefined, { "cf-access-client-id": "evil", "cf-access-client-secret": "evil" });
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.headers.getSetCookie(), []);
      assert.equal(api.requests.length, 1);
      const [, claims] = api.requests[0].headers["cf-access-jwt-assertion"].split(".");
      assert.equal(JSON.parse(Buffer.from(claims, "base64url")).common_name, emulator.client_id);
    });
  });
}

test("the person's own token opens the API by a linked app token rule", async () => {
  await withRelay({ emulator: { api: { linked_app_token: true } }, route: { credentials: "caller-token" } }, async ({ call, emulator }) => {
    assert.equal((await call(await emulator.mint({ email: "grace@example.com" }))).status, 200);
    const [, claims] = api.requests[0].headers["cf-access-jwt-assertion"].split(".");
    assert.equal(JSON.parse(Buffer.from(claims, "base64url")).email, "grace@example.com");
  });
});

test("a claim that cannot be a header's value is left out, and the log says so", async () => {
  await withRelay({}, async ({ call, emulator, relay }) => {
    assert.equal((await call(await emulator.mint({ email: "ada@ex\u00e4mple.com" }), { x_forwarded_email: "evil@example.com" })).status, 200);
    const names = Object.keys(api.requests[0].headers).filter((name) => /^x[-_]forwarded/.test(name));
    assert.deepEqual(names.toSorted(), ["x-forwarded-host", "x-forwarded-proto", "x-forwarded-user"]);
    const [record] = await relay.records();
    assert.deepEqual([record.status, record.warnings], [200, ["x-forwarded-email is left out: the claim cannot be a header's value"]]);
    assert.doesNotMatch(relay.output(), /ada@/);
  });
});

test("a token that is older than access.max_token_age_seconds opens nothing", async () => {
  await withRelay({ access: { max_token_age_seconds: 600 } }, async ({ call, emulator }) => {
    const now = Math.floor(Date.now() / 1000);
    const aged = (seconds) => emulator.mint({ iat: now - seconds, nbf: now - seconds, exp: now + 3600 });
    assert.equal((await call(await aged(500))).status, 200);
    assert.deepEqual(await code(await call(await aged(700))), [401, "unauthenticated"]);
    assert.equal(api.requests.length, 1);
  });
});

// facts: strict mode answers 401 or 403; without it an application with an Allow policy redirects to its login.
for (const [name, settings] of [["strict", { strict: true }], ["Service Auth only", { strict: false }], ["with an Allow policy", { strict: false, allow_policy: true }]]) {
  test(`a refused service token is ours to explain, never a redirect of the browser (${name})`, async () => {
    await withRelay({ emulator: { api: settings }, secret: "not-the-secret" }, async ({ call, relay }) => {
      for (const headers of [{}, { accept: "application/json" }, { "x-requested-with": "XMLHttpRequest" }]) {
        const answer = await call(undefined, headers);
        assert.equal(answer.headers.get("location"), null);
        assert.deepEqual(await code(answer), [502, "upstream_access_denied"]);
      }
      const [record] = await relay.records();
      assert.match(record.reason, /127\.0\.0\.1:\d+ answered .*CF_ACCESS_CLIENT_ID and CF_ACCESS_CLIENT_SECRET/);
      assert.ok(!relay.output().includes("not-the-secret"));
    });
    assert.equal(api.requests.length, 0);
  });
}

test("what breaks in front of the API, or at the issuer, with each method", async () => {
  const handles = {
    "no connection": ["/drop-connections", { listener: "api", on: true }, [502, "upstream_unreachable"]],
    "no answer in time": ["/delay", { listener: "api", ms: 1_500 }, [504, "upstream_timeout"]],
    "the service token is refused": ["/refuse-service-token", { on: true }, [502, "upstream_access_denied"]],
    "no issuer, but its keys are known": ["/drop-connections", { listener: "team", on: true }, [200, undefined]],
    "a slow issuer": ["/delay", { listener: "team", ms: 1_500 }, [200, undefined]],
    "new keys": ["/rotate-keys", {}, [200, undefined]],
  };
  for (const [name, [handle, body, expected]] of Object.entries(handles)) {
    await withRelay({ route: { timeout_ms: 500 } }, async ({ call, emulator, relay }) => {
      const token = await emulator.mint();
      assert.equal((await call(token)).status, 200);
      api.reset();
      await emulator.control(handle, body);
      const forwarded = (await emulator.stats()).api_forwarded;
      for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
        const answer = await fetch(`${relay.url}/api/x`, { method, headers: { "cf-access-jwt-assertion": token }, ...(["POST", "PUT"].includes(method) ? { body: "x" } : {}) });
        const code = expected[1] && method !== "HEAD" ? (await answer.json()).code : expected[1];
        assert.deepEqual([answer.status, code], expected, `${name}, ${method}`);
      }
      assert.equal(api.requests.length, expected[0] === 200 ? 7 : 0, name);
      assert.equal((await emulator.stats()).api_forwarded - forwarded, expected[0] === 200 ? 7 : 0, name);
      const failures = (await relay.records(expected[1] ? 7 : 0)).filter(({ code }) => code === expected[1] && code !== undefined);
      assert.equal(failures.length, expected[1] ? 7 : 0, name);
    });
  }
});

test("the API's own 401, 403 and redirects pass as they are", async () => {
  await withRelay({}, async ({ call }) => {
    for (const [status, headers] of [[401, { "www-authenticate": "Bearer" }], [403, {}], [302, { location: "https://idp.example/login" }], [500, {}]]) {
      api.answer = (_, response) => response.writeHead(status, headers).end("the API's");
      const answer = await call();
      assert.deepEqual([answer.status, answer.headers.get("location"), await answer.text()], [status, headers.location ?? null, "the API's"]);
    }
  });
});

test("keys are fetched once, and again when a rotated one is needed", async () => {
  await withRelay({}, async ({ call, emulator }) => {
    for (let round = 0; round < 5; round++) assert.equal((await call()).status, 200);
    assert.equal((await emulator.stats()).certs_requests, 1);
    const before = await emulator.mint();
    await emulator.control("/rotate-keys");
    // The previous key stays good, and the new one is fetched for the first token that it signed.
    assert.equal((await call(before)).status, 200);
    assert.equal((await emulator.stats()).certs_requests, 1);
    for (let round = 0; round < 3; round++) assert.equal((await call()).status, 200);
    assert.equal((await emulator.stats()).certs_requests, 2);
  });
});

test("a hundred requests at a cold start are all served", async () => {
  await withRelay({}, async ({ call }) => {
    const statuses = await Promise.all(Array.from({ length: 100 }, () => call().then((answer) => answer.arrayBuffer().then(() => answer.status))));
    assert.deepEqual([...new Set(statuses)], [200]);
    assert.equal(api.requests.length, 100);
  });
});

test("without keys nobody can be told apart: 503, and nothing is forwarded", async () => {
  await withRelay({}, async ({ call, emulator }) => {
    const token = await emulator.mint();
    await emulator.control("/drop-connections", { listener: "team", on: true });
    assert.deepEqual(await code(await call(token)), [503, "keys_unavailable"]);
    assert.equal(api.requests.length, 0);
    await emulator.control("/drop-connections", { listener: "team", on: false });
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    assert.equal((await call(token)).status, 200);
  });
});
