// What an attack and field tests found open, each by its kind: the Wasm that ships, and an API that echoes what it gets.

import assert from "node:assert/strict";
import { Agent, createServer, request } from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { audience, startIssuer } from "../support/issuer.mjs";
import { sendMany } from "../support/load.mjs";
import { sendRaw } from "../support/raw.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { startRelay } from "../support/workerd.mjs";

// With capitals, as Access's newer secrets have them: names of headers come in lower case.
const SECRET = "cfast_5eC4e7C0" + "5eC4e7C0".repeat(4);
const secrets = { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: SECRET };
let api, issuer, relay, token;

before(async () => {
  [api, issuer] = await Promise.all([startRecorder(), startIssuer()]);
  token = issuer.token();
  relay = await startRelay({
    relay: {
      access: { issuer: issuer.url, audience: [audience] },
      routes: [
        { path: "/api", upstream: api.url, strip_prefix: true, request_cookies: ["theme"], response_cookies: ["session"] },
        { path: "/whole", upstream: api.url, credentials: "caller-token", callback_paths: ["/whole/auth/callback"] },
        { path: "/open", upstream: api.url, foreign_requests: "all", documents: "allow" },
        { path: "/none", upstream: api.url, foreign_requests: "none" },
        { path: "/preflights", upstream: api.url, cors: { allowed_origins: ["https://admin.example.com"], allow_credentials: true, preflight: "upstream" } },
      ],
    },
    secrets,
  });
});
after(() => Promise.all([relay?.stop(), issuer?.stop(), api?.stop()]));
beforeEach(() => api.reset());

const login = () => `Cf-Access-Jwt-Assertion: ${token}`;

/** A request as it is written; its answer, with the headers by name. */
async function send(method, path, lines = [], { body = "", port = relay.port } = {}) {
  const head = [`${method} ${path} HTTP/1.1`, "Host: app.example.com", "Connection: close", ...lines, "", body].join("\r\n");
  const { headers: found, ...answer } = await sendRaw(port, head);
  const headers = {};
  for (const line of found) {
    const [, name, value] = line.match(/^([^:]+): ?(.*)$/);
    headers[name.toLowerCase()] = headers[name.toLowerCase()] === undefined ? value : `${headers[name.toLowerCase()]}, ${value}`;
  }
  return { ...answer, headers, code: answer.body.match(/"code":"(\w+)"/)?.[1] };
}

/** An API that writes all that it gets into its answer's body, as Apache answers TRACE. */
const echo = (incoming, response) => response.end(`${incoming.method} ${incoming.url}\n${incoming.rawHeaders.join("\n")}`);

test("TRACE, TRACK and CONNECT are sent by no kind of route", async () => {
  api.answer = echo;
  for (const path of ["/api/x", "/whole/x", "/open/x", "/preflights/x"]) {
    const traced = await send("TRACE", path, [login()]);
    assert.deepEqual([traced.status, traced.code], [405, "method_not_forwarded"], path);
    assert.match(traced.headers.allow, /^GET, HEAD, POST/);
    // workerd knows the other two as no method of a Worker's, and answers by itself.
    for (const method of ["TRACK", "CONNECT", "trace"]) assert.ok((await send(method, path, [login()])).status >= 400, method);
  }
  assert.equal(api.requests.length, 0);
  // Another method of an echoing API: what its body holds is the API's to say (SECURITY.md).
  assert.ok((await send("GET", "/api/x", [login()])).body.includes(SECRET));
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
    const answer = await send("GET", "/api/x", [login()]);
    assert.ok(answer.status > 0);
    assert.ok(!JSON.stringify(answer).toLowerCase().includes(SECRET.toLowerCase()), JSON.stringify([status, headers, answer]));
    assert.equal(Object.keys(answer.headers).filter((name) => name.startsWith("cf-access")).length, 0);
  }
  api.answer = (_, response) => response.writeHead(200, SECRET).end();
  const raw = await sendRaw(relay.port, ["GET /api/x HTTP/1.1", "Host: app.example.com", "Connection: close", login(), "", ""].join("\r\n"));
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
  assert.equal((await send("GET", "/whole/x", [login()])).headers["x-echo"], undefined);
  assert.equal(api.requests.at(-1).headers["cf-access-token"], token);
  const records = await relay.records((records) => records.length >= 12);
  assert.ok(records.some(({ warnings }) => warnings?.some((warning) => /holds the service token in its header x-echo/.test(warning))));
  assert.ok(!relay.output().slice(before).includes(SECRET));
});

