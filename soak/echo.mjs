// An API that sends back what it gets, in whatever a header can hold: the shape of each answer is made up at random.

import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { NOT_THE_APIS, NOT_THE_APIS_TO_CACHES } from "./documented.mjs";
import { HOST } from "./requests.mjs";
import { Reader } from "./wire.mjs";

/** What an API says that it may not say holds this. */
export const SAID = "said-by-the-api";
/** Echoed under their own names, these would break the answer's framing. */
const FRAMES = /^(connection|content-length|transfer-encoding|upgrade|keep-alive|te|trailer|host)$/;
const TOKEN = "!#$%&'*+-.^_`|~aA0zZ9";

/**
 * Starts it. `arrived(request)` is told of each request, and says which `random` numbers its answer comes from, and who wants
 * to know what it `answered`. Every answer holds `x-api: 1`.
 */
export async function startEcho(arrived) {
  const sockets = new Set();
  const api = {};
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    const reader = new Reader();
    socket.setEncoding("latin1");
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (text) => {
      reader.push(text);
      for (let request = reader.next(); request !== undefined; request = reader.next()) {
        const { random, answered } = arrived(request);
        const answer = makeAnswer(request, random, api);
        answered(answer);
        socket.write(answer.text, "latin1");
        if (answer.status === 101) socket.end();
      }
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

function makeAnswer(request, random, api) {
  const [method] = request.start.split(" ");
  if (/^(TRACE|TRACK|CONNECT)$/i.test(method)) return traced(request);
  const answer = { status: 200, reason: "OK", headers: [["X-Api", "1"]], free: [], urls: [], body: "hello" };
  const say = (name, value) => answer.headers.push([name, value]);
  const named = (wanted) => request.headers.find(([name]) => name === wanted)?.[1];
  const secret = named("cf-access-client-secret") ?? "none";
  for (const shape of [random.pick(SHAPES), ...(random.chance(0.5) ? [random.pick(SHAPES)] : [])]) shape({ request, random, answer, say, named, secret, api });
  const upgrades = /websocket/i.test(named("upgrade") ?? "");
  // A 101 where nobody has asked for one is the API's to say now and then.
  if (answer.status === 101 || (upgrades && random.chance(0.7))) switchProtocols(answer, named, upgrades);
  const { status } = answer;
  const bodiless = method === "HEAD" || [101, 204, 205, 304].includes(status);
  if (status !== 101 && status !== 204 && answer.trailer === undefined) say("Content-Length", String(bodiless && method !== "HEAD" ? 0 : answer.body.length));
  const head = `HTTP/1.1 ${status} ${answer.reason}\r\n${answer.headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}`;
  const chunked = answer.trailer !== undefined && status !== 204;
  const body = chunked ? `5\r\nhello\r\n0\r\n${answer.trailer}\r\n\r\n` : answer.body;
  answer.text = `${answer.interim ?? ""}${head}${chunked ? "Transfer-Encoding: chunked\r\n" : ""}\r\n${bodiless ? "" : body}`;
  return answer;
}

/** The whole request, as RFC 9110 §9.3.8 has it: nothing of it may ever come back. */
function traced({ head }) {
  const body = `${head}\r\n\r\n`;
  return { status: 200, headers: [["X-Api", "1"]], free: [], urls: [], text: `HTTP/1.1 200 OK\r\nX-Api: 1\r\nContent-Type: message/http\r\nContent-Length: ${body.length}\r\n\r\n${body}` };
}

function switchProtocols(answer, named, upgrades) {
  answer.status = 101;
  const accept = createHash("sha1").update(`${named("sec-websocket-key") ?? ""}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  answer.headers.push(["Connection", "Upgrade"], ["Upgrade", upgrades ? "websocket" : "h2c"], ["Sec-WebSocket-Accept", accept]);
}

const within = (random, secret) => random.pick([secret, `before ${secret} after`, `a=${secret}; b`, `text/plain; a=${secret}`, `"${secret}"`, `${"x".repeat(3_000)}${secret}`, `${secret},${secret}`, `/${secret}/`]);
const isDenied = (random) => random.pick([403, 401, 302]);
const inAnyCase = (random, name) => (random.chance(0.5) ? name : name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase()));

/** A name that a list of headers.md has. */
function concrete(random, listed) {
  if (listed.startsWith("*")) return inAnyCase(random, random.pick(["cdn", "cloudflare-cdn", "any"]) + listed.slice(1));
  const whole = listed.endsWith("*") ? listed.slice(0, -1) + random.pick(["x", "token", "error", "allow-origin", "registration"]) : listed;
  return inAnyCase(random, whole);
}

/** URLs as an API names itself, each with what must become of it: `back` is for the path below the route. */
function ownUrls(random, { request, api }) {
  const [, target] = request.start.split(" ");
  const base = target.startsWith("/base") ? "/base" : target.match(/^\/\w+/)[0];
  const back = base === "/base" ? "/strip" : base;
  const rest = random.pick(["/x", "", "/a/b?c=d", "/x#y", "/jobs/7?next=/base/x"]);
  const host = random.pick([`http://${api.host}`, `https://${api.host}`, `HTTP://${api.host}`, `//${api.host}`, ""]);
  if (random.chance(0.15)) return { url: "https://elsewhere.example/x", back: "https://elsewhere.example/x" };
  if (random.chance(0.15)) return { url: `http://${HOST}${base}${rest}`, back: `${back}${rest}` };
  return { url: `${host}${base}${rest}`, back: `${back}${rest}` };
}

const SEARCHED = ["X-Debug", "Server", "ETag", "Content-Type", "Content-Language", "X-Powered-By", "~", "Server-Timing", "Content-Security-Policy", "CDN-Cache-Control", "Allow", "Retry-After"];

const SHAPES = [
  () => {},
  // Every header, under its own name; or under another.
  ({ request, say }) => request.headers.filter(([name]) => !FRAMES.test(name)).forEach(([name, value]) => say(name, value)),
  ({ request, say }) => request.headers.forEach(([name, value]) => say(`x-echo-${name}`, value)),
  ({ request, say }) => say("x-echo", request.headers.map(([name, value]) => `${name}=${value}`).join("; ")),
  // The secret, wherever it may stand.
  ({ random, say, secret }) => say(random.pick(SEARCHED), within(random, secret)),
  ({ random, say, secret }) => say(random.pick([`x-${secret}`, secret, `x-${secret}-y`]), "1"),
  ({ answer, random, say, secret, request, api }) => {
    // Where there is none, what is left would be no URL.
    if (secret === "none") return;
    answer.status = random.pick([200, 201, 202, 302, 303, 308, 503]);
    const { url } = ownUrls(random, { request, api });
    say(random.pick(["Location", "Content-Location", "Operation-Location", "Refresh", "Link"]), random.pick([`${url.split("#")[0]}?token=${secret}`, `<${url}>; rel="${secret}"`, `5; url=${url}&${secret}`, `/${secret}`, `https://elsewhere.example/${secret}`]));
  },
  ({ random, say, secret }) => say("Set-Cookie", random.pick([`sid=${secret}`, `${secret}=1`, `sid=1; Path=/${secret}`, `evil=${secret}`, `sid=1; Domain=${secret}`, `part.0=a; ${secret}`])),
  ({ answer, random, say, secret }) => {
    answer.status = 401;
    say("WWW-Authenticate", random.pick([`Bearer realm="${secret}"`, `Basic realm="x", Bearer error="${secret}"`, `Cloudflare-Access ${secret}`, `Bearer resource_metadata="https://acme.cloudflareaccess.com/${secret}"`, `Bearer resource_metadata="https://api.example.com/${secret}"`, secret]));
  },
  ({ answer, random, say, secret }) => {
    answer.status = isDenied(random);
    say(random.pick(["cf-access-error", "Cf-Access-Aud", "CF-Access-Domain"]), within(random, secret));
  },
  ({ answer, random, say, secret }) => {
    answer.status = isDenied(random);
    say("Location", `https://acme.cloudflareaccess.com/cdn-cgi/access/login/${secret}`);
  },
  ({ random, say, secret }) => say("Vary", random.pick([secret, `Origin, ${secret}`, `${secret}, X-Forwarded-Email`, "X-Forwarded-Email", "Cf-Access-Client-Secret, Accept", "origin", "*"])),
  ({ random, say, secret }) => say("Cache-Control", random.pick([`max-age=60, x=${secret}`, "public, max-age=60", "private", "PRIVATE, max-age=60", "no-store", "no-cache", "max-age=60,s-maxage=60", `public, max-age=60, ${"x".repeat(300)}, private`, "private-ish, max-age=60", 'public, max-age=60, x="a, private, b"', 'max-age=60, private="set-cookie"'])),
  ({ answer, secret }) => (answer.reason = `OK ${secret}`),
  ({ answer, secret, random }) => (answer.trailer = `\r\nX-Trailer: ${random.pick([secret, SAID])}`),
  ({ answer, secret }) => (answer.interim = `HTTP/1.1 103 Early Hints\r\nLink: <https://elsewhere.example/${secret}>; rel=preload\r\n\r\n`),
  ({ random, say, secret }) => ["Access-Control-Allow-Headers", "Access-Control-Allow-Methods", "Access-Control-Max-Age"].forEach((name) => say(name, random.pick([secret, SAID, `x-a, ${secret}`, "x-a"]))),
  // What is not its to say.
  ({ random, say }) => random.some(8, () => say(concrete(random, random.pick(NOT_THE_APIS)), SAID)),
  ({ random, say }) => random.some(4, () => say(concrete(random, random.pick(NOT_THE_APIS_TO_CACHES)), SAID)),
  ({ random, say }) => ["Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"].forEach((name) => say(name, random.pick(["*", "true", "https://evil.example", SAID]))),
  ({ random, say }) => random.some(4, () => say("Set-Cookie", random.pick(["sid=1", "sid=1; Path=/api/x; HttpOnly", "sid=1; Domain=example.com", "part.0=a; Path=/", "evil=1", "CF_Authorization=x", "cf_appsession=x; Path=/", "sid", "=sid", "theme=1; domain =.example.com", "sid=2; DOMAIN=example.com; Path=/base/y"]))),
  // What is, and must come whole.
  ({ answer, random, say }) =>
    random.some(4, () => {
      const name = `x-${Array.from({ length: 1 + random.below(12) }, () => random.pick(TOKEN)).join("")}`;
      if (answer.free.some(([known]) => known === name.toLowerCase()) || /^x-(api|accel)/i.test(name)) return;
      answer.free.push([name.toLowerCase(), "of-the-api"]);
      say(name, "of-the-api");
    }),
  ({ answer, random, say, request, api }) => {
    answer.status = random.pick([200, 201, 202, 301, 307, 503]);
    const { url, back } = ownUrls(random, { request, api });
    const [name, around] = random.pick([["Location", (text) => text], ["Content-Location", (text) => text], ["Operation-Location", (text) => text], ["Link", (text) => `<${text}>; rel="next", <https://elsewhere.example/>; rel="up"`], ["Refresh", (text) => `5; url=${text}`], ["Refresh", (text) => `0;URL='${text}'`]]);
    answer.urls.push([name.toLowerCase(), around(back)]);
    say(name, around(url));
  },
  ({ answer, random }) => (answer.status = random.pick([200, 204, 205, 304, 400, 401, 403, 404, 418, 500, 503, 599, 101])),
];
