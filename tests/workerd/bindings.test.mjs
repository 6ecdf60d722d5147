// A route whose calls go through a binding: another Worker, and no network.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";
import { audience, startIssuer } from "../support/issuer.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { startRelay } from "../support/workerd.mjs";

const SECRET = "cfast_5eC4e7C0" + "5eC4e7C0".repeat(4);

/** A Worker that tells what it got, and can do what APIs do. */
const BOUND = `export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (request.headers.get("upgrade") === "websocket") {
      const [client, server] = Object.values(new WebSocketPair());
      server.accept();
      server.addEventListener("message", ({ data }) => server.send("echo " + data));
      return new Response(null, { status: 101, webSocket: client });
    }
    if (pathname.endsWith("/slow")) await new Promise((resolve) => setTimeout(resolve, 2_000));
    if (pathname.endsWith("/throw")) throw new Error("it broke");
    if (pathname.endsWith("/elsewhere")) return Response.redirect("https://other.example.com/", 302);
    if (pathname.endsWith("/denied")) return new Response(null, { status: 403, headers: { "cf-access-aud": "${"a".repeat(64)}" } });
    if (pathname.endsWith("/body")) return new Response(request.body, { headers: { "set-cookie": "a=b", "x-own": "1" } });
    const { method, url, headers } = request;
    return Response.json({ method, url, headers: Object.fromEntries(headers) }, { headers: { "set-cookie": "a=b" } });
  },
};`;

let api, issuer, relay, token;
before(async () => {
  [api, issuer] = await Promise.all([startRecorder(), startIssuer()]);
  relay = await startRelay({
    relay: {
      access: { issuer: issuer.url, audience: [audience] },
      routes: [
        { path: "/api", upstream: "http://api.internal/v1", binding: "API", credentials: "none", timeout_ms: 500 },
        { path: "/token", upstream: "https://api.example.com", binding: "API" },
        { path: "/public", upstream: api.url },
      ],
      health_path: "/healthz",
    },
    secrets: { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: SECRET },
    bound: { API: BOUND },
  });
  token = issuer.token();
});
after(() => Promise.all([relay, api, issuer].map((part) => part?.stop())));
beforeEach(() => api.reset());

const call = (path, { headers = {}, ...rest } = {}) => fetch(relay.url + path, { redirect: "manual", headers: { "cf-access-jwt-assertion": token, ...headers }, ...rest });

test("the call goes to the bound Worker, under the upstream's URL, with who calls and without any credential", async () => {
  const answer = await call("/api/x?y=1", { headers: { cookie: "a=b", "x-own": "2" } });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("set-cookie"), null);
  const { method, url, headers } = await answer.json();
  assert.deepEqual([method, url], ["GET", "http://api.internal/v1/api/x?y=1"]);
  assert.equal(headers["x-forwarded-email"], "ada@example.com");
  assert.equal(headers["x-own"], "2");
  for (const name of ["cookie", "cf-access-client-id", "cf-access-client-secret", "cf-access-token", "cf-access-jwt-assertion"]) assert.equal(headers[name], undefined, name);
  assert.equal(api.requests.length, 0);
});

test("with a service token it is sent, and a route without a binding goes over the network", async () => {
  const { url, headers } = await (await call("/token/x")).json();
  assert.deepEqual([url, headers["cf-access-client-id"], headers["cf-access-client-secret"]], ["https://api.example.com/token/x", "0123.access", SECRET]);
  assert.equal((await call("/public/x")).status, 200);
  assert.equal(api.requests.length, 1);
});

test("nobody passes without a token", async () => {
  for (const headers of [{ "cf-access-jwt-assertion": "" }, { "cf-access-jwt-assertion": `${token}x` }]) {
    const answer = await call("/api/x", { headers });
    assert.deepEqual([answer.status, (await answer.json()).code], [401, "unauthenticated"]);
  }
});