test("with debug, no answer and no line of the log quotes what an API echoed", async () => {
  const debug = await startRelay({
    relay: { access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: api.url }], debug: true },
    secrets,
  });
  for (const name of ["cf-access-error", "cf-access-aud", "cf-access-domain"]) {
    api.answer = (_, response) => response.writeHead(403, { [name]: SECRET }).end();
    const answer = await send("GET", "/api/x", [], { port: debug.port });
    assert.equal(answer.code, "upstream_access_denied");
    assert.match(answer.body, new RegExp(`answered 403 with ${name}( \\(not shown\\))?: check`));
    assert.ok(!JSON.stringify(answer).includes(SECRET));
  }
  // An AUD tag is of a known form, and tells which application has answered.
  api.answer = (_, response) => response.writeHead(403, { "cf-access-aud": audience }).end();
  assert.ok((await send("GET", "/api/x", [], { port: debug.port })).body.includes(`403 with cf-access-aud ${audience}: check`));
  assert.ok(!debug.output().includes(SECRET) && debug.output().includes(audience));
  await debug.stop();
});

test("names that servers fold into ours do not cross", async () => {
  const bent = [];
  for (const dash of "!#$%&'*+.^_`|~") {
    for (const name of ["X-Forwarded-Email", "Cf-Access-Client-Secret", "X-Real-IP", "Remote-User", "X-HTTP-Method-Override", "Transfer-Encoding", "CF-Connecting-IP"]) {
      bent.push(`${name.replaceAll("-", dash)}: evil`, `${name.replace("-", dash)}: evil`);
    }
  }
  const plain = ["X-Forwarded: evil", "Cookie2: evil", "X-Original-URL: /evil", "X-Auth-Request-User: evil", "X-Webauth-User: evil", "X-Host: evil", "True-Client-IP: evil"];
  const kept = ["X-Custom: 1", "X~Custom: 2", "X-Original-Filename: a.txt"];
  assert.equal((await send("GET", "/api/x", [login(), "CF-Connecting-IP: 203.0.113.9", ...bent, ...plain, ...kept])).status, 200);
  const { headers } = api.requests[0];
  assert.deepEqual(Object.entries(headers).filter(([, value]) => value.includes("evil")), []);
  assert.deepEqual([headers["x-custom"], headers["x~custom"], headers["x-original-filename"], headers["x-forwarded-for"]], ["1", "2", "a.txt", "203.0.113.9"]);
});

test("two Cookie lines: neither hides the login, nor rides along", async () => {
  const cookie = `Cookie: CF_Authorization=${token}`;
  for (const [lines, expected] of [
    [["Cookie: theme=dark", "Cookie: sid=SECRET", cookie], undefined], [["Cookie: theme=dark", cookie], undefined],
    [[cookie, "Cookie: theme=dark"], undefined], [["Cookie: theme=dark; sid=SECRET", cookie], "theme=dark"],
  ]) {
    api.reset();
    assert.equal((await send("GET", "/api/x", lines)).status, 200, lines);
    assert.equal(api.requests[0].headers.cookie, expected, lines);
  }
});

