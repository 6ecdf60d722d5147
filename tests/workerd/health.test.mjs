// The health report, for monitors: each check, who can multiply the work (nobody), and what it never says.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { startEmulator } from "../support/emulator.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { startRelay } from "../support/workerd.mjs";

let api;
before(async () => (api = await startRecorder()));
after(() => api?.stop());
beforeEach(() => api.reset());

const secrets = { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: "s3cr3t-value" };

async function withRelay(settings, use) {
  const relay = await startRelay({ secrets, ...settings });
  const ask = async (init) => {
    const answer = await fetch(`${relay.url}/healthz`, init);
    return { answer, text: await answer.text() };
  };
  try {
    await use({ relay, ask });
  } finally {
    await relay.stop();
  }
}

const named = ({ checks }) => Object.fromEntries(checks.map(({ check, code }) => [check, code ?? "ok"]));

test("everything holds: 200, a line for each check, and the API asked once with our token and nothing else", async () => {
  const emulator = await startEmulator({ api: { backend: api.url } });
  const { client_id: CF_ACCESS_CLIENT_ID, client_secret: CF_ACCESS_CLIENT_SECRET } = emulator;
  const relay = { access: { issuer: emulator.issuer, audience: [emulator.app_aud] }, routes: [{ path: "/api", upstream: emulator.api_local_url }], health_path: "/healthz" };
  await withRelay({ relay, secrets: { CF_ACCESS_CLIENT_ID, CF_ACCESS_CLIENT_SECRET } }, async ({ ask, relay }) => {
    const { answer, text } = await ask({ headers: { cookie: "a=b", "x-forwarded-user": "evil" } });
    assert.deepEqual([answer.status, answer.headers.get("cache-control"), answer.headers.get("content-type")], [200, "no-store", "application/json"]);
    assert.deepEqual(named(JSON.parse(text)), { configuration: "ok", signing_keys: "ok", "route /api": "ok" });
    assert.equal(text.trim().split("\n").length, 5);
    // Fifty more, at once: kept.
    const more = await Promise.all(Array.from({ length: 50 }, () => ask()));
    assert.ok(more.every(({ answer, text: again }) => answer.status === 200 && again === text));
    assert.equal(api.requests.length, 1);
    const { headers, url, method } = api.requests[0];
    assert.deepEqual([method, url, headers.cookie, headers["x-forwarded-user"]], ["GET", "/", undefined, undefined]);
    assert.equal((await emulator.stats()).certs_requests, 1);
    assert.equal((await ask({ method: "HEAD" })).text, "");
    // Elsewhere it is a path like any other.
    assert.equal((await fetch(`${relay.url}/healthz/x`)).status, 404);
    assert.equal((await fetch(`${relay.url}/healthz`, { method: "POST" })).status, 404);
  });
  await emulator.stop();
});

test("fifty monitors at a cold start cause one report", async () => {
  api.answer = (_, response) => setTimeout(() => response.end(), 200);
  const relay = { access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: api.url }], health_path: "/healthz" };
  await withRelay({ relay }, async ({ ask }) => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask()));
    assert.deepEqual([...new Set(answers.map(({ answer }) => answer.status))], [200]);
    assert.equal(api.requests.length, 1);
  });
});

test("each route by itself: reached or not, in time or not, let in or not; reasons in the log alone", async () => {
  const gone = await startRecorder();
  await gone.stop();
  const silent = await startRecorder();
  silent.answer = () => {};
  const guarded = await startRecorder();
  guarded.answer = (_, response) => response.writeHead(403, { "cf-access-aud": "x" }).end();
  const cloudflare = await startRecorder();
  cloudflare.answer = (_, response) => response.writeHead(522).end();
  api.answer = (_, response) => response.writeHead(500).end();
  const route = (path, { url }, more = {}) => ({ path, upstream: url, ...more });
  const routes = [route("/a", api), route("/b", gone), route("/c", silent, { timeout_ms: 300 }), route("/d", guarded), route("/e", cloudflare)];
  const access = { issuer: "http://127.0.0.1:9", audience: ["x"] };
  await withRelay({ relay: { access, routes: [...routes, route("/f", guarded, { credentials: "caller-token" })], health_path: "/healthz" } }, async ({ ask, relay }) => {
    const { answer, text } = await ask();
    assert.equal(answer.status, 503);
    const report = JSON.parse(text);
    assert.equal(report.status, "failing");
    assert.deepEqual(named(report), {
      configuration: "ok",
      signing_keys: "keys_unavailable",
      "route /a": "ok",
      "route /b": "upstream_unreachable",
      "route /c": "upstream_timeout",
      "route /d": "upstream_access_denied",
      "route /e": "upstream_unreachable",
      "route /f": "ok",
    });
    assert.doesNotMatch(text, /127\.0\.0\.1|CLIENT|s3cr3t/);
    const [record] = await relay.records();
    assert.equal(record.status, 503);
    assert.match(record.warnings.find((warning) => warning.startsWith("route /d")), /127\.0\.0\.1:\d+ answered 403 .*CF_ACCESS_CLIENT_ID/);
    assert.ok(!relay.output().includes("s3cr3t"));
  });
  await Promise.all([silent, guarded, cloudflare].map((server) => server.stop()));
});

test("a configuration that cannot serve is a failing check, and its mistakes are in the log", async () => {
  await withRelay({ relay: { health_path: "/healthz", routes: [] } }, async ({ ask, relay }) => {
    const { answer, text } = await ask();
    assert.deepEqual([answer.status, named(JSON.parse(text))], [503, { configuration: "misconfigured" }]);
    assert.equal((await fetch(`${relay.url}/api`)).status, 500);
    const posted = await fetch(`${relay.url}/healthz`, { method: "POST" });
    assert.deepEqual([posted.status, (await posted.json()).code], [500, "misconfigured"]);
    assert.ok((await relay.records())[0].errors.length >= 2);
  });
});

test("without health_path there is none", async () => {
  await withRelay({ relay: { access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: api.url }] } }, async ({ ask }) => {
    assert.equal((await ask()).answer.status, 404);
    assert.equal(api.requests.length, 0);
  });
});
