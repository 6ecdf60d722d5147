// Signing keys under fire: cold starts, rotation, an issuer that misbehaves, and strangers who make up tokens.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { audience, makeKey, makeToken, startIssuer } from "../support/issuer.mjs";
import { sendMany } from "../support/load.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { startRelay } from "../support/workerd.mjs";

let api;
before(async () => (api = await startRecorder()));
after(() => api?.stop());
beforeEach(() => api.reset());

async function withRelay(options, use) {
  const issuer = await startIssuer();
  const relay = await startRelay({
    relay: { access: { issuer: issuer.url, audience: [audience] }, routes: [{ path: "/api", upstream: api.url }] },
    secrets: { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: "s3cr3t-value" },
    ...options,
  });
  const call = (token, init = {}) => fetch(`${relay.url}/api/x`, { headers: { "cf-access-jwt-assertion": token }, ...init });
  const send = (tokens, connections) => {
    const rest = tokens[Symbol.iterator]();
    const next = () => {
      const { value, done } = rest.next();
      return done ? undefined : { "cf-access-jwt-assertion": value };
    };
    return sendMany(relay.port, next, { connections });
  };
  try {
    await use({ issuer, relay, call, send });
  } finally {
    await Promise.all([relay.stop(), issuer.stop()]);
  }
}

const code = async (answer) => [answer.status, (await answer.json()).code];

test("a hundred requests at a cold start are all served, by one fetch of the keys", async () => {
  await withRelay({}, async ({ issuer, send }) => {
    issuer.answer = (...exchange) => setTimeout(() => issuer.publish(...exchange), 300);
    const tokens = Array.from({ length: 100 }, () => issuer.token());
    assert.deepEqual(await send(tokens, 100), { 200: 100 });
    assert.equal(api.requests.length, 100);
    assert.equal(issuer.fetches, 1);
  });
});

test("keys rotate under load without one wrong answer", async () => {
  await withRelay({}, async ({ issuer, send }) => {
    issuer.answer = (...exchange) => setTimeout(() => issuer.publish(...exchange), 100);
    const forger = makeKey();
    const sent = { good: 0, forged: 0 };
    // One of five is forged: it names a key of the issuer's, by turns the old and the new one.
    const [until, enough] = [Date.now() + 3_000, 1_300];
    function* tokens() {
      for (let number = 0; Date.now() < until || number < enough; number++) {
        if (number === 600) issuer.rotate();
        const key = issuer.keys.at(number % 2 ? -1 : 0);
        const forged = number % 5 === 0;
        sent[forged ? "forged" : "good"]++;
        yield issuer.token({}, forged ? { ...forger, kid: key.kid } : key);
      }
    }
    const tally = await send(tokens(), 24);
    assert.ok(issuer.keys.length === 2 && sent.good > 1_000, `too few: ${JSON.stringify(sent)}`);
    assert.deepEqual(tally, { 200: sent.good, 401: sent.forged });
    assert.equal(api.requests.length, sent.good);
    assert.equal(issuer.fetches, 2);
  });
});