test("a junk cookie beside a good one locks nobody out; two good ones of different people do", async () => {
  const eve = issuer.token({ sub: "eve-1" });
  const cookies = (...values) => [`Cookie: ${values.map((value) => `CF_Authorization=${value}`).join("; ")}`];
  for (const junk of ["", "x", "a.b", "a.b.c", `${token}x`]) {
    assert.equal((await send("GET", "/api/x", cookies(junk, token))).status, 200, junk);
    assert.equal((await send("GET", "/api/x", cookies(token, junk))).status, 200, junk);
  }
  assert.equal((await send("GET", "/api/x", cookies(token, issuer.token()))).status, 200, "of one person");
  assert.equal((await send("GET", "/api/x", cookies(token, eve))).status, 401);
  // However many are planted, in however many ways, and without a wait for the issuer.
  const planted = Array.from({ length: 1_000 }, (_, number) => `a.b.${number}`);
  assert.equal((await send("GET", "/api/x", cookies(...planted, token))).status, 200);
  assert.equal((await send("GET", "/api/x", [`Cookie: z=1,CF_Authorization=${planted.slice(0, 20).join(",CF_Authorization=")}; CF_Authorization=${token}`])).status, 200);
  const [fetches, unknown] = [issuer.fetches, issuer.token({}, { ...issuer.keys[0], kid: "made-up" })];
  assert.equal((await send("GET", "/api/x", cookies(unknown, token))).status, 200);
  assert.equal(issuer.fetches, fetches);
  // The route that sends the caller's own token sends the good one.
  api.reset();
  await send("GET", "/whole/x", cookies("a.b.c", token));
  assert.equal(api.requests[0].headers["cf-access-token"], token);
});

test("a Connection header beyond what is read is refused, and nothing of it is cut", async () => {
  const long = `Connection: close, ${"x-a, ".repeat(250)}x-last`;
  const answer = await sendRaw(relay.port, ["GET /api/x HTTP/1.1", "Host: app.example.com", login(), long, "X-Last: 1", "", ""].join("\r\n"));
  assert.deepEqual([answer.status, answer.body.match(/"code":"(\w+)"/)?.[1]], [400, "bad_request"]);
  assert.equal(api.requests.length, 0);
});

test("reads of foreign pages: what reaches the API, by route", async () => {
  const said = (site, mode, dest) => [login(), `Sec-Fetch-Site: ${site}`, `Sec-Fetch-Mode: ${mode}`, `Sec-Fetch-Dest: ${dest}`];
  for (const [path, link, image] of [["/api/x", 200, 403], ["/open/x", 200, 200], ["/none/x", 403, 403]]) {
    for (const site of ["cross-site", "same-site"]) {
      assert.equal((await send("GET", path, said(site, "navigate", "document"))).status, link, path);
      for (const [mode, dest] of [["no-cors", "image"], ["no-cors", "script"], ["navigate", "iframe"], ["no-cors", "empty"]]) {
        assert.equal((await send("GET", path, said(site, mode, dest))).status, image, `${path} ${dest}`);
      }
    }
    assert.equal((await send("GET", path, said("same-origin", "no-cors", "image"))).status, 200, path);
  }
  // A browser that is too old to say so gets an answer that it shows to no other page.
  assert.equal((await send("GET", "/api/x", [login()])).headers["cross-origin-resource-policy"], "same-origin");
  assert.equal((await send("GET", "/open/x", [login()])).headers["cross-origin-resource-policy"], undefined);
});

