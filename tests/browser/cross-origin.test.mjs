// Pages of other origins, in a real browser: what the policy allows works, and nothing else reaches the API.
//
// The emulator stands in front of the relay as Access does, with a Bypass policy for the relay's paths: without one it
// answers every preflight 403 by itself, as Access does, and the relay would not be asked. The relay checks the token
// all the same. Hosts below `localhost` are trustworthy to Chromium even over http, so that it takes and sends the
// login's cookie (Secure, SameSite=None) and says Sec-Fetch-Site. `localhost` is no registrable domain, so that
// `evil.localhost` and `app.example.localhost` are different sites, not just different origins.
//
// Cookies of third parties are allowed, as they are in Chrome (tests/support/browser.mjs says how); where they are
// blocked, a foreign page's requests but for its forms come without the login. Each test of an attack makes the same
// attempt on the same API without the relay (`/unguarded`), where it arrives, with the person's cookie: so it is the
// relay that stops it, not the browser.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { launchBrowser, logIn, startPages } from "../support/browser.mjs";
import { startEmulator } from "../support/emulator.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { startRelay } from "../support/workerd.mjs";

const person = "ada@example.com";
let api, browser, emulator, page, pages, relay;
let own, allowed, evil;

before(async () => {
  [api, pages] = await Promise.all([startRecorder(), startPages()]);
  emulator = await startEmulator({ app: { bypass: ["/api", "/unrouted", "/unguarded"] } });
  [own, allowed, evil] = [emulator.app_url, pages.origin("allowed.localhost"), pages.origin("evil.localhost")];
  relay = await startRelay({
    relay: {
      access: { issuer: emulator.issuer, audience: [emulator.app_aud] },
      routes: [{ path: "/api", upstream: api.url }],
      cors: {
        allowed_origins: [allowed],
        allowed_methods: ["DELETE"],
        allowed_headers: ["content-type", "x-custom"],
        exposed_headers: ["x-total"],
        allow_credentials: true,
      },
    },
    secrets: { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: "s3cr3t-value" },
  });
  await emulator.control("/backends", {
    app: [
      { path: "/api", to: relay.url },
      { path: "/unrouted", to: relay.url },
      { path: "/unguarded", to: api.url },
      { path: "/", to: pages.url },
    ],
  });
});
after(() => Promise.all([relay?.stop(), emulator?.stop(), pages?.stop(), api?.stop()]));
beforeEach(async () => {
  api.reset();
  api.answer = (request, response) => {
    response.writeHead(200, { "content-type": "application/json", "x-total": "42", "x-internal": "1" });
    response.end(JSON.stringify({ method: request.method, email: request.headers["x-forwarded-email"] }));
  };
  api.upgrade = acceptWebSocket;
  browser = await launchBrowser();
  page = browser.page;
});
afterEach(() => browser?.close());

test("the relay's own page writes", async () => {
  await logIn(page, own, person);
  const answer = await call("/api/notes", { method: "POST", headers: { "content-type": "application/json" }, body: '{"a":1}' });
  assert.deepEqual(answer.body, { method: "POST", email: person });
  assert.deepEqual(arrived(), ["POST /api/notes"]);
  assert.equal(api.requests[0].body.toString(), '{"a":1}');
  assert.equal(api.requests[0].headers["cf-access-client-secret"], "s3cr3t-value");
});

test("a page of an allowed origin reads and writes, and no preflight of it reaches the API", async () => {
  await logInAndGoTo(allowed);
  const preflights = await watchPreflights();
  for (const [method, headers, body] of [
    ["GET", {}, undefined],
    ["POST", { "content-type": "application/json" }, '{"a":1}'],
    ["DELETE", { "x-custom": "1" }, undefined],
  ]) {
    const answer = await call("/api/notes/1", { method, headers, body });
    assert.equal(answer.status, 200, method);
    assert.deepEqual(answer.body, { method, email: person });
    assert.deepEqual(answer.exposed, { "x-total": "42", "x-internal": null }, method);
    assert.equal(api.requests.at(-1).headers["x-custom"], headers["x-custom"]);
  }
  assert.deepEqual(arrived(), ["GET /api/notes/1", "POST /api/notes/1", "DELETE /api/notes/1"]);
  // They were sent, so the relay must have answered them.
  assert.deepEqual(await preflights(2), ["POST 204", "DELETE 204"]);
});

