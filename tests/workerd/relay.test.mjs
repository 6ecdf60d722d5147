// The main job: a call goes through with our credentials alone, and comes back clean.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import { getRaw, sendRaw } from "../support/raw.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { startWithEmulator } from "../support/setup.mjs";

const { api, emulator, relay, token, call } = await startWithEmulator();

test("the API gets our credentials, verified identity, and nothing that is not the caller's to say", async () => {
  const answer = await getRaw(relay.port, "/api/notes?q=%20a&b", [
    `Cf-Access-Jwt-Assertion: ${token}`, "Cf-Access-Client-Id: evil", "CF_ACCESS_CLIENT_SECRET: evil", "Cf-Access-Token: evil",
    "Cookie: a=1; CF_Authorization=x", "X-Forwarded-For: 198.51.100.1", "X-Forwarded-User: evil", "X_Forwarded_Email: evil",
    "Forwarded: for=evil", "CF-Connecting-IP: 203.0.113.9", "Authorization: Basic eDp5", "Accept: text/plain", "X-Custom: 1", "X-Custom: 2",
    "Keep-Alive: 1", "TE: trailers",
  ]);
  assert.equal(answer.status, 200);
  assert.match(answer.body, /hello/);
  const [seen, ...more] = api.requests;
  assert.equal(more.length, 0);
  assert.equal(`${seen.method} ${seen.url}`, "GET /base/api/notes?q=%20a&b");
  const { traceparent, connection, "access-relay-loop": passed, ...headers } = seen.headers;
  assert.match(passed, /^[0-9a-f]{32}$/);
  assert.match(traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  assert.deepEqual(headers, {
    accept: "text/plain",
    authorization: "Basic eDp5",
    "cache-control": "no-cache",
    pragma: "no-cache",
    "cf-access-client-id": "0123.access",
    "cf-access-client-secret": "s3cr3t-value",
    "cf-connecting-ip": "203.0.113.9",
    host: `127.0.0.1:${api.port}`,
    "x-custom": "1, 2",
    "x-forwarded-email": "ada@example.com",
    "x-forwarded-for": "203.0.113.9",
    "x-forwarded-host": "app.example.com",
    "x-forwarded-proto": "http",
    "x-forwarded-user": "ada-1",
  });
  // Strict mode refuses duplicates: each credential is there once.
  const names = seen.raw.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  assert.equal(names.filter((name) => name.startsWith("cf-access-client-")).length, 2);
});

test("the caller's own token, where the route says so", async () => {
  await call("/own/x", { headers: { cookie: `a=1; CF_Authorization=${token}; b=2`, "cf-access-client-id": "evil" } });
  const { headers } = api.requests[0];
  assert.equal(headers["cf-access-token"], token);
  assert.equal(headers.cookie, "a=1; b=2");
  assert.deepEqual(Object.keys(headers).filter((name) => name.startsWith("cf-access-")), ["cf-access-token"]);
});

test("texts cross unchanged, long or short, ASCII or not", async () => {
  // Node takes a header's bytes as letters, here those of "é", "€" and "𝄞".
  const [e, euro, clef] = ["é", "€", "𝄞"].map((letter) => Buffer.from(letter).toString("latin1"));
  const long = "a".repeat(150);
  for (const theme of ["dark", e, long, `${long}${e}`, `${e}${long}`, `${long}${euro}${long}${clef}`, `${"a".repeat(98)}${clef}`, clef.repeat(60)]) {
    await call("/stripped/x", { headers: { cookie: `a=1; theme=${theme}` } });
    assert.equal(api.requests.at(-1).headers.cookie, `theme=${theme}`);
  }
});

test("answers come back without cookies and CORS headers of the API's, and otherwise as they are", async () => {
  api.answer = (_, response) => {
    response.writeHead(201, "Made", [
      ["content-type", "application/json"], ["set-cookie", "CF_Authorization=jwt"], ["set-cookie", "session=1; Domain=example.com"],
      ["set-cookie", "theme=dark; Domain=example.com; Path=/"], ["clear-site-data", '"*"'], ["access-control-allow-origin", "*"], ["access-control-expose-headers", "*"],
      ["location", `${api.url}/base/api/notes/1`], ["etag", '"x"'], ["vary", "Accept"], ["x-total", "1"],
    ].flat());
    response.end("{}");
  };
  const answer = await call("/api/notes", { method: "POST", body: "{}" });
  assert.equal(answer.status, 201);
  assert.deepEqual(answer.headers.getSetCookie(), ["theme=dark; Path=/"]);
  for (const name of ["clear-site-data", "access-control-allow-origin", "access-control-expose-headers"]) assert.equal(answer.headers.get(name), null, name);
  assert.equal(answer.headers.get("location"), "/api/notes/1");
  assert.equal(answer.headers.get("etag"), '"x"');
  assert.equal(answer.headers.get("vary"), "Accept, Origin");
  assert.equal(await answer.text(), "{}");
  const stripped = await call("/stripped/notes");
  assert.deepEqual(stripped.headers.getSetCookie(), []);
});

test("redirects are the browser's to follow, and never take the credentials along", async () => {
  const other = await startRecorder();
  const locations = { "/v1/a": [`${other.url}/x`, `${other.url}/x`], "/v1/b": ["/v1/c", "/stripped/c"], "/v1/d": ["/login", `${api.url}/login`] };
  api.answer = (incoming, response) => response.writeHead(302, { location: locations[incoming.url][0] }).end();
  for (const [url, [, expected]] of Object.entries(locations)) {
    const answer = await call(url.replace("/v1", "/stripped"));
    assert.deepEqual([answer.status, answer.headers.get("location")], [302, expected]);
  }
  assert.equal(other.requests.length, 0);
  await other.stop();
});

test("bodies stream both ways, with their length, and arrive as they were", async () => {
  const body = randomBytes(8 * 1024 * 1024);
  api.answer = (_, response, received) => {
    response.writeHead(200, { "content-length": received.length });
    response.end(received);
  };
  const answer = await call("/api/upload", { method: "PUT", body, headers: { "content-type": "application/octet-stream" } });
  const digest = (bytes) => createHash("sha256").update(bytes).digest("hex");
  assert.equal(digest(Buffer.from(await answer.arrayBuffer())), digest(body));
  assert.equal(answer.headers.get("content-length"), String(body.length));
  assert.equal(api.requests[0].headers["content-length"], String(body.length));
  assert.equal(api.requests[0].headers["transfer-encoding"], undefined);
});

test("an answer is handed on as it comes, not when it is whole", async () => {
  let finish;
  api.answer = (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: 1\n\n");
    finish = () => response.end("data: 2\n\n");
  };
  const reader = (await call("/api/events")).body.getReader();
  assert.equal(Buffer.from((await reader.read()).value).toString(), "data: 1\n\n");
  finish();
  assert.equal(Buffer.from((await reader.read()).value).toString(), "data: 2\n\n");
});

test("methods and statuses without bodies", async () => {
  api.answer = (incoming, response) => response.writeHead(incoming.url.endsWith("304") ? 304 : 204, { "x-a": "1" }).end();
  for (const [method, path, status] of [["DELETE", "/api/204", 204], ["GET", "/api/304", 304], ["PATCH", "/api/x", 204], ["OPTIONS", "/api/x", 204]]) {
    const answer = await call(path, { method });
    assert.deepEqual([answer.status, answer.headers.get("x-a")], [status, "1"]);
    assert.equal(api.requests.at(-1).method, method);
  }
  api.answer = (_, response) => response.writeHead(200, { "content-length": 5 }).end();
  const head = await call("/api/x", { method: "HEAD" });
  assert.deepEqual([head.status, head.headers.get("content-length"), await head.text()], [200, "5", ""]);
});

test("without a valid token nothing is forwarded, and every 401 is the same", async () => {
  const bodies = new Set();
  const other = await emulator.mint({ aud: "another" });
  const org = await emulator.mint({ type: "org" });
  const expired = await emulator.mint({ expires_in: -120 });
  const stranger = await emulator.mint({ signed_by: "nobody" });
  for (const headers of [{}, { cookie: "CF_Authorization=x" }, ...[other, org, expired, stranger, `${token}x`, ""].map((bad) => ({ "cf-access-jwt-assertion": bad, cookie: `CF_Authorization=${token}` }))]) {
    const answer = await fetch(`${relay.url}/api/x`, { headers: { origin: "https://admin.example.com", ...headers } });
    assert.equal(answer.status, 401);
    assert.equal(answer.headers.get("access-control-allow-origin"), "https://admin.example.com");
    assert.equal(answer.headers.get("access-control-allow-credentials"), "true");
    assert.equal(answer.headers.get("cache-control"), "no-store");
    bodies.add((await answer.text()).replace(/"trace_id":"[0-9a-f]{32}"/, ""));
  }
  assert.equal(bodies.size, 1);
  assert.equal(api.requests.length, 0);
  const byCookie = await fetch(`${relay.url}/api/x`, { headers: { cookie: `a=1; CF_Authorization=${token}` } });
  assert.equal(byCookie.status, 200);
  const service = await call("/api/x", { headers: { "cf-access-jwt-assertion": await emulator.mint({ kind: "service", aud: emulator.app_aud, common_name: "88bf.access" }) } });
  const told = ["x-forwarded-user", "x-forwarded-email", "x-forwarded-client-id"].map((name) => api.requests.at(-1).headers[name]);
  assert.deepEqual([service.status, ...told], [200, undefined, undefined, "88bf.access"]);
});

test("an API that is slow, or not there", async () => {
  // The call to the API is ended with it: nothing goes on in the caller's name.
  let ended;
  api.answer = (_, response) => {
    const late = setTimeout(() => response.end("late"), 5_000);
    ended = new Promise((resolve) => response.on("close", () => (clearTimeout(late), resolve(response.writableFinished))));
  };
  const slow = await call("/slow/x");
  assert.deepEqual([slow.status, (await slow.json()).code], [504, "upstream_timeout"]);
  assert.equal(await ended, false);
  api.answer = (_, response) => response.socket.end("HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n");
  const odd = await call("/api/x");
  assert.deepEqual([odd.status, (await odd.json()).code], [502, "upstream_unreachable"]);
  const gone = await call("/gone/x");
  assert.deepEqual([gone.status, (await gone.json()).code], [502, "upstream_unreachable"]);
  // The timeout is for the headers alone: a body may take longer.
  api.answer = (_, response) => {
    response.writeHead(200);
    response.write("a");
    setTimeout(() => response.end("b"), 600);
  };
  assert.equal(await (await call("/slow/x")).text(), "ab");
});

test("a WebSocket passes with the token injected", async () => {
  const accept = (key) => createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  api.upgrade = (incoming, socket) => {
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept(incoming.headers["sec-websocket-key"])}\r\nSet-Cookie: CF_Authorization=jwt\r\nX-A: 1\r\n\r\n`);
    socket.write(Buffer.from([0x81, 2, 0x68, 0x69])); // a text frame: "hi"
    socket.write(Buffer.from([0x88, 2, 0x03, 0xe8])); // close, 1000
    socket.on("data", () => socket.end()).on("error", () => {}); // the client's close
  };
  const answer = await new Promise((resolve, reject) => {
    const socket = new WebSocket(`${relay.url.replace("http", "ws")}/own/socket`, { headers: { "cf-access-jwt-assertion": token } });
    let message;
    socket.onmessage = (event) => (message = event.data);
    socket.onclose = (event) => resolve([message, event.code]);
    socket.onerror = reject;
  });
  assert.deepEqual(answer, ["hi", 1000]);
  assert.equal(api.requests[0].headers["cf-access-token"], token);
  // A success without Access's strict mode sets the relay's own token as a cookie, also on the answer to an upgrade.
  const upgrade = ["GET /own/socket HTTP/1.1", "Host: app.example.com", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", `Cf-Access-Jwt-Assertion: ${token}`, "", ""];
  const raw = await sendRaw(relay.port, upgrade.join("\r\n"), { headOnly: true });
  assert.equal(raw.status, 101);
  assert.match(raw.headers.join("\n"), /^x-a: 1$/im);
  assert.doesNotMatch(raw.headers.join("\n"), /set-cookie/i);
});

test("traces are continued and the log has one line for each request, with nothing secret in it", async () => {
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  await call("/api/private-path?private=query", { headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01`, cookie: "private=cookie", "cf-ray": "8f00-AMS" } });
  assert.match(api.requests[0].headers.traceparent, new RegExp(`^00-${trace}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`));
  const refused = await (await fetch(`${relay.url}/api/private-path?private=query`, { headers: { cookie: "CF_Authorization=private.token.here" } })).json();
  for (let tries = 0; !relay.output().includes(refused.trace_id) && tries < 100; tries++) await new Promise((resolve) => setTimeout(resolve, 20));
  const records = await relay.records();
  const { upstream_ms, ...record } = records.find((record) => record.trace_id === trace);
  assert.deepEqual(record, { method: "GET", status: 200, route: "/api", caller: "user", upstream_status: 200, trace_id: trace, ray: "8f00-AMS" });
  assert.equal(typeof upstream_ms, "number");
  const refusal = records.find((record) => record.trace_id === refused.trace_id);
  assert.deepEqual([refusal.code, refusal.caller, refusal.status], ["unauthenticated", "none", 401]);
  for (const secret of ["private", "s3cr3t", "0123.access", token.slice(-40), "ada@example.com"]) assert.ok(!relay.output().includes(secret), secret);
});
