// The CORS policy of the Wasm that ships: what a preflight gets, what an answer gets, and that the API is asked only then.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { sendRaw } from "../support/raw.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { startRelay } from "../support/workerd.mjs";

const admin = "https://admin.example.com";
let api, relay, plain;

before(async () => {
  api = await startRecorder();
  const start = (debug) =>
    startRelay({
      relay: {
        access: { dangerously_allow_anyone: true },
        routes: [
          { path: "/api", upstream: api.url },
          { path: "/open", upstream: api.url, cors: { allowed_origins: ["*"], allowed_methods: ["*"], allowed_headers: ["*", "authorization"], exposed_headers: ["*"] } },
          { path: "/closed", upstream: api.url, cors: { allowed_origins: [] } },
          { path: "/upstream", upstream: api.url, cors: { allowed_origins: [admin], allow_credentials: true, preflight: "upstream" } },
          { path: "/gone", upstream: "http://127.0.0.1:9" },
        ],
        cors: {
          allowed_origins: [admin, "https://*.preview.example.com", "http://localhost:*"],
          allowed_methods: ["PUT", "PATCH"],
          allowed_headers: ["Content-Type", "X-Custom", "authorization"],
          exposed_headers: ["X-Total"],
          allow_credentials: true,
          max_age: -1,
          excluded_paths: ["/api/admin"],
        },
        debug,
      },
      secrets: { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: "s3cr3t-value" },
    });
  [plain, relay] = await Promise.all([start(false), start(true)]);
});
after(() => Promise.all([relay?.stop(), plain?.stop(), api?.stop()]));
beforeEach(() => api.reset());

/** Sends a preflight line by line: status, CORS headers and Vary, and the body. */
async function preflight(worker, path, lines) {
  const answer = await sendRaw(worker.port, [`OPTIONS ${path} HTTP/1.1`, "Host: app.example.com", "Connection: close", ...lines, "", ""].join("\r\n"));
  const headers = Object.fromEntries(answer.headers.map((line) => line.split(": ")).map(([name, ...value]) => [name.toLowerCase(), value.join(": ")]));
  const cors = Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith("access-control-")).map(([name, value]) => [name.slice(15), value]));
  return { status: answer.status, cors, vary: headers.vary, type: headers["content-type"], body: answer.body };
}

const ask = (origin, method, ...headers) => [`Origin: ${origin}`, `Access-Control-Request-Method: ${method}`, ...headers.map((line) => `Access-Control-Request-Headers: ${line}`)];
const allowed = (origin, more) => ({ "allow-origin": origin, "allow-credentials": "true", ...more, "max-age": "0" });
const VARY = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";

for (const [name, path, lines, cors] of [
  ["an exact origin", "/api", ask(admin, "GET"), allowed(admin)],
  ["a subdomain of a pattern", "/api/x", ask("https://pr-7.preview.example.com", "PUT"), allowed("https://pr-7.preview.example.com", { "allow-methods": "PUT" })],
  ["any port", "/api", ask("http://localhost:5173", "PATCH"), allowed("http://localhost:5173", { "allow-methods": "PATCH" })],
  ["headers as browsers write them", "/api", ask(admin, "POST", "authorization,content-type,x-custom"), allowed(admin, { "allow-headers": "authorization,content-type,x-custom" })],
  ["headers as gateways leave them", "/api", ask(admin, "POST", "X-CUSTOM , , content-type", "\tauthorization"), allowed(admin, { "allow-headers": "authorization,content-type,x-custom" })],
  ["everybody", "/open", ask("https://any.example", "BREW", "authorization,x-any"), { "allow-origin": "*", "allow-methods": "*", "allow-headers": "*, authorization", "max-age": "1800" }],
]) {
  test(`allowed: ${name}`, async () => {
    assert.deepEqual(await preflight(plain, path, lines), { status: 204, cors, vary: VARY, type: undefined, body: "" });
    assert.equal(api.requests.length, 0);
  });
}

