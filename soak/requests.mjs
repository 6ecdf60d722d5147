// Requests made up from the grammar of HTTP, each from a number: what they say is written down beside their text, so that the
// judge need not read it out again.

import { NOT_THE_CALLERS, isNotTheCallers } from "./documented.mjs";

/** What a caller says in another's name holds this. */
export const MARK = "planted-by-the-caller";
/** Every character of a token that is neither a letter nor a digit (RFC 9110 §5.6.2). */
const DASHES = "!#$%&'*+-.^_`|~";
const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
const LONGEST_CONNECTION = 1024;
const LONGEST_LOOP = 640;

/** A small generator of random numbers that begins anew from the same seed, with what is made of it. */
export function randomOf(seed) {
  let state = seed >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  random.below = (most) => Math.floor(random() * most);
  random.chance = (part) => random() < part;
  random.pick = (list) => list[Math.floor(random() * list.length)];
  random.some = (most, make) => Array.from({ length: Math.floor(random() * (most + 1)) }, make);
  return random;
}

/** A header's name in letters of any case. */
const inAnyCase = (random, name) => name.replace(/[a-z]/g, (letter) => (random.chance(0.3) ? letter.toUpperCase() : letter));

/** A name made of all that a token may hold. */
function tokenName(random) {
  const most = 3 + random.below(20);
  let name = random.chance(0.5) ? random.pick(["x-", "x", "cf-", "cf", "cf_", "X.", "~", "!", "proxy", "x-forward", "remote", "access-", "forwarded", "sec-", "te"]) : "";
  while (name.length < most) name += random.chance(0.25) ? random.pick(DASHES) : random.pick(LETTERS);
  return name;
}

/** A name that is not the caller's to say, bent as far as a server with CGI would bend it back. */
function bentName(random) {
  const listed = random.pick(NOT_THE_CALLERS);
  const whole = listed.endsWith("*") ? listed.slice(0, -1) + random.pick(["user", "email", "host", "x", "client-secret", "", "a~b"]) : listed;
  return whole.replace(/-/g, () => (random.chance(0.5) ? "-" : random.pick(DASHES)));
}

/** Names that frame a message or hold a connection: bent they may be sent, as they are they would break the request. */
const FRAMES = new Set(["connection", "transfer-encoding", "upgrade", "te", "trailer", "keep-alive", "cf-access-jwt-assertion"]);
/** What the generator or the runtime says by itself, or reads. */
const TAKEN = new Set(["host", "content-length", "content-type", "expect", "accept-encoding", "cookie", "origin", "traceparent", "tracestate", "cache-control", "pragma", "cdn-loop", "range", "cf-connecting-ip", "cf-ray"]);

const BAD_PIECES = ["..", ".", "%2e%2e", "%2E.", "..%2f", "x%2f..%2fy", "a%5c..", "a\\b", "%00", "%1f", "%7F", "a%01b", "%0a%08"];
const ODD_PIECES = ["%5c", "..;x", "%0a.%0a.", "%", "%2", "%6Eotes"];
const GOOD_PIECES = ["notes", "7", "a%2fb", "x;y=1", "~me", "api", "", "%09", "a%0Ab", "%0D", "%0d%0A", "%252e%252e", "*", "@evil.example", "a:b", "...", "login", "%C3%A9"];

const SITES = ["same-origin", "cross-site", "same-site", "none", "cross-site", "x", "same-origin, cross-site"];
const MODES = ["navigate", "no-cors", "cors", "websocket", "same-origin", "x"];
const DESTS = ["document", "script", "image", "style", "iframe", "empty", "object", "video", "serviceworker", "worker", "report", "x"];
const ORIGINS = ["https://admin.example.com", "https://evil.example", "null", "https://app.example.com", "http://app.example.com", "capacitor://app.example.com", "https://app.example.com:8443", "https://shop.preview.example.com", "https://preview.example.com", "https://admin.example.com.evil.example"];
export const HOST = "app.example.com";
const OWN = ["https://app.example.com", "http://app.example.com"];
const ADMIN = "https://admin.example.com";