test("documents of the API are sandboxed, and a callback by form POST reaches its path alone", async () => {
  api.answer = (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<script>1</script>");
  const document = [login(), "Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"];
  assert.equal((await send("GET", "/api/x", document)).headers["content-security-policy"], "sandbox");
  assert.equal((await send("GET", "/open/x", document)).headers["content-security-policy"], undefined);
  api.reset();
  const post = [login(), "Origin: null", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Content-Length: 6"];
  assert.equal((await send("POST", "/whole/auth/callback", post, { body: "code=1" })).status, 200);
  assert.equal(api.requests[0].body.toString(), "code=1");
  for (const path of ["/whole/auth", "/whole/auth/callback/x", "/api/auth/callback"]) assert.equal((await send("POST", path, post, { body: "code=1" })).code, "cross_origin_blocked", path);
  assert.equal(api.requests.length, 1);
});

test("no shared cache may keep what a checked caller got, and answers vary by what browsers send", async () => {
  api.answer = (incoming, response) => response.writeHead(200, JSON.parse(incoming.headers["x-answer"])).end();
  const get = async (answer) => (await send("GET", "/api/x", [login(), "Sec-Fetch-Site: same-origin", "Sec-Fetch-Dest: empty", `X-Answer: ${JSON.stringify(answer)}`])).headers;
  assert.equal((await get({ "cache-control": "public, max-age=60" }))["cdn-cache-control"], "no-store");
  assert.equal((await get({ "cache-control": "private", "cloudflare-cdn-cache-control": "max-age=60" }))["cloudflare-cdn-cache-control"], undefined);
  const kept = await get({ "cache-control": "no-store", "content-type": "application/json", etag: '"x"' });
  for (const name of ["cdn-cache-control", "cross-origin-resource-policy", "content-security-policy"]) assert.equal(kept[name], undefined, name);
  assert.equal((await get({ vary: "Accept, X-Forwarded-Email" })).vary, "Accept, Cookie");
  const host = await get({ "strict-transport-security": "max-age=1", nel: "{}", "report-to": "{}", "alt-svc": "h3", "service-worker-allowed": "/", "timing-allow-origin": "*", "set-login": "logged-out", "accept-ch": "x", "x-kept": "1" });
  assert.deepEqual(Object.keys(host).filter((name) => /transport|nel|report|alt-svc|service-worker|timing|login|accept-ch/.test(name)), []);
  assert.equal(host["x-kept"], "1");
});

test("every URL of an answer leads back through the relay", async () => {
  api.answer = (_, response) => {
    const headers = {
      location: "http://app.example.com/jobs/1", "content-location": "/notes/7", "operation-location": `${api.url}/operations/9`,
      link: '</notes?page=2>; rel="next"', refresh: "5; url=/jobs/1", "set-cookie": "session=1; Path=/users",
    };
    response.writeHead(202, headers).end();
  };
  const { headers } = await send("GET", "/api/notes", [login()]);
  assert.deepEqual(
    [headers.location, headers["content-location"], headers["operation-location"], headers.link, headers.refresh, headers["set-cookie"]],
    ["/api/jobs/1", "/api/notes/7", "/api/operations/9", '</api/notes?page=2>; rel="next"', "5; url=/api/jobs/1", "session=1; Path=/api/users"],
  );
  assert.equal(api.requests[0].headers["x-forwarded-prefix"], "/api");
});

test("a deadline begins where the request's body ends", async () => {
  // An API that reads slowly where it is asked to, and answers late.
  const seen = [];
  const slow = createServer((incoming, response) => {
    let bytes = 0;
    incoming.on("data", (chunk) => {
      bytes += chunk.length;
      if (!incoming.url.includes("slow-reader")) return;
      incoming.pause();
      setTimeout(() => incoming.resume(), 5);
    });
    incoming.on("error", () => {});
    incoming.on("end", () => {
      seen.push([incoming.headers["content-length"], incoming.headers["transfer-encoding"], bytes]);
      setTimeout(() => response.end(String(bytes)), incoming.url.includes("late") ? 2_000 : 0);
    });
  });
  await new Promise((resolve) => slow.listen({ port: 0, host: "127.0.0.1" }, resolve));
  const uploads = await startRelay({
    relay: { access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: `http://127.0.0.1:${slow.address().port}`, timeout_ms: 500 }] },
    secrets,
  });
  const agent = new Agent();
  /** A body in so many pieces, with a pause after each. */
  const upload = (path, pieces, size, milliseconds, headers) =>
    new Promise((resolve, reject) => {
      const began = Date.now();
      const sent = request({ host: "127.0.0.1", port: uploads.port, path, method: "POST", agent, headers }, async (response) => {
        let text = "";
        for await (const chunk of response) text += chunk;
        resolve({ status: response.statusCode, text, took: Date.now() - began });
      });
      sent.on("error", reject);
      (async () => {
        for (let piece = 0; piece < pieces; piece++) {
          sent.write(Buffer.alloc(size, "x"));
          await pause(milliseconds);
        }
        sent.end();
      })();
    });
  const [slowly, small, large, chunked, none, late, lateChunked] = await Promise.all([
    upload("/api/slow-reader", 16, 1024 * 1024, 0, { "content-length": 16 * 1024 * 1024 }),
    upload("/api/small", 8, 100, 150, { "content-length": 800 }),
    upload("/api/large", 8, 20_000, 150, { "content-length": 160_000 }),
    upload("/api/chunked", 8, 100, 150, {}),
    upload("/api/late", 0, 0, 0, { "content-length": 0 }),
    upload("/api/late", 4, 20_000, 100, { "content-length": 80_000 }),
    upload("/api/late", 4, 20_000, 100, {}),
  ]);
  assert.deepEqual([small.status, small.text, large.status, large.text, chunked.status, chunked.text], [200, "800", 200, "160000", 200, "800"]);
  assert.deepEqual([slowly.status, slowly.text], [200, String(16 * 1024 * 1024)], "an API that reads slowly is no late one");
  assert.ok(slowly.took > 1_000, `${slowly.took} ms`);
  assert.ok(small.took > 1_000 && large.took > 1_000 && chunked.took > 1_000, "each took longer than timeout_ms");
  // Content-Length stays where there was one.
  assert.deepEqual(seen.filter(([, , bytes]) => bytes === 160_000 || bytes === 800).map(([length, encoding]) => length ?? encoding).sort(), ["160000", "800", "chunked"]);
  // What is late after the body is late.
  for (const [answer, least] of [[none, 400], [late, 700], [lateChunked, 700]]) {
    assert.equal(answer.status, 504);
    assert.ok(answer.took > least && answer.took < 1_900, `${answer.took} ms`);
  }
  agent.destroy();
  await uploads.stop();
  slow.closeAllConnections();
  slow.close();
});

