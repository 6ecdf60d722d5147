// Where Access protects the Worker itself: the runtime vouches for callers, and says who they are when it is asked.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { get } from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { audience, startIssuer } from "../support/issuer.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { startRelay } from "../support/workerd.mjs";

const secrets = { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: "cfast_5eC4e7C0" + "5eC4e7C0".repeat(4) };
const ada = { user_uuid: "ada-1", email: "ada@example.com" };

/** Says who somebody is, as the claims want it; the last group's name counts the calls. */
const IDENTITIES = `
  if (claims === undefined) return undefined;
  const { slow, fail, as, ...identity } = claims;
  if (slow) await new Promise((resolve) => setTimeout(resolve, slow));
  if (fail) throw new Error(fail);
  if (as === "a function") return () => identity;
  return as !== undefined ? as : { ...identity, groups: [...(identity.groups ?? []), { id: "1", name: "call-" + calls }] };`;

let api, issuer, relay, listed, either, production;
before(async () => {
  [api, issuer] = await Promise.all([startRecorder(), startIssuer()]);
  api.upgrade = (incoming, socket) => {
    const accept = createHash("sha1").update(`${incoming.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    socket.on("error", () => {}).write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  };
  const routes = [{ path: "/api", upstream: api.url }];
  const start = (access, more) => startRelay({ relay: { access: { platform: true, ...access }, routes, health_path: "/healthz", log: "requests" }, secrets, ...more });
  const tokens = { issuer: issuer.url, audience: [audience] };
  [relay, listed, either, production] = await Promise.all([
    start({ groups: true }, { platform: IDENTITIES, front: true }),
    start({ audience: [audience, "other"], identity_headers: false }, { platform: IDENTITIES }),
    start(tokens, { platform: IDENTITIES }),
    // The runtime makes nothing of the header, as on Cloudflare.
    start(tokens),
  ]);
});
after(() => Promise.all([relay, listed, either, production, api, issuer].map((part) => part?.stop())));
beforeEach(() => api.reset());

const blob = (claims, aud = audience) => ({ "mf-access-blob": JSON.stringify({ app_aud: aud, ...(claims === undefined ? {} : { jwt_claims: claims }) }) });
const call = (to, claims, { headers = {}, aud, ...rest } = {}) => fetch(`${to.url}/api/x`, { headers: { ...blob(claims, aud), ...headers }, ...rest });

/** What the API was told of a caller. */
function told() {
  const { headers } = api.requests.at(-1);
  assert.deepEqual(Object.entries(headers).filter(([name, value]) => /^mf|^cf-access-(jwt|token)/.test(name) || /evil/.test(value)), []);
  return ["user", "email", "client-id", "groups"].map((name) => headers[`x-forwarded-${name}`]);
}

async function refused(answer, status, code) {
  answer = await answer;
  assert.deepEqual([answer.status, (await answer.json()).code], [status, code]);
  assert.equal(api.requests.length, 0, "the API was called");
}

let tokens = 0;
const someToken = () => ({ "cf-access-jwt-assertion": `some.token.${(tokens += 1)}` });

test("whom the runtime vouches for is let in, and the API is told what the runtime says", async () => {
  const spoofed = { "x-forwarded-user": "evil", "x_forwarded_groups": "evil", "mf_access_blob": "evil", "mf-access-x": "evil" };
  assert.equal((await call(relay, ada, { headers: { ...someToken(), ...spoofed } })).status, 200);
  const [user, email, program, groups] = told();
  assert.deepEqual([user, email, program], ["ada-1", "ada@example.com", undefined]);
  assert.match(groups, /^call-\d+$/);
  // Nobody is asked for who need not be known.
  assert.equal((await call(listed, { fail: "never asked" })).status, 200);
  assert.deepEqual(told(), [undefined, undefined, undefined, undefined]);
  const records = await listed.records();
  assert.deepEqual(records.map(({ caller }) => caller), ["somebody"]);
});

test("where the runtime is silent, or vouches for another application, nobody is let in", async () => {
  await refused(fetch(`${relay.url}/api/x`), 401, "unauthenticated");
  await refused(fetch(`${relay.url}/api/x`, { headers: { "cf-access-jwt-assertion": issuer.token() } }), 401, "unauthenticated");
  assert.equal((await call(listed, ada, { aud: "other" })).status, 200);
  api.reset();
  await refused(call(listed, ada, { aud: "another" }), 401, "unauthenticated");
  await refused(call(listed, ada, { aud: "" }), 401, "unauthenticated");
  assert.equal((await fetch(`${relay.url}/healthz`)).status, 200);
});

test("a forged header of wrangler's opens nothing where the runtime does not make it a word", async () => {
  await refused(call(production, ada), 401, "unauthenticated");
  await refused(call(production, ada, { headers: { "cf-access-jwt-assertion": "x.y.z", "x-forwarded-user": "ada-1" } }), 401, "unauthenticated");
  // The token decides, and what was forged does not cross.
  assert.equal((await call(production, { user_uuid: "evil", email: "evil@example.com" }, { headers: { "cf-access-jwt-assertion": issuer.token() } })).status, 200);
  assert.deepEqual(told().slice(1), ["ada@example.com", undefined, undefined]);
});

test("the first requests of one person cause one call, and five minutes are remembered", async () => {
  const headers = someToken();
  const answers = await Promise.all(Array.from({ length: 20 }, () => call(relay, { ...ada, slow: 150 }, { headers })));
  assert.deepEqual(answers.map(({ status }) => status), Array(20).fill(200));
  await call(relay, { ...ada, fail: "asked again" }, { headers });
  assert.equal(new Set(api.requests.map((request) => request.headers["x-forwarded-groups"])).size, 1);
  assert.equal(api.requests.length, 21);
});

test("a call that fails, or says nothing that names somebody, is no anonymous request", async () => {
  const headers = someToken();
  await refused(call(relay, { ...ada, fail: "it broke" }, { headers }), 503, "identity_unavailable");
  for (const as of ["", "ada@example.com", 7, true, null, [], {}, { email: "" }, { email: "björn@example.com" }, "a function"]) await refused(call(relay, { as }, { headers: someToken() }), 503, "identity_unavailable");
  const records = await relay.records((records) => records.some(({ code }) => code === "identity_unavailable"));
  assert.match(records.find(({ code }) => code === "identity_unavailable").reason, /^getIdentity\(\): it broke$/);
  // It is asked again at once.
  assert.equal((await call(relay, ada, { headers })).status, 200);
});

test("a call that takes longer than two seconds is given up, for all who waited", async () => {
  const [headers, began] = [someToken(), Date.now()];
  const answers = await Promise.all(Array.from({ length: 3 }, () => call(relay, { ...ada, slow: 4_000 }, { headers })));
  for (const answer of answers) await refused(answer, 503, "identity_unavailable");
  const elapsed = Date.now() - began;
  assert.ok(elapsed >= 1_900 && elapsed < 3_800, `${elapsed} ms`);
});

test("whoever leaves while the runtime is asked leaves the others their answer", async () => {
  const headers = someToken();
  const leaves = call(relay, { ...ada, slow: 500 }, { headers: { ...headers, "x-leave": "1" } });
  await new Promise((resolve) => setTimeout(resolve, 50));
  const stays = await call(relay, { ...ada, slow: 500 }, { headers });
  assert.deepEqual([(await leaves).status, stays.status], [299, 200]);
  assert.equal(told()[0], "ada-1");
});

test("what a page has planted beside the true token names nobody else", async () => {
  const cookies = (...values) => ({ cookie: values.map((value) => `CF_Authorization=${value}`).join("; ") });
  const mallory = { user_uuid: "mallory-1", email: "mallory@example.com" };
  const planted = "planted.by.mallory";
  for (const headers of [cookies(planted, "true.of.ada"), cookies("true.of.ada", planted), { "cf-access-jwt-assertion": planted, ...cookies("true.of.ada") }]) {
    await call(relay, ada, { headers });
    assert.equal(told()[0], "ada-1");
    const theirs = headers["cf-access-jwt-assertion"] ? { "cf-access-jwt-assertion": planted } : cookies(planted);
    await call(relay, mallory, { headers: theirs });
    assert.equal(told()[0], "mallory-1");
  }
});

test("a service token has no identity: its verified token names it, or nothing does", async () => {
  const program = issuer.token({ sub: "", email: undefined, common_name: "ci.access" });
  assert.equal((await call(either, undefined, { headers: { "cf-access-jwt-assertion": program } })).status, 200);
  assert.deepEqual(told(), [undefined, undefined, "ci.access", undefined]);
  for (const headers of [{}, { "cf-access-jwt-assertion": `${program.slice(0, -6)}AAAAAA` }, { "cf-access-jwt-assertion": issuer.token() }]) {
    assert.equal((await call(either, undefined, { headers })).status, 200);
    assert.deepEqual(told(), [undefined, undefined, undefined, undefined]);
  }
});

test("what a Worker hands on in place of a context opens nothing, and breaks nobody else's request", async () => {
  const contexts = {
    none: "undefined", empty: "{}", nothing: "{ access: null }", text: "{ access: 'x' }", number: "{ access: { aud: 7 } }",
    throws: "{ access: { get aud() { throw new Error('evil') } } }", proxy: "{ access: new Proxy({}, { get() { throw new Error('evil') } }) }",
  };
  const mute = { mute: "{ access: { aud: 'x' } }", broken: "{ access: { aud: 'x', getIdentity() { throw { get message() { throw new Error('evil') } } } } }" };
  const cases = Object.entries({ ...contexts, ...mute }).map(([name, context]) => `${name}: () => (${context})`);
  const wrapped = await startRelay({
    relay: { access: { platform: true }, routes: [{ path: "/api", upstream: api.url }] },
    secrets,
    platform: IDENTITIES,
    handle: `const contexts = { ${cases.join(", ")} }; const name = request.headers.get("x-context"); if (name) ctx = contexts[name]();`,
  });
  try {
    const under = call(wrapped, { ...ada, slow: 600 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const name of Object.keys(contexts)) await refused(call(wrapped, ada, { headers: { "x-context": name } }), 401, "unauthenticated");
    for (const name of Object.keys(mute)) await refused(call(wrapped, ada, { headers: { "x-context": name } }), 503, "identity_unavailable");
    assert.equal((await under).status, 200);
    assert.equal(told()[0], "ada-1");
  } finally {
    await wrapped.stop();
  }
});

test("what is left out is said in the log", async () => {
  await call(relay, { ...ada, groups: ["a,b"] }, { headers: someToken() });
  const said = (records) => records.some(({ warnings }) => warnings?.some((line) => line.startsWith("x-forwarded-groups lacks 1 of")));
  assert.ok(said(await relay.records(said)));
  assert.match(told()[3], /^call-\d+$/);
});

test("pages of other origins stay out, and a WebSocket of one's own passes", async () => {
  const foreign = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
  for (const method of ["GET", "POST"]) await refused(call(relay, ada, { method, headers: { ...someToken(), ...foreign } }), 403, "cross_origin_blocked");
  const upgraded = await new Promise((resolve, reject) => {
    const headers = { ...blob(ada), connection: "Upgrade", upgrade: "websocket", "sec-websocket-key": randomBytes(16).toString("base64"), "sec-websocket-version": "13" };
    get(`${either.url}/api/socket`, { headers }, ({ statusCode }) => resolve(statusCode)).on("upgrade", (answer, socket) => (socket.destroy(), resolve(answer.statusCode))).on("error", reject);
  });
  assert.equal(upgraded, 101);
  assert.equal(told()[0], "ada-1");
});
