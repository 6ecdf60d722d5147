// Requests made up from the grammar of HTTP, and bent out of it, against the running Worker with an API that records.
//
// Whatever comes: the service token is in no answer and no log line; the API is the configured one, and gets the one
// service token once; nothing that the caller said in Access's or the relay's name arrives; every answer is the API's, a
// documented refusal, or workerd's own word on what is no HTTP.

import { createServer } from "node:net";
import { audience, startIssuer } from "../tests/support/issuer.mjs";
import { sendRaw } from "../tests/support/raw.mjs";
import { startRelay } from "../tests/support/workerd.mjs";

const CODES = ["not_found", "bad_path", "unauthenticated", "origin_not_allowed", "method_not_allowed", "header_not_allowed", "cross_origin_blocked", "upstream_unreachable", "upstream_timeout", "keys_unavailable"];
const secret = "c0ffee00".repeat(8);
const MARK = "planted-by-the-caller";

/** Runs it for so many seconds, from a seed. Returns the figures, with whatever was wrong. */
export async function fuzzRequests(seconds, seed = Date.now() % 1_000_000) {
  const random = mulberry32(seed);
  const issuer = await startIssuer();
  const api = await startRecordingApi();
  const relay = await startRelay({
    relay: {
      access: { issuer: issuer.url, audience: [audience] },
      routes: [{ path: "/api", upstream: api.url, timeout_ms: 2_000, request_cookies: ["theme"] }],
      cors: { allowed_origins: ["https://admin.example.com"], allowed_methods: ["PUT"], allow_credentials: true },
    },
    secrets: { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: secret },
  });
  const figures = { sent: 0, forwarded: 0, outcomes: {}, wrong: [] };
  const token = issuer.token();
  const wrong = (what, text) => figures.wrong.push(`${what} (seed ${seed}): ${JSON.stringify(text.replaceAll(token, "<token>").slice(0, 400))}`);
  const end = Date.now() + seconds * 1000;
  const one = async () => {
    while (Date.now() < end) {
      const text = makeRequest(random, token);
      const answer = await Promise.race([sendRaw(relay.port, text).catch(() => ({ status: 0, headers: [], body: "" })), new Promise((resolve) => setTimeout(resolve, 5_000, undefined))]);
      figures.sent++;
      if (answer === undefined) {
        wrong("no answer in 5 seconds", text);
        continue;
      }
      const outcome = judge(answer, text);
      figures.outcomes[outcome] = (figures.outcomes[outcome] ?? 0) + 1;
      if (outcome.startsWith("odd")) wrong(`${outcome} ${answer.body.slice(0, 100)}`, text);
      if ((answer.headers.join("\n") + answer.body).includes(secret)) wrong("the answer holds the service token", text);
    }
  };
  await Promise.all(Array.from({ length: 8 }, one));
  figures.forwarded = api.requests.length;
  for (const request of api.requests) for (const what of faultsOf(request, api.host)) wrong(what, request);
  if (relay.output().includes(secret)) figures.wrong.push("the log holds the service token");
  if (/Critical|panicked/.test(relay.output())) figures.wrong.push(`the Wasm was restarted: ${relay.output().match(/.*(Critical|panicked).*/)[0]}`);
  const last = await fetch(`${relay.url}/api/x`, { headers: { "cf-access-jwt-assertion": token } });
  if (last.status !== 200) figures.wrong.push(`after all that, a plain call gets ${last.status}`);
  await Promise.all([relay.stop(), issuer.stop(), api.stop()]);
  return figures;
}