/** The routes of the relay that is tried, and what they say of themselves to the judge. */
export const ROUTES = {
  "/api": { foreign: "navigations", allows: (origin) => origin === ADMIN, withCredentials: true, cookies: /^theme$/, credentials: "CF_ACCESS", secret: 0, sandbox: true },
  "/strip": { foreign: "all", allows: (origin) => /^https:\/\/[a-z.]+\.preview\.example\.com$/.test(origin), withCredentials: true, base: "/base", cookies: /^(?!cf_(authorization|appsession|binding|session)$)/i, credentials: "BILLING", secret: 1 },
  "/up": { foreign: "none", allows: (origin) => origin === ADMIN, withCredentials: true, upstreamPreflights: true, callback: "callback", credentials: "CF_ACCESS", secret: 0, sandbox: true },
  "/own": { foreign: "navigations", allows: () => false, withCredentials: false, credentials: "caller", sandbox: true },
  "/any": { foreign: "navigations", allows: () => true, withCredentials: false, everybody: true, credentials: "BILLING", secret: 1, sandbox: true },
};
const PATHS = ["/api", "/api", "/api", "/api", "/strip", "/strip", "/up", "/up", "/own", "/any"];
const COOKIES = { theme: "dark", sid: "SESSION-OF-THE-PAGE", lang: "en" };

/**
 * A request with framing that no server minds, which may say whatever it likes otherwise. `world` has `callers`, with a token
 * each, and the `loops`, what the relay writes for each route.
 */
