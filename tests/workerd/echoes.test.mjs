// What an API echoes of a request: the secret in it is in no answer, and in no line of the log.

import assert from "node:assert/strict";
import { test } from "node:test";
import { audience } from "../support/issuer.mjs";
import { sendRaw } from "../support/raw.mjs";
import { startRelay } from "../support/workerd.mjs";
import { SECRET, secrets, sendTo, startWithIssuer } from "../support/setup.mjs";

const { api, relay, token, login, send } = await startWithIssuer();

/** An API that writes all that it gets into its answer's body, as Apache answers TRACE. */
const echo = (incoming, response) => response.end(`${incoming.method} ${incoming.url}\n${incoming.rawHeaders.join("\n")}`);

test("TRACE, TRACK and CONNECT are sent by no kind of route", async () => {
  api.answer = echo;
  for (const path of ["/api/x", "/whole/x", "/open/x", "/preflights/x"]) {
    const traced = await send("TRACE", path, [login]);
    assert.deepEqual([traced.status, traced.code], [405, "method_not_forwarded"], path);
    assert.match(traced.headers.allow, /^GET, HEAD, POST/);
    // workerd knows the other two as no method of a Worker's, and answers by itself.
    for (const method of ["TRACK", "CONNECT", "trace"]) assert.ok((await send(method, path, [login])).status >= 400, method);
  }
  assert.equal(api.requests.length, 0);
  // Another method of an echoing API: what its body holds is the API's to say (SECURITY.md).
  assert.ok((await send("GET", "/api/x", [login])).body.includes(SECRET));
});

test("an API that echoes the service token in headers: it is in no answer and in no line of the log", async () => {
  const before = relay.output().length;
  const shapes = [
    [200, { "x-echo": SECRET }], [200, { "cf-access-client-secret": SECRET, "cf-access-client-id": "0123.access" }], [200, { "x-all": `a; secret=${SECRET}; b` }],
    [200, { [`x-${SECRET}`]: "1" }], [302, { location: `/x?s=${SECRET}` }], [200, { "set-cookie": `session=${SECRET}` }], [200, { link: `</x?${SECRET}>; rel=next` }],
    [200, { vary: `x-forwarded-user, ${SECRET}` }], [403, { "cf-access-error": SECRET }], [403, { "cf-access-aud": SECRET }], [401, { "cf-access-domain": SECRET }],
    [401, { "www-authenticate": `Bearer resource_metadata="https://x/${SECRET}"` }], [401, { "www-authenticate": `Cloudflare-Access ${SECRET}` }],
    [200, { "cache-control": `private, x=${SECRET}` }], [200, { "x-upper": SECRET.toUpperCase() }], [200, { etag: `"${SECRET}"`, server: SECRET }],
    [302, { location: `https://acme.cloudflareaccess.com/cdn-cgi/access/login?${SECRET}` }], [503, { "retry-after": "1", "x-secret": SECRET }],
  ];
  for (const [status, headers] of shapes) {
    api.answer = (_, response) => response.writeHead(status, headers).end();
    const answer = await send("GET", "/api/x", [login]);
    assert.ok(answer.status > 0);
    assert.ok(!JSON.stringify(answer).toLowerCase().includes(SECRET.toLowerCase()), JSON.stringify([status, headers, answer]));
    assert.equal(Object.keys(answer.headers).filter((name) => name.startsWith("cf-access")).length, 0);
  }
  api.answer = (_, response) => response.writeHead(200, SECRET).end();
  const raw = await sendRaw(relay.port, ["GET /api/x HTTP/1.1", "Host: app.example.com", "Connection: close", login, "", ""].join("\r\n"));
  assert.equal(raw.status, 200);
  assert.ok(!JSON.stringify(raw).includes(SECRET), raw.statusLine);
  // Of a preflight that nobody was checked for.
  for (const name of ["headers", "methods"].map((what) => `access-control-allow-${what}`).concat("access-control-max-age")) {
    api.answer = (_, response) => response.writeHead(204, { [name]: SECRET }).end();
    const answer = await send("OPTIONS", "/preflights/x", ["Origin: https://admin.example.com", "Access-Control-Request-Method: PUT"]);
    assert.deepEqual([answer.status, answer.headers[name]], [204, undefined]);
  }
  // The caller's own token, which page scripts cannot read.
  api.answer = (incoming, response) => response.writeHead(200, { "x-echo": incoming.headers["cf-access-token"] }).end();
  assert.equal((await send("GET", "/whole/x", [login])).headers["x-echo"], undefined);
  assert.equal(api.requests.at(-1).headers["cf-access-token"], token);
  const records = await relay.records((records) => records.length >= 12);
  assert.ok(records.some(({ warnings }) => warnings?.some((warning) => /holds a credential that the relay sent: its header x-echo is left out/.test(warning))));
  assert.ok(!relay.output().slice(before).includes(SECRET));
});

test("with debug, no answer and no line of the log quotes what an API echoed", async () => {
  const debug = await startRelay({
    relay: { access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: api.url }], debug: true },
    secrets,
  });
  for (const name of ["cf-access-error", "cf-access-aud", "cf-access-domain"]) {
    api.answer = (_, response) => response.writeHead(403, { [name]: SECRET }).end();
    const answer = await sendTo(debug.port, "GET", "/api/x");
    assert.equal(answer.code, "upstream_access_denied");
    assert.match(answer.body, new RegExp(`answered 403 with ${name}( \\(not shown\\))?: check`));
    assert.ok(!JSON.stringify(answer).includes(SECRET));
  }
  // An AUD tag is of a known form, and tells which application has answered.
  api.answer = (_, response) => response.writeHead(403, { "cf-access-aud": audience }).end();
  assert.ok((await sendTo(debug.port, "GET", "/api/x")).body.includes(`403 with cf-access-aud ${audience}: check`));
  assert.ok(!debug.output().includes(SECRET) && debug.output().includes(audience));
  await debug.stop();
});