function judge({ status, headers, body }, request) {
  if (status === 0) return "connection closed";
  if (status === 100) return "an interim answer";
  if (headers.some((line) => /^x-api: 1$/i.test(line))) return "the API's";
  if (headers.some((line) => /^content-type: application\/problem\+json$/i.test(line))) {
    const code = body.match(/"code":"(\w+)"/)?.[1];
    return CODES.includes(code) ? code : body === "" ? "a refusal of HEAD" : `odd code ${code}`;
  }
  if (status === 204) return "preflight";
  // What is no HTTP, workerd answers by itself, with a sentence; and what is no method of a Worker's.
  const sentence = body === "" ? request.startsWith("HEAD ") : /^(ERROR: |Bad|Not Impl|invalid |unexpected )/.test(body);
  if ([400, 414, 431, 501].includes(status) && sentence) return `workerd's own ${status}`;
  if (status === 500 && request.startsWith("CONNECT ")) return "workerd's own 500 to CONNECT";
  return `odd ${status}`;
}

/** What must not be in a request that the API has got. */
function faultsOf(request, host) {
  const [, ...lines] = request.split("\r\n\r\n")[0].split("\r\n");
  const named = (pattern) => lines.filter((line) => pattern.test(line));
  const faults = [];
  const exactly = (pattern, value) => {
    const found = named(pattern);
    if (found.length !== 1 || found[0].split(": ")[1] !== value) faults.push(`${pattern} is ${JSON.stringify(found)}`);
  };
  exactly(/^host:/i, host);
  exactly(/^cf-access-client-id:/i, "0123.access");
  exactly(/^cf-access-client-secret:/i, secret);
  const ours = /^(cf[-_.]access[-_.]|x[-_.]forwarded[-_.]|forwarded:|proxy[-_.:]|te:|keep-alive:)/i;
  for (const line of lines) if (ours.test(line) && line.includes(MARK)) faults.push(`the caller's ${line} arrived`);
  const cookie = named(/^cookie:/i).join();
  if (/cf_(authorization|appsession|binding|session)/i.test(cookie)) faults.push(`Access's cookie arrived: ${cookie}`);
  if (!/^\S+ \/api(\/|\?| )/.test(request)) faults.push("the path left the route");
  return faults;
}

const pick = (random, list) => list[Math.floor(random() * list.length)];
const some = (random, most, make) => Array.from({ length: Math.floor(random() * (most + 1)) }, make);