for (const [name, path, lines, code, gathered] of [
  ["another origin", "/api", ask("https://evil.example", "GET"), "origin_not_allowed", {}],
  ["the pattern's own domain", "/api", ask("https://preview.example.com", "GET"), "origin_not_allowed", {}],
  ["a domain that ends alike", "/api", ask("https://evilpreview.example.com", "GET"), "origin_not_allowed", {}],
  ["a list of origins", "/api", ask(`${admin}, https://x.preview.example.com`, "GET"), "origin_not_allowed", {}],
  ["two lines of origins", "/api", [`Origin: ${admin}`, ...ask(admin, "GET")], "origin_not_allowed", {}],
  ["no origin to speak of", "/api", ask("null", "GET"), "origin_not_allowed", {}],
  ["bytes that are no text", "/api", ask("https://\xff.preview.example.com", "GET"), "origin_not_allowed", {}],
  ["a method in another case", "/api", ask(admin, "patch"), "method_not_allowed", { "allow-origin": admin, "allow-credentials": "true" }],
  ["a header that is not listed", "/api", ask(admin, "PUT", "content-type,x-other"), "header_not_allowed", { "allow-origin": admin, "allow-credentials": "true", "allow-methods": "PUT", "allow-headers": "authorization,content-type,x-custom" }],
  ["an excluded path", "/api/admin/users", ask(admin, "GET"), "origin_not_allowed", {}],
  ["an excluded path, spelled oddly", "/api/%61DMIN;x/users", ask(admin, "GET"), "origin_not_allowed", {}],
  ["a route that is closed", "/closed", ask(admin, "GET"), "origin_not_allowed", {}],
  ["a path that no route takes", "/nothing", ask(admin, "GET"), "not_found", undefined],
]) {
  test(`refused: ${name}`, async () => {
    const answer = await preflight(plain, path, lines);
    if (code === "not_found") return assert.deepEqual([answer.status, answer.cors["allow-origin"]], [404, admin]);
    assert.deepEqual([answer.status, answer.cors, answer.vary, answer.type], [403, {}, VARY, "application/problem+json"]);
    assert.equal(JSON.parse(answer.body).code, code);
    // With debug, what lets the browser name the true cause.
    const talking = await preflight(relay, path, lines);
    assert.deepEqual([talking.status, talking.cors, talking.vary, talking.body], [204, gathered, VARY, ""]);
    assert.equal(api.requests.length, 0);
  });
}

