// Nothing on the path of a request may panic; should it happen all the same, the next request is served.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { audience, startIssuer } from "../support/issuer.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { startRelay } from "../support/workerd.mjs";

let api, issuer, relay, known;

/** Where a request says so: a trap while its head is read, while it is sent, and while its answer is edited. */
const TRAPS = `
const getter = (prototype, name) => Object.getOwnPropertyDescriptor(prototype, name)?.get ?? getter(Object.getPrototypeOf(prototype), name);
const watch = (type, name, panics) => {
  const get = getter(type.prototype, name);
  Object.defineProperty(type.prototype, name, { get() { if (panics(this)) trap(); return get.call(this); } });
};
const url = getter(Request.prototype, "url");
watch(Request, "method", (request) => url.call(request).endsWith("?before"));
watch(Request, "body", (request) => url.call(request).endsWith("?later"));
watch(Response, "statusText", (response) => response.headers.has("x-trap"));
`;

before(async () => {
  api = await startRecorder();
  api.answer = (request, response) => {
    const answer = () => response.writeHead(200, request.url.endsWith("?after") ? { "x-trap": "1" } : {}).end("hello");
    request.url.endsWith("?slow") ? setTimeout(answer, 500) : answer();
  };
  issuer = await startIssuer();
  known = issuer.token();
  relay = await startRelay({
    relay: { access: { issuer: issuer.url, audience: [audience] }, routes: [{ path: "/api", upstream: api.url }] },
    secrets: { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: "s3cr3t-value" },
    before: TRAPS,
  });
});
after(() => Promise.all([relay?.stop(), issuer?.stop(), api?.stop()]));

const status = (path, token = known) =>
  fetch(relay.url + path, { headers: { "cf-access-jwt-assertion": token }, signal: AbortSignal.timeout(5_000) }).then((answer) => answer.status);

for (const [when, query, called, token] of [
  ["before the call to the API", "before", 0],
  ["after the call to the API", "after", 1],
  // The Wasm goes on by itself there, when a promise has settled.
  ["after a signature was verified", "later", 0, () => issuer.token({ never: "seen" })],
]) {
  test(`a panic ${when} is an error of that request, and the next one is served`, async () => {
    assert.equal(await status("/api"), 200);
    const api_calls = api.requests.length;
    assert.equal(await status(`/api?${query}`, token?.()), 500);
    assert.equal(api.requests.length - api_calls, called);
    assert.equal(await status("/api"), 200);
    assert.equal(api.requests.at(-1).headers["cf-access-client-secret"], "s3cr3t-value");
  });
}

test("a request under way while another one panics is answered, with an error where its state is gone", async () => {
  const slow = status("/api?slow");
  while (!api.requests.at(-1)?.url.endsWith("?slow")) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(await status("/api?before"), 500);
  assert.equal(await status("/api"), 200);
  assert.ok([200, 500].includes(await slow), "it must not hang");
});

test("a panic of Rust itself says where it was", async () => {
  // The randomness for a trace is asked for while a cell is borrowed: a call back into the relay finds it so.
  const reentering = `
const given = crypto.getRandomValues.bind(crypto);
let again = true;
crypto.getRandomValues = (bytes) => {
  if (again) { again = false; latest.exports.relay(...globalThis.current); }
  return given(bytes);
};
`;
  const broken = await startRelay({
    relay: { access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: api.url }] },
    secrets: { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: "s3cr3t-value" },
    before: reentering,
    handle: "globalThis.current = [request, env];",
  });
  try {
    assert.equal((await fetch(`${broken.url}/api`)).status, 500);
    for (let tries = 0; tries < 100 && !broken.output().includes("panicked"); tries++) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.match(broken.output(), /panicked at \S+\.rs:\d+:\d+:\s+RefCell already borrowed/);
  } finally {
    await broken.stop();
  }
});
