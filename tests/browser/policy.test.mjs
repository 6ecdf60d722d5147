// The policy, as a browser reads it: with and without credentials, patterns, exposed headers and max-age.
// The relay is asked directly here, with no login in front of it.

import assert from "node:assert/strict";
import { after, before, beforeEach } from "node:test";
import { startPages } from "../support/browser.mjs";
import { inEachEngine } from "../support/engines.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { startTls } from "../support/tls.mjs";
import { startRelay } from "../support/workerd.mjs";

inEachEngine("The CORS policy", ({ launch, tls, test }) => {
  let api, browser, front, page, pages, relay, base;

  before(async () => {
    [api, pages] = await Promise.all([startRecorder(), startPages({ tls })]);
    const listed = pages.origin("listed.localhost");
    const { protocol, port } = new URL(listed);
    relay = await startRelay({
      relay: {
        access: { dangerously_allow_anyone: true },
        routes: [
          { path: "/with", upstream: api.url, cors: { allowed_origins: [listed, `${protocol}//*.team.localhost:${port}`], allowed_methods: ["PUT", "PATCH", "DELETE"], allowed_headers: ["content-type", "x-custom"], exposed_headers: ["x-total"], allow_credentials: true } },
          { path: "/without", upstream: api.url, cors: { allowed_origins: [`${protocol}//*.localhost:*`], allowed_methods: ["PUT"], allowed_headers: ["content-type"], exposed_headers: ["*"] } },
          { path: "/open", upstream: api.url, cors: { allowed_origins: ["*"], allowed_methods: ["*"], allowed_headers: ["*"], max_age: 0 } },
          { path: "/gone", upstream: "http://127.0.0.1:9", cors: { allowed_origins: [listed] } },
        ],
        debug: true,
        log: "requests",
      },
      secrets: { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: "s3cr3t-value" },
    });
    front = tls ? await startTls(relay.port) : undefined;
    base = `${protocol}//relay.localhost:${front?.port ?? relay.port}`;
    browser = await launch();
    page = browser.page;
  });
  after(async () => {
    await browser?.close();
    await front?.stop();
    await Promise.all([relay?.stop(), pages?.stop(), api?.stop()]);
  });
  beforeEach(async () => {
    api.reset();
    api.answer = (request, response) => response.writeHead(200, { "x-total": "42", "x-internal": "1", "set-cookie": "api=1" }).end(request.method);
  });

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
});