test("an upload that breaks off never looks whole to the API", async () => {
  const complete = [];
  const server = createServer((incoming, response) => {
    const chunks = [];
    incoming.on("data", (chunk) => chunks.push(chunk)).on("error", () => {});
    incoming.on("end", () => {
      complete.push(Buffer.concat(chunks).toString());
      response.end();
    });
  });
  await new Promise((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  const uploads = await startRelay({ relay: { access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: `http://127.0.0.1:${server.address().port}` }] }, secrets });
  const { connect } = await import("node:net");
  /** Sends the beginning of a request, and ends the connection; the status line of the answer, if there is one. */
  const breakOff = (lines, body, end) =>
    new Promise((resolve) => {
      let answer = "";
      const socket = connect({ port: uploads.port, host: "127.0.0.1" });
      socket.setEncoding("latin1").on("data", (text) => (answer += text)).on("error", () => {});
      socket.write(["POST /api/x HTTP/1.1", "Host: app.example.com", ...lines, "", body].join("\r\n"));
      setTimeout(() => end(socket), 100);
      setTimeout(() => {
        socket.destroy();
        resolve(answer.split("\r\n")[0]);
      }, 400);
    });
  const ends = [(socket) => socket.end(), (socket) => socket.resetAndDestroy()];
  const chunked = ["Transfer-Encoding: chunked"];
  const cases = [
    [chunked, "5\r\nhello\r\n5\r\nwo"], [chunked, "5\r\nhello\r\n"], [chunked, "5\r\nhello\r\nZZ\r\n"], [chunked, "hello"],
    [["Content-Length: 50000"], "hello"], [["Content-Length: 500"], "hello"],
  ];
  const answers = await Promise.all(cases.flatMap(([lines, body]) => ends.map((end) => breakOff(lines, body, end))));
  for (const answer of answers) assert.match(answer, /^$|^HTTP\/1\.1 (400|502) /);
  assert.deepEqual(complete, []);
  assert.match(await breakOff(chunked, "5\r\nhello\r\n0\r\n\r\n", () => {}), /^HTTP\/1\.1 200 /);
  assert.deepEqual(complete, ["hello"]);
  await uploads.stop();
  server.closeAllConnections();
  server.close();
});