function makeRequest(random, token) {
  const chance = (part) => random() < part;
  const spell = (name) => name.replace(/-/g, () => pick(random, ["-", "-", "_", "."])).replace(/[a-z]/g, (letter) => (chance(0.3) ? letter.toUpperCase() : letter));
  const lawful = ["GET", "GET", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"];
  const method = pick(random, chance(0.95) ? lawful : ["TRACE", "CONNECT", "get", "BREW", "G\x01T", ""]);
  const plain = ["notes", "7", "a%2fb", "x;y=1", "~me", "api", ""];
  const odd = ["apiary", "..", ".", "%2e%2e", "%2E.", "..%2f", "a%5c..", "\\", "cdn-cgi", "%63dn-cgi", "access", "%00", "%", "é", "a b", "%252e%252e", "login", "@evil.example", "*"];
  const path = `${chance(0.9) ? "/api" : ""}${some(random, 4, () => `/${pick(random, chance(0.85) ? plain : odd)}`).join("")}`;
  const target = pick(random, chance(0.8) ? [path || "/"] : [path, `http://evil.example${path}`, `//evil.example${path}`, `${path}?q=${encodeURIComponent(pick(random, ["a", "\r\n", "é", "../"]))}`, `${path}#f`, "*", "evil.example:80", `${path}?${"a=b&".repeat(Math.floor(random() * 300))}`]);
  const host = chance(0.85) ? "app.example.com" : pick(random, ["evil.example", "app.example.com:8443", "", "a b"]);
  const headers = [`Host: ${host}`, "Connection: close"];
  const add = (part, ...lines) => chance(part) && headers.push(...lines);
  add(0.85, `Cf-Access-Jwt-Assertion: ${pick(random, [token, token, token, token, `${token}x`, "", "a.b.c", `${token}, ${token}`])}`);
  add(0.2, `Cookie: ${pick(random, [`CF_Authorization=${token}`, "theme=dark; CF_AppSession=1", `theme=a,CF_Authorization=${token}`, ";;;=", "theme", "CF_Authorization"])}`);
  add(0.1, `Cookie: theme=dark`);
  for (const name of some(random, 4, () => pick(random, ["cf-access-client-id", "cf-access-client-secret", "cf-access-token", "cf-access-authenticated-user-email", "x-forwarded-user", "x-forwarded-email", "x-forwarded-client-id", "x-forwarded-host", "x-forwarded-for", "forwarded", "proxy-authorization", "proxy", "te", "keep-alive"]))) headers.push(`${spell(name)}: ${MARK}`);
  add(0.2, `Connection: ${pick(random, ["keep-alive", "cf-access-client-secret", "x-forwarded-user, host, content-length", "upgrade", "\x7f", ",,,", "cookie"])}`);
  add(0.1, `Upgrade: ${pick(random, ["websocket", "h2c", "WebSocket, x"])}`);
  add(0.25, `Origin: ${pick(random, ["https://admin.example.com", "https://evil.example", "null", "https://app.example.com", "http://a b", "https://admin.example.com, https://evil.example"])}`);
  add(0.2, `Sec-Fetch-Site: ${pick(random, ["same-origin", "cross-site", "same-site", "none", "x"])}`);
  add(0.1, `Access-Control-Request-Method: ${pick(random, ["PUT", "GET", "", "a b"])}`);
  add(0.1, `Access-Control-Request-Headers: ${pick(random, ["x-a", ",,,", "authorization", "é"])}`);
  add(0.1, `Traceparent: ${pick(random, ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "x", "\xff"])}`);
  add(0.05, "Expect: 100-continue");
  add(0.1, `X-Odd: ${pick(random, ["caf\xe9", "", "\t", "a\x00b", "x".repeat(9_000)])}`);
  add(0.02, pick(random, [" folded: line", "no colon at all"]));
  headers.push(...some(random, chance(0.03) ? 150 : 2, () => `X-${Math.floor(random() * 1e6)}: ${Math.floor(random() * 1e6)}`));
  let body = "";
  if (chance(0.3)) {
    body = pick(random, ["hello", "x".repeat(5_000), ""]);
    headers.push(...pick(random, [[`Content-Length: ${body.length}`], [`Content-Length: ${body.length}`], ["Content-Length: -1"], [`Content-Length: ${body.length}`, "Transfer-Encoding: chunked"]]));
  } else if (chance(0.1)) {
    body = pick(random, ["5\r\nhello\r\n0\r\n\r\n", "0\r\n\r\n", "zz\r\n"]);
    headers.push("Transfer-Encoding: chunked");
  }
  return `${method} ${target} HTTP/1.${chance(0.97) ? 1 : 0}\r\n${headers.join("\r\n")}\r\n\r\n${body}`;
}

/** An API that keeps the heads of its requests as they came, and answers each. */
async function startRecordingApi() {
  const api = { requests: [] };
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    let text = "";
    let answered = false;
    socket.setEncoding("latin1").on("data", (part) => {
      text += part;
      if (answered || !text.includes("\r\n\r\n")) return;
      answered = true;
      api.requests.push(text);
      const bodiless = text.startsWith("HEAD ");
      // The rest of the body is read, and the connection is used once.
      setTimeout(() => socket.end(`HTTP/1.1 200 OK\r\nX-Api: 1\r\nContent-Length: 2\r\nConnection: close\r\n\r\n${bodiless ? "" : "ok"}`), 5);
    });
  });
  await new Promise((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  api.host = `127.0.0.1:${server.address().port}`;
  api.url = `http://${api.host}`;
  api.stop = () => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  };
  return api;
}

/** A small generator of random numbers that begins anew from the same seed. */
function mulberry32(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
