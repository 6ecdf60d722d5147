// Pages of other origins, in real browsers: what the policy allows works, and nothing else reaches the API.
//
// Cookies of third parties are allowed, as they are in Chrome (tests/support/engines/ say how); where they are blocked, a foreign
// page's requests but for its forms come without the login. Each test of an attack makes the same attempt on the same API without
// the relay (`/unguarded`), where it arrives, with the person's cookie: so it is the relay that stops it, not the browser.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, beforeEach } from "node:test";
import { logIn } from "../support/browser.mjs";
import { inEachEngine } from "../support/engines.mjs";
import { startSite } from "../support/site.mjs";

const person = "ada@example.com";
const policy = ({ allowed }) => ({
  cors: {
    allowed_origins: [allowed],
    allowed_methods: ["DELETE"],
    allowed_headers: ["content-type", "x-custom"],
    exposed_headers: ["x-total"],
    allow_credentials: true,
  },
});

inEachEngine("What pages of other origins can do", ({ launch, tls, test }) => {
  let browser, page, site;

  before(async () => {
    site = await startSite({ "/api": {} }, { tls, more: policy, bypass: ["/unrouted"] });
    browser = await launch();
    page = browser.page;
    await logIn(page, site.own, person);
  });
  after(async () => {
    await browser?.close();
    await site?.stop();
  });
  beforeEach(() => {
    site.forget();
    site.api.answer = (request, response) => {
      response.writeHead(200, { "content-type": "application/json", "x-total": "42", "x-internal": "1" });
      response.end(JSON.stringify({ method: request.method, email: request.headers["x-forwarded-email"] }));
    };
    site.api.upgrade = acceptWebSocket;
  });

  test("the relay's own page writes", async () => {
    await page.goto(site.own);
    const answer = await call("/api/notes", { method: "POST", headers: { "content-type": "application/json" }, body: '{"a":1}' });
    assert.deepEqual(answer.body, { method: "POST", email: person });
    assert.deepEqual(site.arrived(), ["POST /api/notes"]);
    assert.equal(site.api.requests[0].body.toString(), '{"a":1}');
    assert.equal(site.api.requests[0].headers["cf-access-client-secret"], "s3cr3t-value");
  });

  test("a page of an allowed origin reads and writes, and no preflight of it reaches the API", async () => {
    await page.goto(site.allowed);
    for (const [method, headers, body] of [
      ["GET", {}, undefined],
      ["POST", { "content-type": "application/json" }, '{"a":1}'],
      ["DELETE", { "x-custom": "1" }, undefined],
    ]) {
      const answer = await call("/api/notes/1", { method, headers, body });
      assert.equal(answer.status, 200, method);
      assert.deepEqual(answer.body, { method, email: person });
      assert.deepEqual(answer.exposed, { "x-total": "42", "x-internal": null }, method);
      assert.equal(site.api.requests.at(-1).headers["x-custom"], headers["x-custom"]);
    }
    assert.deepEqual(site.arrived(), ["GET /api/notes/1", "POST /api/notes/1", "DELETE /api/notes/1"]);
    // They were sent, so the relay must have answered them.
    assert.deepEqual(preflights(), ["POST 204", "DELETE 204"]);
  });

  test("the page of an allowed origin gets no further than the policy", async () => {
    await page.goto(site.allowed);
    assert.equal((await call("/api/x", { method: "PUT" })).error, "TypeError");
    assert.equal((await call("/api/x", { headers: { "x-other": "1" } })).error, "TypeError");
    assert.deepEqual(preflights(), ["PUT 403", "GET 403"]);
    assert.deepEqual(site.arrived(), []);
    // The relay's own page needs no policy.
    await page.goto(site.own);
    assert.equal((await call("/api/x", { method: "PUT", headers: { "x-other": "1" } })).status, 200);
    assert.deepEqual(site.arrived(), ["PUT /api/x"]);
  });

  test("an allowed page can read the relay's own errors", async () => {
    await page.goto(`${site.own}/cdn-cgi/access/logout`);
    await page.goto(site.allowed);
    const stranger = await call("/api/x");
    assert.deepEqual([stranger.status, stranger.body.code], [401, "unauthenticated"]);
    const write = await call("/api/x", { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
    assert.deepEqual([write.status, write.body.code], [401, "unauthenticated"]);
    const unrouted = await call("/unrouted/x");
    assert.deepEqual([unrouted.status, unrouted.body.code], [404, "not_found"]);
    // Another page cannot: it is the policy that lets the first one.
    await page.goto(site.evil);
    assert.equal((await call("/api/x")).error, "TypeError");
    assert.equal((await call("/unrouted/x")).error, "TypeError");
    assert.deepEqual(site.arrived(), []);
    await logIn(page, site.own, person);
  });

  test("a foreign page can read nothing", async () => {
    await page.goto(site.evil);
    assert.equal((await call("/api/notes")).error, "TypeError");
    assert.deepEqual(site.arrived(), [], "the API is not even asked");
    // Without the relay the same request arrives, with the person's cookie.
    assert.equal((await call("/unguarded/notes")).error, "TypeError");
    assertArrivedWithCookie("GET /unguarded/notes", "");
    await page.goto(site.allowed);
    assert.equal((await call("/api/notes")).status, 200);
  });

  test("a foreign page's preflighted request is never sent", async () => {
    const init = { method: "DELETE", headers: { "x-custom": "1" } };
    await page.goto(site.evil);
    assert.equal((await call("/api/notes/2", init)).error, "TypeError");
    assert.deepEqual(preflights(), ["DELETE 403"]);
    assert.deepEqual(site.arrived(), []);
    await page.goto(site.own);
    assert.equal((await call("/api/notes/2", init)).status, 200);
    assert.deepEqual(site.arrived(), ["DELETE /api/notes/2"]);
  });

  test("a foreign page's simple POST never reaches the API", async () => {
    const post = { method: "POST", mode: "no-cors", body: "x" };
    await page.goto(site.evil);
    assert.equal((await call("/api/notes", post)).type, "opaque");
    assert.deepEqual((await site.witness.seen("/api/notes")).map(({ status }) => status), [403]);
    assert.deepEqual(site.arrived(), []);
    await call("/unguarded/notes", post);
    assertArrivedWithCookie("POST /unguarded/notes", "x");
    await page.goto(site.own);
    assert.equal((await call("/api/notes", post)).status, 200);
    assert.deepEqual(site.arrived(), ["POST /api/notes"]);
  });

  test("a foreign page's form never reaches the API", async () => {
    await page.goto(site.evil);
    assert.match(await submitForm("/api/notes"), /cross_origin_blocked/);
    assert.deepEqual((await site.witness.seen("/api/notes")).map(({ status }) => status), [403]);
    assert.deepEqual(site.arrived(), []);
    await page.goto(site.evil);
    await submitForm("/unguarded/notes");
    assertArrivedWithCookie("POST /unguarded/notes", "a=1");
    await page.goto(site.own);
    assert.match(await submitForm("/api/notes"), /POST/);
    assert.deepEqual(site.arrived(), ["POST /api/notes"]);
  });

  test("a foreign page's form in a sandboxed frame, which has no origin to name, does not either", async () => {
    await page.goto(site.evil);
    const submitInFrame = async (path) => {
      await page.evaluate((action) => {
        const frame = document.createElement("iframe");
        frame.sandbox = "allow-forms allow-scripts";
        frame.srcdoc = `<form method="post" action="${action}"><input name="a" value="1"></form><script>document.forms[0].submit()</script>`;
        document.body.append(frame);
      }, site.own + path);
      return (await site.witness.seen(path)).map(({ status }) => status);
    };
    assert.deepEqual(await submitInFrame("/api/notes"), [403]);
    assert.deepEqual(site.arrived(), []);
    assert.deepEqual(await submitInFrame("/unguarded/notes"), [200]);
    assert.equal(site.api.requests[0].headers.origin, "null");
    assertArrivedWithCookie("POST /unguarded/notes", "a=1");
  });

  test("a foreign page opens no WebSocket", async () => {
    await page.goto(site.evil);
    assert.equal(await openWebSocket("/api/socket"), "failed");
    assert.deepEqual(site.arrived(), []);
    assert.equal(await openWebSocket("/unguarded/socket"), "hi");
    assertArrivedWithCookie("GET /unguarded/socket");
    for (const origin of [site.own, site.allowed]) {
      await page.goto(origin);
      assert.equal(await openWebSocket("/api/socket"), "hi", origin);
      assert.deepEqual(site.arrived(), ["GET /api/socket"], origin);
      assert.equal(site.api.requests[0].headers["x-forwarded-email"], person);
      site.forget();
    }
  });

  /** The preflights that came, by the method that each asks for and the answer's status. */
  function preflights() {
    const asked = site.witness.requests.filter(({ method }) => method === "OPTIONS");
    return asked.map(({ headers, status }) => `${headers["access-control-request-method"]} ${status}`);
  }

  /** That a request reached the API without the relay, with the person's cookie; forgets it. */
  function assertArrivedWithCookie(expected, body) {
    assert.deepEqual(site.arrived(), [expected]);
    const [request] = site.api.requests.splice(0);
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
      [site.own + path, init],
    );
  }

  /** Submits a form of the page's; what the browser then shows. */
  async function submitForm(path) {
    await page.evaluate((action) => {
      document.body.innerHTML = `<form method="post" action="${action}"><input name="a" value="1"></form>`;
      document.forms[0].submit();
    }, site.own + path);
    await page.waitForURL(site.own + path);
    // Firefox shows JSON as a tree.
    return page.evaluate(() => document.body.innerText);
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
      site.own.replace("http", "ws") + path,
    );
  }
});

function acceptWebSocket(request, socket) {
  const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  socket.write(Buffer.from([0x81, 2, 0x68, 0x69])); // a text frame: "hi"
  socket.on("data", () => socket.end()).on("error", () => {});
}
