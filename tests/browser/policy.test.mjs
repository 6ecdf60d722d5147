// The policy, as a browser reads it: with and without credentials, patterns, exposed headers, max-age, and the console's
// words in debug mode. The relay is asked directly here, with no login in front of it.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { launchBrowser, startPages } from "../support/browser.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { startRelay } from "../support/workerd.mjs";

let api, browser, page, pages, relay, base, console_lines;

before(async () => {
  [api, pages] = await Promise.all([startRecorder(), startPages()]);
  const [listed, port] = [pages.origin("listed.localhost"), new URL(pages.url).port];
  relay = await startRelay({
    relay: {
      access: { dangerously_allow_anyone: true },
      routes: [
        { path: "/with", upstream: api.url, cors: { allowed_origins: [listed, `http://*.team.localhost:${port}`], allowed_methods: ["PUT", "PATCH", "DELETE"], allowed_headers: ["content-type", "x-custom"], exposed_headers: ["x-total"], allow_credentials: true } },
        { path: "/without", upstream: api.url, cors: { allowed_origins: ["http://*.localhost:*"], allowed_methods: ["PUT"], allowed_headers: ["content-type"], exposed_headers: ["*"] } },
        { path: "/open", upstream: api.url, cors: { allowed_origins: ["*"], allowed_methods: ["*"], allowed_headers: ["*"], max_age: 0 } },
        { path: "/gone", upstream: "http://127.0.0.1:9", cors: { allowed_origins: [listed] } },
      ],
      debug: true,
      log: "requests",
    },
    secrets: { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: "s3cr3t-value" },
  });
  base = `http://relay.localhost:${relay.port}`;
});
after(() => Promise.all([relay?.stop(), pages?.stop(), api?.stop()]));
beforeEach(async () => {
  api.reset();
  api.answer = (request, response) => response.writeHead(200, { "x-total": "42", "x-internal": "1", "set-cookie": "api=1" }).end(request.method);
  browser = await launchBrowser();
  page = browser.page;
  console_lines = [];
  page.on("console", (message) => console_lines.push(message.text()));
});
afterEach(() => browser?.close());

/** A page's fetch: status, body and the two headers, or that it failed. */
const call = (path, init = {}) =>
  page.evaluate(
    async ([url, init]) => {
      try {
        const answer = await fetch(url, init);
        return [answer.status, await answer.text(), answer.headers.get("x-total"), answer.headers.get("x-internal")];
      } catch {
        return "blocked";
      }
    },
    [base + path, init],
  );

const include = { credentials: "include" };
const json = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };

test("with credentials: listed origins and patterns read and write what the policy names, others nothing", async () => {
  for (const host of ["listed.localhost", "a.team.localhost", "a.b.team.localhost"]) {
    await page.goto(pages.origin(host));
    assert.deepEqual(await call("/with/x", include), [200, "GET", "42", null], host);
    assert.deepEqual(await call("/with/x", { ...json, ...include }), [200, "POST", "42", null], host);
    assert.deepEqual(await call("/with/x", { method: "DELETE", headers: { "x-custom": "1" }, ...include }), [200, "DELETE", "42", null], host);
    assert.equal(await call("/with/x", { method: "patch", ...include }), "blocked", "browsers do not make it PATCH");
  }
  const allowed = api.requests.length;
  assert.equal(allowed, 9);
  for (const host of ["team.localhost", "listed.localhost.evil.localhost", "evil.localhost"]) {
    await page.goto(pages.origin(host));
    assert.equal(await call("/with/x", include), "blocked", host);
    assert.equal(await call("/with/x", { ...json, ...include }), "blocked", host);
  }
  assert.equal(api.requests.length, allowed, "not even the simple request got through");
});

test("without credentials: what carries none is allowed, what carries some is not", async () => {
  await page.goto(pages.origin("any.localhost"));
  assert.deepEqual(await call("/without/x"), [200, "GET", "42", "1"]);
  assert.deepEqual(await call("/without/x", { ...json, method: "PUT" }), [200, "PUT", "42", "1"]);
  assert.equal(await call("/without/x", include), "blocked");
  assert.deepEqual(await call("/open/x", { ...json, method: "PROPFIND" }), [200, "PROPFIND", null, null]);
  assert.equal(await call("/open/x", { headers: { authorization: "Basic eDp5" } }), "blocked", "a wildcard never covers it");
});

test("an error of the relay's own can be read by a page that may", async () => {
  await page.goto(pages.origin("listed.localhost"));
  const [status, body] = await call("/gone/x");
  assert.deepEqual([status, JSON.parse(body).code], [502, "upstream_unreachable"]);
});

test("max_age is honoured: a kept preflight is not sent again, with 0 each one is", async () => {
  await page.goto(pages.origin("listed.localhost"));
  const preflights = async (path) => {
    const before = (await relay.records()).length;
    for (let time = 0; time < 3; time++) assert.equal((await call(path, { method: "PUT" }))[0], 200);
    const records = (await relay.records(before + 4)).slice(before);
    return records.filter(({ method, route }) => method === "OPTIONS" && path.startsWith(route)).length;
  };
  assert.equal(await preflights("/with/kept"), 1);
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(await preflights("/open/not-kept"), 3);
});

test("in debug mode the console names the true cause", async () => {
  for (const [host, path, init, cause] of [
    ["evil.localhost", "/with/x", json, /No 'Access-Control-Allow-Origin' header is present/],
    ["listed.localhost", "/with/x", { method: "BREW" }, /Method BREW is not allowed by Access-Control-Allow-Methods/],
    ["listed.localhost", "/with/x", { ...json, headers: { "content-type": "application/json", "x-other": "1" } }, /Request header field x-other is not allowed by Access-Control-Allow-Headers/],
  ]) {
    await page.goto(pages.origin(host));
    console_lines.length = 0;
    assert.equal(await call(path, init), "blocked");
    for (let tries = 0; console_lines.length === 0 && tries < 50; tries++) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.match(console_lines.join("\n"), cause);
  }
  assert.equal(api.requests.length, 0);
});