test("the page of an allowed origin gets no further than the policy", async () => {
  await logInAndGoTo(allowed);
  const preflights = await watchPreflights();
  assert.equal((await call("/api/x", { method: "PUT" })).error, "TypeError");
  assert.equal((await call("/api/x", { headers: { "x-other": "1" } })).error, "TypeError");
  assert.deepEqual(await preflights(2), ["PUT 403", "GET 403"]);
  assert.deepEqual(arrived(), []);
  // The relay's own page needs no policy.
  await page.goto(own);
  assert.equal((await call("/api/x", { method: "PUT", headers: { "x-other": "1" } })).status, 200);
  assert.deepEqual(arrived(), ["PUT /api/x"]);
});

test("an allowed page can read the relay's own errors", async () => {
  await page.goto(allowed);
  const stranger = await call("/api/x");
  assert.deepEqual([stranger.status, stranger.body.code], [401, "unauthenticated"]);
  const write = await call("/api/x", { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
  assert.deepEqual([write.status, write.body.code], [401, "unauthenticated"]);
  const unrouted = await call("/unrouted/x");
  assert.deepEqual([unrouted.status, unrouted.body.code], [404, "not_found"]);
  // Another page cannot: it is the policy that lets the first one.
  await page.goto(evil);
  assert.equal((await call("/api/x")).error, "TypeError");
  assert.equal((await call("/unrouted/x")).error, "TypeError");
  assert.deepEqual(arrived(), []);
});

test("a foreign page can read nothing", async () => {
  await logInAndGoTo(evil);
  assert.equal((await call("/api/notes")).error, "TypeError");
  assert.deepEqual(arrived(), [], "the API is not even asked");
  // Without the relay the same request arrives, with the person's cookie.
  assert.equal((await call("/unguarded/notes")).error, "TypeError");
  assertArrivedWithCookie("GET /unguarded/notes", "");
  await page.goto(allowed);
  assert.equal((await call("/api/notes")).status, 200);
});

test("a foreign page's preflighted request is never sent", async () => {
  await logInAndGoTo(evil);
  const preflights = await watchPreflights();
  const init = { method: "DELETE", headers: { "x-custom": "1" } };
  assert.equal((await call("/api/notes/1", init)).error, "TypeError");
  assert.deepEqual(await preflights(1), ["DELETE 403"]);
  assert.deepEqual(arrived(), []);
  await page.goto(own);
  assert.equal((await call("/api/notes/1", init)).status, 200);
  assert.deepEqual(arrived(), ["DELETE /api/notes/1"]);
});

test("a foreign page's simple POST never reaches the API", async () => {
  const post = { method: "POST", mode: "no-cors", body: "x" };
  await logInAndGoTo(evil);
  const [request, answer] = await Promise.all([page.waitForRequest(`${own}/api/notes`), call("/api/notes", post)]);
  assert.equal(answer.type, "opaque");
  assert.equal((await request.response()).status(), 403);
  assert.deepEqual(arrived(), []);
  await call("/unguarded/notes", post);
  assertArrivedWithCookie("POST /unguarded/notes", "x");
  await page.goto(own);
  assert.equal((await call("/api/notes", post)).status, 200);
  assert.deepEqual(arrived(), ["POST /api/notes"]);
});

test("a foreign page's form never reaches the API", async () => {
  await logInAndGoTo(evil);
  const refused = await submitForm("/api/notes");
  assert.deepEqual([refused.status, refused.body.code], [403, "cross_origin_blocked"]);
  assert.deepEqual(arrived(), []);
  await page.goto(evil);
  await submitForm("/unguarded/notes");
  assertArrivedWithCookie("POST /unguarded/notes", "a=1");
  await page.goto(own);
  assert.equal((await submitForm("/api/notes")).status, 200);
  assert.deepEqual(arrived(), ["POST /api/notes"]);
});

test("a foreign page's form in a sandboxed frame, which has no origin to name, does not either", async () => {
  await logInAndGoTo(evil);
  // Playwright can miss what a frame asks for when the frame moves to another process; its `load` is not missed.
  const submitInFrame = (path) =>
    page.evaluate(async (action) => {
      const frame = document.createElement("iframe");
      const loaded = () => new Promise((resolve) => frame.addEventListener("load", resolve, { once: true }));
      frame.sandbox = "allow-forms allow-scripts";
      frame.srcdoc = `<form method="post" action="${action}"><input name="a" value="1"></form><script>onmessage = () => document.forms[0].submit()</script>`;
      const ready = loaded();
      document.body.append(frame);
      await ready;
      const answered = loaded();
      frame.contentWindow.postMessage("submit", "*");
      await answered;
    }, own + path);
  await submitInFrame("/api/notes");
  assert.deepEqual(arrived(), []);
  await submitInFrame("/unguarded/notes");
  assert.equal(api.requests[0].headers.origin, "null");
  assertArrivedWithCookie("POST /unguarded/notes", "a=1");
});

test("a foreign page opens no WebSocket", async () => {
  await logInAndGoTo(evil);
  assert.equal(await openWebSocket("/api/socket"), "failed");
  assert.deepEqual(arrived(), []);
  assert.equal(await openWebSocket("/unguarded/socket"), "hi");
  assertArrivedWithCookie("GET /unguarded/socket");
  for (const origin of [own, allowed]) {
    await page.goto(origin);
    assert.equal(await openWebSocket("/api/socket"), "hi", origin);
    assert.deepEqual(arrived(), ["GET /api/socket"], origin);
    assert.equal(api.requests[0].headers["x-forwarded-email"], person);
    api.requests.length = 0;
  }
});

/** Logs in on the app, then opens a page of another origin, with the cookie that the login left. */
async function logInAndGoTo(origin) {
  await logIn(page, own, person);
  await page.goto(origin);
}

/** What reached the API. */
function arrived() {
  return api.requests.map(({ method, url }) => `${method} ${url}`);
}

/** That a request reached the API without the relay, with the person's cookie; forgets it. */
function assertArrivedWithCookie(expected, body) {
  assert.deepEqual(arrived(), [expected]);
  const [request] = api.requests.splice(0);
  assert.match(request.headers.cookie, /\bCF_Authorization=\w/);
  assert.equal(request.body?.toString(), body);
}

/** A fetch by the page, with credentials; what it saw of the answer. */
function call(path, init = {}) {
  return page.evaluate(
    async ([url, init]) => {
      try {
        const answer = await fetch(url, { credentials: "include", ...init });
        const text = await answer.text();
        const body = text.startsWith("{") ? JSON.parse(text) : text;
        const exposed = Object.fromEntries(["x-total", "x-internal"].map((name) => [name, answer.headers.get(name)]));
        return { status: answer.status, type: answer.type, body, exposed };
      } catch (error) {
        return { error: error.name };
      }
    },
    [own + path, init],
  );
}

/** Submits a form of the page's; the answer that the browser then shows. */
async function submitForm(path) {
  const answered = page.waitForResponse(own + path);
  await page.evaluate((action) => {
    document.body.innerHTML = `<form method="post" action="${action}"><input name="a" value="1"></form>`;
    document.forms[0].submit();
  }, own + path);
  const status = (await answered).status();
  await page.waitForURL(own + path);
  return { status, body: JSON.parse(await page.locator("body").innerText()) };
}

/** Opens a WebSocket from the page: its first message, or that it failed. */
function openWebSocket(path) {
  return page.evaluate(
    (url) =>
      new Promise((resolve) => {
        const socket = new WebSocket(url);
        socket.onmessage = ({ data }) => {
          socket.close();
          resolve(data);
        };
        socket.onerror = () => resolve("failed");
      }),
    own.replace("http", "ws") + path,
  );
}

/**
 * Watches the preflights that the browser sends for the page. The returned function waits for so many of them, and tells
 * the method that each asks for and the answer's status.
 */
async function watchPreflights() {
  // Playwright hides them; the browser's own protocol shows them.
  const session = await browser.context.newCDPSession(page);
  const asked = new Map();
  const answers = [];
  session.on("Network.requestWillBeSent", ({ requestId, request }) => {
    if (request.method === "OPTIONS") asked.set(requestId, request.headers["Access-Control-Request-Method"]);
  });
  session.on("Network.responseReceived", ({ requestId, response }) => {
    if (asked.has(requestId)) answers.push(`${asked.get(requestId)} ${response.status}`);
  });
  await session.send("Network.enable");
  return async (count) => {
    for (let tries = 0; answers.length < count && tries < 100; tries++) await new Promise((resolve) => setTimeout(resolve, 20));
    return answers;
  };
}

function acceptWebSocket(request, socket) {
  const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  socket.write(Buffer.from([0x81, 2, 0x68, 0x69])); // a text frame: "hi"
  socket.on("data", () => socket.end()).on("error", () => {});
}
