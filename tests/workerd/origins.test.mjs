// Pages of another origin: what the CORS policy lets them do, and that a foreign one changes nothing.

import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { startWithEmulator } from "../support/setup.mjs";

const { api, relay, token, call } = await startWithEmulator();

test("preflights are answered at the edge", async () => {
  const preflight = async (headers) => {
    const answer = await fetch(`${relay.url}/api/x`, { method: "OPTIONS", headers });
    const cors = [...answer.headers].filter(([name]) => name.startsWith("access-control-") || name === "vary");
    return [answer.status, Object.fromEntries(cors), answer.status === 204 ? undefined : (await answer.json()).code];
  };
  const vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
  const allowed = { "access-control-allow-origin": "https://admin.example.com", "access-control-allow-credentials": "true", "access-control-max-age": "60", vary };
  const origin = { origin: "https://admin.example.com", "access-control-request-method": "PUT" };
  assert.deepEqual(await preflight(origin), [204, { ...allowed, "access-control-allow-methods": "PUT" }, undefined]);
  assert.deepEqual(await preflight({ ...origin, "access-control-request-method": "POST", "access-control-request-headers": "content-type" }), [204, { ...allowed, "access-control-allow-headers": "content-type" }, undefined]);
  assert.deepEqual(await preflight({ ...origin, origin: "https://evil.example" }), [403, { vary }, "origin_not_allowed"]);
  assert.deepEqual(await preflight({ ...origin, "access-control-request-method": "DELETE" }), [403, { vary }, "method_not_allowed"]);
  assert.deepEqual(await preflight({ ...origin, "access-control-request-headers": "x-a" }), [403, { vary }, "header_not_allowed"]);
  assert.equal(api.requests.length, 0);
});

test("actual requests of allowed origins can be read, of others not", async () => {
  const allowed = await call("/api/x", { headers: { origin: "https://admin.example.com" } });
  assert.equal(allowed.headers.get("access-control-allow-origin"), "https://admin.example.com");
  assert.equal(allowed.headers.get("access-control-allow-credentials"), "true");
  assert.equal(allowed.headers.get("access-control-expose-headers"), "x-total");
  assert.equal(allowed.headers.get("vary"), "Origin");
  for (const [headers, status] of [[{ origin: "https://evil.example" }, 403], [{}, 200]]) {
    const answer = await call("/api/x", { headers });
    assert.deepEqual([answer.status, answer.headers.get("access-control-allow-origin"), answer.headers.get("vary")], [status, null, "Origin"]);
  }
});

test("a foreign page changes nothing", async () => {
  const foreign = [{ "sec-fetch-site": "cross-site", origin: "https://evil.example" }, { origin: "https://evil.example" }, { origin: "null" }];
  for (const headers of foreign) {
    // Node's fetch sets sec-fetch-mode alone, so what is sent here is what arrives.
    const answer = await new Promise((resolve, reject) => {
      const sent = request(`${relay.url}/api/x`, { method: "POST", headers: { ...headers, "cf-access-jwt-assertion": token } }, resolve);
      sent.on("error", reject).end("a=1");
    });
    assert.equal(answer.statusCode, 403);
    answer.resume();
  }
  assert.equal(api.requests.length, 0);
});