test("with debug the log explains: the rule, what was seen, what would have passed, what to change", async () => {
  await preflight(relay, "/api", ask(admin, "DELETE"));
  let record;
  for (let tries = 0; !record && tries < 100; tries++) {
    record = (await relay.records()).find(({ explanation }) => explanation?.seen === '"DELETE"');
    if (!record) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { explanation, code, status } = record;
  assert.deepEqual([code, status], ["method_not_allowed", 204]);
  assert.deepEqual([explanation.rule, explanation.passes], ["cors.allowed_methods", ["GET", "HEAD", "POST", "PATCH", "PUT"]]);
  assert.match(explanation.change, /^add the method/);
  // So it does for what is no preflight.
  const answer = await fetch(`${relay.url}/api/x`, { headers: { origin: "https://evil.example" } });
  assert.equal(answer.status, 403);
  for (let tries = 0; !relay.output().includes('"cross_origin_blocked"') && tries < 100; tries++) await new Promise((resolve) => setTimeout(resolve, 20));
  const { explanation: other } = (await relay.records()).find(({ code }) => code === "cross_origin_blocked");
  assert.deepEqual([other.rule, other.seen, other.passes.length], ["cors.allowed_origins", '"https://evil.example"', 3]);
  assert.ok(!plain.output().includes("explanation"));
});

test("hostile lines are cut short: neither a long origin nor a long list of headers gets anywhere", async () => {
  for (const lines of [ask(`https://${"a.".repeat(20_000)}preview.example.com`, "GET"), ask(admin, "GET", "content-type,".repeat(4_000)), ask(admin, "GET", ",".repeat(60_000)), ask(admin, "GET", "a".repeat(60_000)), ask(admin, "x".repeat(60_000))]) {
    const { status, body } = await preflight(plain, "/api", lines);
    assert.equal(status, 403);
    assert.ok(body.length < 1_000);
  }
  assert.ok(plain.output().split("\n").every((line) => line.length < 2_000));
});

test("preflight = \"upstream\": the policy says who, the API says what, and nothing else passes either way", async () => {
  api.answer = (request, response) =>
    response.writeHead(200, {
      "access-control-allow-origin": "*", "access-control-allow-credentials": "false", "access-control-allow-methods": "PUT, BREW",
      "access-control-allow-headers": "x-api", "access-control-max-age": "7", "access-control-allow-private-network": "true", "set-cookie": "a=1", "x-secret": "1",
    }).end("what the API says of itself");
  const more = ["CF-Access-Client-Secret: evil", "Authorization: Bearer forged", "Cookie: session=stolen", "X-HTTP-Method-Override: DELETE", "Content-Length: 2"];
  const text = [`OPTIONS /upstream/x HTTP/1.1`, "Host: app.example.com", "Connection: close", ...ask(admin, "BREW", "x-api"), ...more, "", "{}"].join("\r\n");
  const answer = await sendRaw(plain.port, text);
  const lines = answer.headers.map((line) => line.toLowerCase()).filter((line) => !/^(content-length|connection|date|server):/.test(line)).sort();
  assert.deepEqual([answer.status, answer.body, lines], [200, "", [
    "access-control-allow-credentials: true", "access-control-allow-headers: x-api", "access-control-allow-methods: put, brew",
    `access-control-allow-origin: ${admin}`, "access-control-max-age: 7", `vary: ${VARY.toLowerCase()}`,
  ]]);
  const [seen] = api.requests;
  assert.deepEqual([seen.method, seen.url, seen.body.length], ["OPTIONS", "/upstream/x", 0]);
  const { traceparent, host, connection, "access-relay-loop": passed, ...headers } = seen.headers;
  assert.match(passed, /^[0-9a-f]{32}$/);
  assert.deepEqual(headers, {
    origin: admin, "access-control-request-method": "BREW", "access-control-request-headers": "x-api", "cache-control": "no-cache", pragma: "no-cache",
    "x-forwarded-host": "app.example.com", "x-forwarded-proto": "http", "cf-access-client-id": "0123.access", "cf-access-client-secret": "s3cr3t-value",
    ...(headers["content-length"] ? { "content-length": "0" } : {}),
  });
  for (const lines of [ask("https://evil.example", "GET"), ask(admin, "GET", ",".repeat(300))]) assert.equal((await preflight(plain, "/upstream/x", lines)).status, 403);
  assert.equal(api.requests.length, 1);
});

test("answers of the API can be read by who may, and its own word on CORS is gone", async () => {
  api.answer = (request, response) => response.writeHead(200, { vary: "Accept-Encoding", "access-control-allow-origin": "*", "access-control-expose-headers": "x-internal", "access-control-allow-private-network": "1", "access-control-anything": "1" }).end("{}");
  for (const [path, origin, status, expected] of [
    ["/api/x", admin, 200, { allow: admin, credentials: "true", expose: "X-Total", vary: "Accept-Encoding, Origin" }],
    ["/api/x", "https://a.b.preview.example.com", 200, { allow: "https://a.b.preview.example.com", credentials: "true", expose: "X-Total", vary: "Accept-Encoding, Origin" }],
    ["/api/x", undefined, 200, { allow: null, credentials: null, expose: null, vary: "Accept-Encoding, Origin" }],
    ["/api/x", "http://app.example.com", 200, { allow: null, credentials: null, expose: null, vary: "Accept-Encoding, Origin" }],
    ["/api/x", "https://evil.example", 403, { allow: null, credentials: null, expose: null, vary: "Origin" }],
    ["/api/admin", admin, 403, { allow: null, credentials: null, expose: null, vary: null }],
    ["/api/admin", undefined, 200, { allow: null, credentials: null, expose: null, vary: "Accept-Encoding" }],
    ["/open/x", "https://any.example", 200, { allow: "*", credentials: null, expose: "*", vary: "Accept-Encoding" }],
    // The relay's own errors can be read, too.
    ["/gone", admin, 502, { allow: admin, credentials: "true", expose: "X-Total", vary: "Origin" }],
  ]) {
    api.requests.length = 0;
    const lines = [`GET ${path} HTTP/1.1`, "Host: app.example.com", "Connection: close", ...(origin ? [`Origin: ${origin}`] : []), "", ""];
    const answer = await sendRaw(plain.port, lines.join("\r\n"));
    const header = (name) => answer.headers.find((line) => line.toLowerCase().startsWith(`${name}: `))?.slice(name.length + 2) ?? null;
    const found = { allow: header("access-control-allow-origin"), credentials: header("access-control-allow-credentials"), expose: header("access-control-expose-headers"), vary: header("vary") };
    assert.deepEqual([answer.status, found], [status, expected], `${path} ${origin}`);
    assert.equal(header("access-control-allow-private-network"), null);
    // What no standard has means nothing without an origin.
    if (origin) assert.equal(header("access-control-anything"), null);
    assert.equal(api.requests.length, status === 200 ? 1 : 0, `${path} ${origin}`);
  }
});

test("Vary names Origin once, beside what the API says", async () => {
  for (const [said, expected] of [
    [undefined, "Origin"],
    ["Accept", "Accept, Origin"],
    ["Origin", "Origin"],
    ["accept,ORIGIN", "accept,ORIGIN"],
    ["origin \t, Accept", "origin \t, Accept"],
    [["Accept", "Origin"], "Accept, Origin"],
    ["*", "*"],
    ["Accept , *", "Accept , *"],
    ["X-Origin", "X-Origin, Origin"],
    ["Origin-Agent-Cluster, Accept", "Origin-Agent-Cluster, Accept, Origin"],
    ["Accept Origin", "Accept Origin, Origin"],
  ]) {
    api.answer = (request, response) => {
      if (said) response.setHeader("Vary", said);
      response.end("{}");
    };
    for (const origin of [{}, { origin: admin }]) {
      const answer = await fetch(`${plain.url}/api/x`, { headers: origin });
      assert.deepEqual([answer.status, answer.headers.get("vary")], [200, expected], String(said));
    }
  }
});
