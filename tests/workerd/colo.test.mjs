// The issuer's keys out of Cloudflare's cache: isolates are young, and the first request of each would wait for the issuer.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { startColo } from "../support/colo.mjs";
import { audience, startIssuer } from "../support/issuer.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { startRelay } from "../support/workerd.mjs";

let api, issuer, colo;
before(async () => ([api, issuer, colo] = await Promise.all([startRecorder(), startIssuer(), startColo()])));
after(() => Promise.all([api, issuer, colo].map((part) => part?.stop())));
afterEach(() => {
  api.reset();
  issuer.answer = issuer.publish;
  colo.asked.length = 0;
  colo.later(3600); // Nothing of before is there any more.
  issuer.fetches = 0;
});

/** A relay just started, as an isolate is. */
async function isolate(use) {
  const relay = await startRelay({
    relay: { access: { issuer: issuer.url, audience: [audience] }, routes: [{ path: "/api", upstream: api.url }] },
    secrets: { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: "s3cr3t-value" },
    colo: colo.address,
  });
  try {
    return await use((token) => fetch(`${relay.url}/api/x`, { headers: { "cf-access-jwt-assertion": token } }).then(({ status }) => status));
  } finally {
    await relay.stop();
  }
}

const ofKeys = () => colo.asked.filter(({ url }) => url.startsWith(issuer.url)).map(({ cf }) => cf);

test("fifty isolates, one after another, ask the issuer once", async () => {
  for (let number = 0; number < 50; number++) assert.equal(await isolate((call) => call(issuer.token())), 200, `isolate ${number}`);
  assert.equal(issuer.fetches, 1);
  assert.equal(ofKeys().length, 50);
  for (const cf of ofKeys()) assert.deepEqual(cf, { cacheEverything: true, cacheTtlByStatus: { "200-299": 300, "300-599": -1 } });
  // Of the calls to the API, nothing is kept.
  const others = colo.asked.filter(({ url }) => url.startsWith(api.url));
  assert.equal(others.length, 50);
  for (const { cf } of others) assert.equal(cf.cacheEverything, undefined);
  assert.equal(api.requests.length, 50);
});

test("a key that the cache does not have yet is asked for past it, at once", async () => {
  assert.equal(await isolate((call) => call(issuer.token())), 200);
  issuer.rotate();
  assert.equal(await isolate((call) => call(issuer.token())), 200);
  assert.equal(issuer.fetches, 2);
  const [, second, third] = ofKeys();
  assert.deepEqual([second.cacheEverything, third.cacheEverything], [true, undefined]);
});

test("strangers who make up keys cause one call past the cache in half a minute", async () => {
  await isolate(async (call) => {
    for (let number = 0; number < 20; number++) assert.equal(await call(issuer.token({}, { ...issuer.keys[0], kid: `made-up-${number}` })), 401);
    assert.equal(await call(issuer.token()), 200);
  });
  assert.deepEqual(ofKeys().map((cf) => cf.cacheEverything), [true, undefined]);
});

test("a failing answer is not kept, and neither is one that holds no keys asked for twice", async () => {
  issuer.answer = (request, response) => response.writeHead(500).end();
  assert.equal(await isolate((call) => call(issuer.token())), 503);
  issuer.answer = issuer.publish;
  assert.equal(await isolate((call) => call(issuer.token())), 200);
  assert.equal(issuer.fetches, 2);

  colo.later(3600);
  issuer.answer = (request, response) => response.writeHead(200).end("<html>");
  await isolate(async (call) => {
    assert.equal(await call(issuer.token()), 503);
    issuer.answer = issuer.publish;
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    assert.equal(await call(issuer.token()), 200);
  });
});

test("keys out of the cache are five minutes old at most", async () => {
  await isolate((call) => call(issuer.token()));
  colo.later(299);
  await isolate((call) => call(issuer.token()));
  assert.equal(issuer.fetches, 1);
  colo.later(2);
  await isolate((call) => call(issuer.token()));
  assert.equal(issuer.fetches, 2);
});