export function makeRequest(random, number, world) {
  const { chance, pick, some, below } = random;
  const request = { number, headers: [], free: [], planted: 0, method: pick(chance(0.94) ? ["GET", "GET", "GET", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] : ["TRACE", "TRACE", "TRACK", "CONNECT", "trace"]) };
  const say = (name, value) => request.headers.push([name, value]);
  request.path = chance(0.97) ? pick(PATHS) : pick(["/elsewhere", "/apiary", "/cdn-cgi/access", "/API"]);
  request.route = ROUTES[request.path];
  request.callback = chance(0.4) && request.route?.callback !== undefined;
  // The number is what the API knows the request by. A callback's path is whole, so it goes into the query.
  const pieces = request.callback ? [] : some(3, () => pick(chance(0.96) ? GOOD_PIECES : chance(0.7) ? BAD_PIECES : ODD_PIECES));
  request.isBad = pieces.some((piece) => BAD_PIECES.includes(piece));
  request.isOdd = pieces.some((piece) => ODD_PIECES.includes(piece));
  const id = `n${number.toString(36)}-`;
  request.below = request.callback ? `/callback?${id}` : ["", id, ...pieces].join("/") + pick(["", "", "", "?a=b", `?${"q=1&".repeat(below(100))}`, "?x=%0d%0aEvil:%201", "?../.."]);
  request.target = request.path + request.below;

  request.caller = pick(world.callers);
  sayWhoCalls(random, request, say, world);
  saySiteAndOrigin(random, request, say);
  if (chance(0.4)) for (const name of some(5, () => bentName(random))) if (!FRAMES.has(name.toLowerCase()) && isNotTheCallers(name.toLowerCase())) say(inAnyCase(random, name), `${MARK}${request.planted++}`);
  if (chance(0.4)) {
    for (const name of some(4, () => tokenName(random))) {
      const lower = name.toLowerCase();
      if (FRAMES.has(lower) || TAKEN.has(lower) || lower.startsWith("sec-") || request.free.some(([known]) => known === lower)) continue;
      say(inAnyCase(random, name), `free-${number}`);
      if (!isNotTheCallers(lower)) request.free.push([lower, `free-${number}`]);
    }
  }
  if (chance(0.1)) say("Cf-Connecting-Ip", (request.ip = `203.0.113.${below(256)}`));
  if (chance(0.1)) say("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  if (chance(0.06)) sayLoop(random, request, say, world);
  if (chance(0.25)) sayConnection(random, request, say);
  if (chance(0.06)) sayUpgrade(random, request, say);
  if (["POST", "PUT", "PATCH"].includes(request.method)) {
    request.body = "x".repeat(pick([0, 5, 5, 700, 9_000]));
    say("Content-Length", String(request.body.length));
  }
  // Host comes first: what else is said in its place is said after it.
  const lines = [`Host: ${HOST}`, ...request.headers.map(([name, value]) => `${name}: ${value}`)];
  request.text = `${request.method} ${request.target} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${request.body ?? ""}`;
  return request;
}

/** The login: in the header or in a cookie, alone or among others, in one line or two, good or not. */
function sayWhoCalls(random, request, say, { callers }) {
  const { pick, chance } = random;
  const { token } = request.caller;
  const others = random.some(2, () => pick(Object.keys(COOKIES)));
  const pairs = others.map((name) => `${name}=${COOKIES[name]}`);
  request.cookieLines = [];
  const way = random();
  if (way < 0.5) {
    say("Cf-Access-Jwt-Assertion", token);
    request.login = true;
  } else if (way < 0.85) {
    const login = [`CF_Authorization=${token}`];
    if (chance(0.2)) login.unshift(pick(["CF_Authorization=", "CF_Authorization=x", "CF_Authorization=a.b"]));
    // A second login, of somebody else: nobody knows who calls then.
    const another = chance(0.05) ? pick(callers) : undefined;
    if (another !== undefined) login.push(`CF_Authorization=${another.token}`);
    request.login = another === undefined || another.name === request.caller.name;
    const lines = [[...pairs.slice(0, 1), ...login], pairs.slice(1)];
    if (chance(0.5)) lines.reverse();
    request.cookieLines = (chance(0.5) ? lines : [lines.flat()]).filter((line) => line.length > 0);
  } else if (way < 0.95) {
    say("Cf-Access-Jwt-Assertion", pick([`${token}x`, "", "a.b.c", `${token}, ${token}`, token.slice(0, -8)]));
    request.login = false;
  } else {
    request.login = false;
  }
  if (request.cookieLines.length === 0 && pairs.length > 0 && chance(0.6)) {
    request.cookieLines = chance(0.5) ? [pairs] : pairs.map((pair) => [pair]);
    if (chance(0.1)) request.cookieLines.push([pick([";;;=", "theme", "CF_AppSession=1", "theme=a,cf_session=2", `theme=a,sid=${COOKIES.sid}`])]);
  }
  for (const line of request.cookieLines) say("Cookie", line.join("; "));
}

function saySiteAndOrigin(random, request, say) {
  const { pick, chance } = random;
  const maybe = (part, name, key, list) => {
    if (!chance(part)) return;
    request[key] = pick(list);
    say(name, request[key]);
  };
  // A preflight of an allowed origin may reach the API, though nobody has checked who asks.
  if (request.method === "OPTIONS") maybe(0.8, "Origin", "origin", [ADMIN, ADMIN, ADMIN, ...ORIGINS]);
  else maybe(0.2, "Origin", "origin", ORIGINS);
  if (chance(0.5)) {
    maybe(0.9, "Sec-Fetch-Site", "site", SITES);
    maybe(0.8, "Sec-Fetch-Mode", "mode", chance(0.4) ? ["navigate"] : MODES);
    maybe(0.8, "Sec-Fetch-Dest", "dest", chance(0.4) ? ["document"] : DESTS);
    maybe(0.1, "Sec-Purpose", "purpose", ["prefetch", "prefetch;prerender"]);
  }
  if (request.method === "OPTIONS") {
    maybe(0.8, "Access-Control-Request-Method", "asksFor", ["PUT", "GET", "DELETE", "a b"]);
    maybe(0.3, "Access-Control-Request-Headers", "asksHeaders", ["x-a", ",,,", "authorization, x-a"]);
  }
}

function sayLoop(random, request, say, { loops }) {
  const loop = loops[request.path];
  request.loop = random.pick(["abc", "a, b", loop ?? "abc", `a,${loop ?? "b"} , c`, "x".repeat(LONGEST_LOOP + 1), MARK]);
  say("Access-Relay-Loop", request.loop);
}

/** 0 to 5000 bytes that name our own headers, the caller's, and nonsense. */
function sayConnection(random, request, say) {
  const names = ["cf-access-client-secret", "cf-access-client-id", "x-forwarded-user", "x-forwarded-email", "x-forwarded-host", "access-relay-loop", "traceparent", "cookie", "x-nothing", "keep-alive", ",,", " ", "host", "content-length"];
  let value = "";
  const most = random.chance(0.85) ? random.below(200) : random.below(5_000);
  while (value.length < most) value += `${value === "" ? "" : ", "}${random.pick(names)}`;
  request.hop = [];
  if (random.chance(0.5) && request.free.length > 0) {
    const [name] = random.pick(request.free);
    request.hop.push(name);
    value = `${name}, ${value}`;
  }
  request.connection = value;
  say("Connection", value);
}

function sayUpgrade(random, request, say) {
  request.upgrade = random.pick(["websocket", "WebSocket", "h2c", "h2c, websocket", "websocket, h2c", "WebSocket, x"]);
  say("Upgrade", request.upgrade);
  if (request.connection === undefined) say("Connection", (request.connection = "Upgrade"));
  say("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
  say("Sec-WebSocket-Version", "13");
}

export const isWebSocket = ({ method, upgrade }) => method === "GET" && upgrade?.toLowerCase() === "websocket";
export const isPreflight = ({ method, origin, asksFor }) => method === "OPTIONS" && origin !== undefined && asksFor !== undefined;
export const isOwn = (origin) => OWN.includes(origin);
export const isTooLong = ({ connection = "" }) => connection.trim().length > LONGEST_CONNECTION;
export const hasPassed = ({ loop }, id) => loop !== undefined && (loop.length > LONGEST_LOOP || loop.split(",").some((element) => element.trim() === id));

/** A request bent out of the grammar as well: framing, methods, targets and lines that are none. Nobody can say what becomes of it. */
export function makeBentRequest(random, world) {
  const { chance, pick, some, below } = random;
  const { token } = pick(world.callers);
  const method = pick(chance(0.9) ? ["GET", "GET", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] : ["TRACE", "CONNECT", "get", "BREW", "G\x01T", ""]);
  const plain = ["notes", "7", "a%2fb", "x;y=1", "~me", "api", ""];
  const odd = ["apiary", "..", ".", "%2e%2e", "%2E.", "..%2f", "a%5c..", "\\", "cdn-cgi", "%63dn-cgi", "access", "%00", "%", "é", "a b", "%252e%252e", "login", "@evil.example", "*"];
  const path = `${chance(0.9) ? pick(["/api", "/api", "/strip", "/up"]) : ""}${some(4, () => `/${pick(chance(0.85) ? plain : odd)}`).join("")}`;
  const target = pick(chance(0.7) ? [path || "/"] : [path, `http://evil.example${path}`, `//evil.example${path}`, `${path}?q=${encodeURIComponent(pick(["a", "\r\n", "é", "../"]))}`, `${path}#f`, "*", "evil.example:80", `${path}?${"a=b&".repeat(below(300))}`]);
  const headers = [`Host: ${chance(0.8) ? HOST : pick(["evil.example", "app.example.com:8443", "", "a b"])}`, "Connection: close"];
  const add = (part, ...lines) => chance(part) && headers.push(...lines);
  add(0.85, `Cf-Access-Jwt-Assertion: ${pick([token, token, token, token, `${token}x`, "", "a.b.c", `${token}, ${token}`])}`);
  add(0.2, `Cookie: ${pick([`CF_Authorization=${token}`, "theme=dark; CF_AppSession=1", `theme=a,CF_Authorization=${token}`, ";;;=", "theme", "CF_Authorization"])}`);
  for (const name of some(4, () => bentName(random))) if (!FRAMES.has(name.toLowerCase())) headers.push(`${inAnyCase(random, name)}: ${MARK}`);
  add(0.2, `Connection: ${pick(["keep-alive", "cf-access-client-secret", "x-forwarded-user, host, content-length", "upgrade", "\x7f", ",,,", "cookie"])}`);
  add(0.1, `Upgrade: ${pick(["websocket", "h2c", "WebSocket, x"])}`);
  add(0.2, `Origin: ${pick([...ORIGINS, "http://a b", "https://admin.example.com, https://evil.example"])}`);
  add(0.2, `Sec-Fetch-Site: ${pick(SITES)}`);
  add(0.1, `Access-Control-Request-Method: ${pick(["PUT", "GET", "", "a b"])}`);
  add(0.1, `Access-Control-Request-Headers: ${pick(["x-a", ",,,", "authorization", "é"])}`);
  add(0.1, `Traceparent: ${pick(["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "x", "\xff"])}`);
  add(0.05, "Expect: 100-continue");
  add(0.1, `X-Odd: ${pick(["caf\xe9", "", "\t", "a\x00b", "x".repeat(9_000)])}`);
  add(0.05, pick([" folded: line", "no colon at all", "a b: c", ": nameless"]));
  headers.push(...some(chance(0.03) ? 150 : 2, () => `X-${below(1e6)}: ${below(1e6)}`));
  let [body, unfinished] = ["", false];
  if (chance(0.3)) {
    body = pick(["hello", "x".repeat(5_000), ""]);
    headers.push(...pick([[`Content-Length: ${body.length}`], [`Content-Length: ${body.length}`], ["Content-Length: -1"], [`Content-Length: ${body.length}`, "Transfer-Encoding: chunked"]]));
    unfinished = body === "" && headers.at(-1).startsWith("Transfer");
  } else if (chance(0.1)) {
    body = pick(["5\r\nhello\r\n0\r\n\r\n", "0\r\n\r\n", "zz\r\n"]);
    headers.push("Transfer-Encoding: chunked");
  }
  return { method, unfinished, text: `${method} ${target} HTTP/1.${chance(0.97) ? 1 : 0}\r\n${headers.join("\r\n")}\r\n\r\n${body}` };
}