test("an API that answers an upload early is heard", async () => {
  const server = createServer((incoming, response) => {
    response.writeHead(413).end("too large");
    incoming.on("error", () => {}).resume();
  });
  await new Promise((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  const uploads = await startRelay({ relay: { access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: `http://127.0.0.1:${server.address().port}` }] }, secrets });
  const answer = await fetch(`${uploads.url}/api/x`, { method: "POST", body: Buffer.alloc(500_000) });
  assert.deepEqual([answer.status, await answer.text()], [413, "too large"]);
  await uploads.stop();
  server.closeAllConnections();
  server.close();
});

test("a 101 that nobody asked for opens nothing", async () => {
  const upgraded = [];
  api.upgrade = (incoming, socket) => {
    upgraded.push(incoming.headers.upgrade);
    socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
  };
  const server = createServer();
  server.on("connection", (socket) => socket.on("error", () => {}).on("data", () => socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")));
  server.removeAllListeners("request");
  await new Promise((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  const odd = await startRelay({
    relay: {
      access: { dangerously_allow_anyone: true },
      routes: [{ path: "/api", upstream: `http://127.0.0.1:${server.address().port}`, cors: { allowed_origins: ["https://admin.example.com"], preflight: "upstream" } }],
    },
    secrets,
  });
  const preflight = ["Origin: https://admin.example.com", "Access-Control-Request-Method: PUT"];
  for (const [method, lines] of [["GET", []], ["POST", ["Content-Length: 0"]], ["OPTIONS", preflight]]) {
    const answer = await send(method, "/api/x", lines, { port: odd.port });
    assert.deepEqual([answer.status, answer.code], [502, "upstream_unreachable"], method);
  }
  assert.equal((await odd.records(3)).filter(({ code }) => code === "upstream_unreachable").length, 3);
  await odd.stop();
  server.closeAllConnections();
  server.close();
  // Who offers several protocols is asked for none.
  for (const upgrade of ["h2c, websocket", "websocket, h2c", "h2c"]) {
    const answer = await sendRaw(relay.port, ["GET /api/x HTTP/1.1", "Host: app.example.com", login(), "Connection: Upgrade, close", `Upgrade: ${upgrade}`, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "", ""].join("\r\n"), { headOnly: true });
    assert.notEqual(answer.status, 101, upgrade);
  }
  assert.deepEqual(upgraded, []);
});

test("a relay in front of itself: the loop ends at the second hop", async () => {
  const { createServer: createProxy, connect } = await import("node:net");
  // Its upstream is itself, by way of a door that counts.
  let hops = 0;
  let looping;
  const door = createProxy((socket) => {
    hops++;
    const inner = connect({ port: looping.port, host: "127.0.0.1" });
    socket.on("error", () => {}).pipe(inner).on("error", () => {}).pipe(socket);
  });
  await new Promise((resolve) => door.listen({ port: 0, host: "127.0.0.1" }, resolve));
  looping = await startRelay({
    relay: { access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: `http://127.0.0.1:${door.address().port}` }], health_path: "/healthz" },
    secrets,
  });
  const answer = await send("GET", "/api/x", [], { port: looping.port });
  assert.deepEqual([answer.status, answer.code, hops], [508, "loop_detected", 1]);
  await looping.stop();
  door.close();
});

test("whatever somebody without a proven name can cause is under the log's quota", async () => {
  const down = { path: "/down", upstream: "http://127.0.0.1:9" };
  const cors = { allowed_origins: ["https://admin.example.com"], allow_credentials: true, preflight: "upstream" };
  const noisy = await startRelay({
    relay: { access: { issuer: issuer.url, audience: [audience] }, routes: [{ ...down, cors }], health_path: "/healthz" },
    secrets,
  });
  const began = Date.now();
  const many = (count, headers, path, method) => sendMany(noisy.port, () => (count-- > 0 ? headers : undefined), { path, method });
  await many(1_000, { host: "app.example.com" }, "/healthz");
  const health = noisy.output().split("\n").filter((line) => line.includes('"warnings"')).length;
  await many(500, { host: "app.example.com", origin: "https://admin.example.com", "access-control-request-method": "GET" }, "/down/x", "OPTIONS");
  const seconds = Math.ceil((Date.now() - began) / 1000) + 1;
  assert.ok(health >= 1 && health <= seconds, `${health} lines of health in ${seconds} seconds`);
  const refused = (await noisy.records()).filter(({ code }) => code === "upstream_unreachable");
  assert.ok(refused.length > 0 && refused.length <= 20 * seconds, `${refused.length} lines`);
  // Somebody with a name is written down each time.
  const before = (await noisy.records()).length;
  await many(50, { host: "app.example.com", "cf-access-jwt-assertion": token }, "/down/x");
  assert.equal((await noisy.records(before + 50)).filter(({ caller }) => caller === "user").length, 50);
  await noisy.stop();
});

test("a store is read again at most once in 30 seconds, whatever Access refuses", async () => {
  api.answer = (_, response) => response.writeHead(403, { "cf-access-aud": audience }).end();
  const stored = {
    A_CLIENT_ID: `return "0123.access";`,
    A_CLIENT_SECRET: `globalThis.reads = (globalThis.reads ?? 0) + 1; console.log(JSON.stringify({ reads: globalThis.reads })); return "stored-value";`,
  };
  const running = await startRelay({ relay: { access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: api.url, service_token: "A" }] }, stored });
  for (let call = 0; call < 100; call++) assert.equal((await fetch(`${running.url}/api/x`)).status, 502);
  const reads = (await running.records()).filter(({ reads }) => reads !== undefined);
  assert.equal(reads.at(-1).reads, 2, "once at the start, once after the first refusal");
  await running.stop();
});