// What an endpoint can do instead of publishing keys, and what the log says of it.
const misbehaviours = {
  "closes the connection": [(request) => request.socket.destroy(), /certs: /],
  "never answers": [() => {}, /certs: .*time/i],
  "never ends its answer": [(_, response) => response.writeHead(200).write('{"keys":['), /certs: .*time/i],
  "answers with a page": [(_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>"), /answered no JSON$/],
  "answers with other JSON": [(_, response) => response.writeHead(200).end('{"keys":{}}'), /answered no JSON Web Key Set$/],
  "answers with keys for others": [(_, response) => response.writeHead(200).end('{"keys":[{"kty":"EC","kid":"x"}]}'), /answered no key that can verify RS256$/],
  "answers with more than a key set can have": [(_, response, keys) => response.writeHead(200).end(keys + " ".repeat(256 * 1024)), /answered more than 262144 bytes$/],
  "never stops answering": [(_, response) => endless(response), /answered more than 262144 bytes$/],
  "redirects to where the keys are": [(request, response) => (request.url === "/elsewhere" ? undefined : response.writeHead(302, { location: "/elsewhere" }).end()), /answered 302$/],
  "fails, with keys": [(_, response, keys) => response.writeHead(500).end(keys), /answered 500$/],
  "answers in part, with keys": [(_, response, keys) => response.writeHead(206).end(keys), /answered 206$/],
};

function endless(response) {
  response.writeHead(200);
  const write = () => response.destroyed || (response.write(" ".repeat(16 * 1024)), setTimeout(write, 1));
  write();
}

test("nobody can be told apart while the issuer", { concurrency: 4 }, async (t) => {
  const cases = Object.entries(misbehaviours).map(([name, [answer, reason]]) =>
    t.test(name, () =>
      withRelay({}, async ({ issuer, relay, call }) => {
        const keys = JSON.stringify({ keys: issuer.keys.map(({ jwk }) => jwk) });
        issuer.answer = (request, response) => answer(request, response, keys);
        assert.deepEqual(await code(await call(issuer.token())), [503, "keys_unavailable"]);
        // For a moment it is left alone.
        assert.deepEqual(await code(await call(issuer.token())), [503, "keys_unavailable"]);
        assert.equal(issuer.fetches, 1);
        const [record] = await relay.records();
        assert.match(record.reason, reason);
        // The API has got nothing that this relay sent.
        assert.deepEqual(api.requests.filter(({ headers }) => headers["x-forwarded-host"] === new URL(relay.url).host), []);
        issuer.answer = issuer.publish;
        await pause(2_100);
        assert.equal((await call(issuer.token())).status, 200);
      }),
    ),
  );
  await Promise.all(cases);
});

test("a caller who goes away does not take the keys along", async () => {
  await withRelay({ front: true }, async ({ issuer, call }) => {
    issuer.answer = (...exchange) => setTimeout(() => issuer.publish(...exchange), 500);
    const headers = { "cf-access-jwt-assertion": issuer.token(), "x-leave": "1" };
    assert.equal((await call(undefined, { headers })).status, 299);
    issuer.answer = (request) => request.socket.destroy();
    // Whoever comes meanwhile waits for that fetch, and is served by it.
    assert.equal((await call(issuer.token())).status, 200);
    assert.equal(issuer.fetches, 1);
  });
});

/** Tells how much memory the relay's Wasm has. */
const TELLING_MEMORY = 'if (request.url.endsWith("/memory")) return new Response(String(latest.exports.memory.buffer.byteLength));';

/** The memory of such a relay's Wasm. */
const wasmBytes = async (relay) => Number(await (await fetch(`${relay.url}/memory`)).text());

test("callers who go away while they wait for keys leave nothing behind", async () => {
  await withRelay({ front: true, handle: TELLING_MEMORY }, async ({ issuer, relay, call }) => {
    const long = "x".repeat(6_000);
    // Each round the issuer takes a second, and all who wait for it leave before.
    const round = async () => {
      issuer.answer = (request) => setTimeout(() => request.socket.destroy(), 400);
      const leave = () => fetch(`${relay.url}/api/${long}`, { headers: { "cf-access-jwt-assertion": issuer.token({ long: long.slice(2_000) }), "x-leave": "1" } });
      const answers = await Promise.all(Array.from({ length: 300 }, leave));
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [299]);
      // The failed fetch is forgotten after two seconds.
      await pause(2_600);
      return wasmBytes(relay);
    };
    const before = await round();
    const after = [await round(), await round(), await round()];
    assert.ok(Math.max(...after) <= before * 1.1, `bytes after each round: ${[before, ...after]}`);
    issuer.answer = issuer.publish;
    assert.equal((await call(issuer.token())).status, 200);
  });
});

/** The log has fewer lines than `most` for so many refusals, and counts what it leaves out: the next line tells. */
async function assertCountedInTheLog(relay, call, refusals, most) {
  await pause(1_100);
  assert.equal((await call("x")).status, 401);
  const counted = (records) => records.reduce((sum, { left_out = 0 }) => sum + 1 + left_out, 0);
  const records = await relay.records((records) => counted(records) > refusals);
  assert.ok(records.length < most, `${records.length} records`);
  assert.equal(counted(records), refusals + 1);
}

test("10,000 tokens with made-up kids cost the issuer next to nothing, and callers nothing", async () => {
  await withRelay({}, async ({ issuer, relay, call, send }) => {
    const stranger = makeKey();
    const [, claims, signature] = makeToken(stranger, issuer.url).split(".");
    function* strangers() {
      for (let number = 0; number < 10_000; number++) {
        const header = Buffer.from(JSON.stringify({ alg: "RS256", kid: randomUUID(), typ: "JWT" })).toString("base64url");
        yield `${header}.${claims}.${signature}`;
      }
    }
    const sending = send(strangers(), 32);
    const statuses = [];
    for (let number = 0; number < 20; number++) statuses.push((await call(issuer.token())).status);
    assert.deepEqual([...new Set(statuses)], [200]);
    assert.deepEqual(await sending, { 401: 10_000 });
    assert.equal(api.requests.length, 20);
    assert.ok(issuer.fetches <= 3, `${issuer.fetches} fetches`);
    // Nor can they fill the log.
    await assertCountedInTheLog(relay, call, 10_000, 1_000);
  });
});

test("nor can they fill the log while there are no keys", async () => {
  await withRelay({}, async ({ issuer, relay, call, send }) => {
    issuer.answer = (request) => request.socket.destroy();
    assert.deepEqual(await send(Array.from({ length: 2_000 }, () => issuer.token()), 32), { 503: 2_000 });
    await assertCountedInTheLog(relay, call, 2_000, 400);
  });
});

test("memory stays bounded with 120,000 distinct tokens", async () => {
  await withRelay({ handle: TELLING_MEMORY }, async ({ issuer, relay, send }) => {
    api.answer = (_, response) => response.writeHead(200).end();
    const residentMiB = () => Number(readFileSync(`/proc/${relay.pid}/status`, "utf8").match(/^VmRSS:\s+(\d+) kB/m)[1]) / 1024;
    const round = async (count) => {
      function* tokens() {
        // The longest that is remembered.
        for (let number = 0; number < count; number++) yield issuer.token({ sub: randomUUID(), email: `${"a".repeat(400)}@example.com` });
      }
      const tally = await send(tokens(), 16);
      api.reset();
      assert.deepEqual(tally, { 200: count });
      wasm.push(await wasmBytes(relay));
      resident.push(residentMiB());
    };
    const [wasm, resident] = [[], []];
    for (let part = 0; part < 12; part++) await round(10_000);
    // The relay's own is all taken soon; V8's heap takes 80,000 requests to find its size.
    assert.ok(wasm.at(-1) <= 1.1 * wasm[1], `bytes of the Wasm after each 10,000: ${wasm.join(", ")}`);
    const [before, last] = [Math.max(...resident.slice(6, 9)), Math.max(...resident.slice(9))];
    assert.ok(last < 1.08 * before && last < 400, `MiB after each 10,000: ${resident.map(Math.round).join(", ")}`);
  });
});