test("bodies stream there and back, untouched", async () => {
  for (const size of [0, 10, 9_000, 3_000_000]) {
    const body = randomBytes(size);
    const answer = await call("/api/body", { method: "POST", body });
    assert.deepEqual([answer.status, answer.headers.get("set-cookie"), answer.headers.get("x-own")], [200, null, "1"]);
    const came = Buffer.from(await answer.arrayBuffer());
    assert.equal(createHash("sha256").update(came).digest("hex"), createHash("sha256").update(body).digest("hex"), `${size} bytes`);
  }
});

test("a WebSocket passes", async () => {
  const socket = new WebSocket(`${relay.url.replace("http", "ws")}/api/socket`, { headers: { "cf-access-jwt-assertion": token } });
  socket.onopen = () => socket.send("hello");
  const said = await new Promise((resolve, reject) => {
    socket.onmessage = ({ data }) => resolve(data);
    socket.onerror = () => reject(new Error("no socket"));
  });
  socket.close();
  assert.equal(said, "echo hello");
});

test("what is slow, breaks, leads away or only looks like Access's own is told apart", async () => {
  const of = async (path) => {
    const answer = await call(path);
    return [answer.status, answer.headers.get("content-type")?.includes("problem") ? (await answer.json()).code : answer.headers.get("location")];
  };
  assert.deepEqual(await of("/api/slow"), [504, "upstream_timeout"]);
  assert.deepEqual(await of("/api/throw"), [502, "upstream_unreachable"]);
  assert.deepEqual(await of("/api/elsewhere"), [302, "https://other.example.com/"]);
  // No Access stands there, so a 403 is the API's; with a service token, it may be Access's.
  assert.deepEqual(await of("/api/denied"), [403, null]);
  assert.deepEqual(await of("/token/denied"), [502, "upstream_access_denied"]);
  const records = await relay.records((all) => all.some(({ code }) => code === "upstream_access_denied"));
  assert.match(records.find(({ code }) => code === "upstream_unreachable").reason, /it broke/);
  assert.ok(!relay.output().includes(SECRET));
});

test("health asks through the binding", async () => {
  const answer = await fetch(`${relay.url}/healthz`);
  assert.equal(answer.status, 200);
  const checks = (await answer.json()).checks.map(({ check, status }) => [check, status]);
  assert.deepEqual(checks, [["configuration", "ok"], ["signing_keys", "ok"], ["route /api", "ok"], ["route /public", "ok"], ["route /token", "ok"]]);
});

test("a name that is no binding, or one that cannot fetch, serves nothing and is named", async () => {
  for (const [binding, found] of [["NONE", 'found "NONE", and no binding of that name'], ["TEXT", 'found "TEXT", and a binding that cannot fetch'], ["RELAY", 'found "RELAY", and a binding that cannot fetch']]) {
    const running = await startRelay({
      relay: { access: { dangerously_allow_anyone: true }, routes: [{ path: "/open", upstream: api.url }, { path: "/api", upstream: "https://api.example.com", binding, credentials: "none" }] },
      secrets: { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: "s3cr3t-value", TEXT: "a text" },
    });
    for (const path of ["/open/x", "/api/x"]) {
      const answer = await fetch(running.url + path);
      assert.deepEqual([answer.status, (await answer.json()).code], [500, "misconfigured"]);
    }
    const [record] = await running.records();
    assert.deepEqual(record.errors, [`routes[1].binding: ${found}; bind a service, a VPC service or a client certificate in the wrangler file, as ${binding}`]);
    await running.stop();
  }
  assert.equal(api.requests.length, 0);
});

test("a secret in place of a name is told of, and not shown", async () => {
  const running = await startRelay({
    relay: { access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: "https://api.example.com", binding: SECRET, credentials: "none" }], debug: true },
  });
  const answer = await (await fetch(`${running.url}/api/x`)).text();
  const [{ errors }] = await running.records();
  assert.match(errors.join("\n"), /^routes\[0\]\.binding: found a secret \(not shown\)/);
  assert.ok(!`${answer}${running.output()}`.includes("5eC4e7C0"));
  await running.stop();
  assert.equal(api.requests.length, 0);
});