test("a store that fails is not asked by every stranger", async () => {
  const stored = { A_CLIENT_ID: `console.log(JSON.stringify({ asked: 1 })); throw new Error("the store is down");`, A_CLIENT_SECRET: `return "stored-value";` };
  const running = await startRelay({ relay: { access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: api.url, service_token: "A" }] }, stored });
  const began = Date.now();
  for (let call = 0; call < 200; call++) assert.equal((await fetch(`${running.url}/api/x`)).status, 500);
  const asked = (await running.records()).filter(({ asked }) => asked).length;
  assert.ok(asked <= 1 + (Date.now() - began) / 1_000, `${asked} times`);
  await running.stop();
});

test("what looks wrong with the configuration is said once", async () => {
  const odd = { access: { issuer: "https://login.example.com", audience: ["short"] }, routes: [{ path: "/api", upstream: api.url }] };
  const running = await startRelay({ relay: odd, secrets });
  for (let call = 0; call < 5; call++) await fetch(`${running.url}/api/x`);
  const warned = (await running.records(5)).filter(({ warnings }) => warnings);
  assert.equal(warned.length, 1);
  assert.match(warned[0].warnings.join("\n"), /^configuration: access\.issuer: found .*\nconfiguration: access\.audience/);
  await running.stop();
});

test("RELAY as a text with a key twice, and placeholders for secrets, serve nothing", async () => {
  const open = { access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: api.url }] };
  const twice = JSON.stringify(open).replace('"access":', '"access":{"issuer":"https://acme.cloudflareaccess.com","audience":["x"]},"access":');
  for (const [relay, found, path] of [
    [undefined, { ...secrets, RELAY: twice }, /^access: /],
    [open, { ...secrets, CF_ACCESS_CLIENT_ID: "<hex>.access" }, /^CF_ACCESS_CLIENT_ID: /],
    [open, { ...secrets, CF_ACCESS_CLIENT_SECRET: "0123.access" }, /^CF_ACCESS_CLIENT_SECRET: /],
    [{ ...open, log: SECRET }, secrets, /^log: /],
  ]) {
    const running = await startRelay({ relay, secrets: found });
    assert.equal((await fetch(`${running.url}/api/x`)).status, 500);
    const [record] = await running.records();
    assert.ok(record.errors.some((error) => path.test(error)), record.errors.join("\n"));
    assert.ok(!running.output().includes(SECRET));
    await running.stop();
  }
  assert.equal(api.requests.length, 0);
});
