// Mixed traffic through the relay while things break: every answer is accounted for, or it is wrong.

import { createHash, randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { audience, makeKey, startIssuer } from "../tests/support/issuer.mjs";
import { startRelay } from "../tests/support/workerd.mjs";

const CONNECTIONS = 12;
const ADMIN = "https://admin.example.com";

/** What can be wrong with the world, and what a good call gets while it is. */
const WEATHER = {
  fair: { good: "200" },
  "API closes connections": { api: "close", good: "502 upstream_unreachable" },
  "API says nothing": { api: "silence", good: "504 upstream_timeout" },
  "Access refuses our token": { api: "denied", good: "502 upstream_access_denied" },
  "API breaks off its answers": { api: "half", good: "broken" },
  "API answers 500": { api: "500", good: "500" },
  "issuer is down": { issuer: "down", good: "200" },
  "keys rotate": { rotate: true, good: "200" },
};

/** What is sent: how often, what, and what must come, by the good outcome of the weather. */
const KINDS = [
  [30, "known caller", (world) => get(world, world.known), (good) => good],
  [15, "new caller", (world) => get(world, world.issuer.token()), (good) => good],
  [10, "upload", (world) => upload(world), (good) => good],
  [8, "cookie", (world) => ({ headers: { cookie: `theme=dark; CF_Authorization=${world.known}` } }), (good) => good],
  [8, "forged", (world) => get(world, world.issuer.token({}, { ...world.stranger, kid: world.issuer.keys[0].kid })), () => "401 unauthenticated"],
  [6, "garbage", (world) => get(world, randomBytes(300).toString("base64url")), () => "401 unauthenticated"],
  [6, "expired", (world) => get(world, world.issuer.token({ exp: Math.floor(Date.now() / 1000) - 120 })), () => "401 unauthenticated"],
  [4, "nobody", () => ({}), () => "401 unauthenticated"],
  [5, "allowed preflight", () => preflight(ADMIN, "PUT"), () => "204"],
  [3, "refused preflight", () => preflight("https://evil.example", "PUT"), () => "403 origin_not_allowed"],
  [3, "foreign page", (world) => ({ ...upload(world), foreign: true }), () => "403 cross_origin_blocked"],
  [2, "climbing path", (world) => ({ ...get(world, world.known), path: "/api/%2e%2e/secret" }), () => "400 bad_path"],
  [1, "no route", (world) => ({ ...get(world, world.known), path: "/elsewhere" }), () => "404 not_found"],
];

const get = (world, token) => ({ headers: { "cf-access-jwt-assertion": token } });
const upload = (world) => ({ method: "POST", body: randomBytes(1 + Math.floor(Math.random() * 60_000)), headers: { "cf-access-jwt-assertion": world.known } });
const preflight = (origin, method) => ({ method: "OPTIONS", headers: { origin, "access-control-request-method": method } });

/** Runs it for so many seconds; `say` gets a line now and then. Returns the figures, with whatever was wrong. */
export async function soak(seconds, say = () => {}) {
  const issuer = await startIssuer();
  const api = await startApi();
  const relay = await startRelay({
    relay: {
      access: { issuer: issuer.url, audience: [audience] },
      routes: [{ path: "/api", upstream: api.url, timeout_ms: 1_000 }],
      cors: { allowed_origins: [ADMIN], allowed_methods: ["PUT"], allow_credentials: true },
      health_path: "/healthz",
    },
    secrets: { CF_ACCESS_CLIENT_ID: api.clientId, CF_ACCESS_CLIENT_SECRET: api.clientSecret },
  });
  const world = { issuer, stranger: makeKey(), known: issuer.token() };
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const started = Date.now();
  const phases = [{ from: 0, good: "200", name: "fair" }];
  const figures = { requests: 0, outcomes: {}, wrong: [], memory: [] };
  let over = false;
  let rotated = 0;

  const weather = async () => {
    const names = Object.keys(WEATHER);
    // Fair weather between the storms; each storm at least once.
    const spell = Math.max(250, Math.min(2_000, (seconds * 1000) / (names.length * 2)));
    for (let turn = 0; !over; turn++) {
      const name = turn % 2 ? names[1 + ((turn - 1) / 2) % (names.length - 1)] : "fair";
      const { api: mode = "fair", issuer: issuing, rotate, good } = WEATHER[name];
      phases.push({ from: Date.now() - started, good, name });
      api.mode = mode;
      issuer.answer = issuing === "down" ? (incoming) => incoming.socket.destroy() : issuer.publish;
      // Rotations come weeks apart; a second one within 30 seconds is one that the relay may not look for.
      if (rotate && Date.now() - rotated > 31_000) {
        rotated = Date.now();
        issuer.rotate();
        world.known = issuer.token();
      }
      await pause(spell);
    }
  };

  const connection = async () => {
    while (!over) {
      const [, name, make, expect] = pick();
      const nonce = randomUUID();
      const began = Date.now() - started;
      const outcome = await send({ agent, port: relay.port, nonce, ...make(world) });
      const ended = Date.now() - started;
      // What lies between two spells may have met either.
      const met = phases.filter(({ from }, index) => from <= ended + 20 && (phases[index + 1]?.from ?? Infinity) >= began - 20);
      const right = met.some(({ good }) => expect(good) === outcome);
      figures.requests++;
      figures.outcomes[`${name}: ${outcome}`] = (figures.outcomes[`${name}: ${outcome}`] ?? 0) + 1;
      if (!right) figures.wrong.push(`${name}: ${outcome}, in ${met.map(({ name }) => name).join(", ")}`);
    }
  };

  const memory = async () => {
    while (!over) {
      figures.memory.push(residentMiB(relay.pid));
      await pause(Math.max(200, seconds * 10));
    }
  };

  const running = [weather(), memory(), ...Array.from({ length: CONNECTIONS }, connection)];
  for (let passed = 0; passed < seconds; passed += 10) {
    await pause(1000 * Math.min(10, seconds - passed));
    say(`${figures.requests} requests, ${figures.wrong.length} wrong, ${Math.round(figures.memory.at(-1))} MiB`);
  }
  over = true;
  await Promise.all(running);
  agent.destroy();
  const log = relay.output();
  if (log.includes(api.clientSecret)) figures.wrong.push("the log holds the service token");
  if (api.mixedUp > 0) figures.wrong.push(`${api.mixedUp} requests reached the API without the one service token`);
  figures.fetchesOfKeys = issuer.fetches;
  figures.phases = phases.length;
  await Promise.all([relay.stop(), issuer.stop(), api.stop()]);
  return figures;
}

function pick() {
  let ticket = Math.random() * KINDS.reduce((sum, [weight]) => sum + weight, 0);
  return KINDS.find(([weight]) => (ticket -= weight) < 0) ?? KINDS[0];
}

const residentMiB = (pid) => Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/^VmRSS:\s+(\d+) kB/m)[1]) / 1024;

/** An API that tells what it got, and fails when it is told to. */
async function startApi() {
  const api = { mode: "fair", mixedUp: 0, clientId: "0123.access", clientSecret: randomBytes(32).toString("hex") };
  const server = createServer(async (incoming, response) => {
    incoming.on("error", () => {});
    const { headers } = incoming;
    if (headers["cf-access-client-secret"] !== api.clientSecret || headers["cf-access-client-id"] !== api.clientId) api.mixedUp++;
    const { mode } = api;
    if (mode === "close") return incoming.socket.destroy();
    if (mode === "silence") return;
    const hash = createHash("sha256");
    try {
      for await (const chunk of incoming) hash.update(chunk);
    } catch {
      return;
    }
    if (mode === "denied") return response.writeHead(403, { "cf-access-aud": "x" }).end();
    const body = JSON.stringify({ nonce: headers["x-nonce"], digest: hash.digest("hex") });
    response.writeHead(mode === "500" ? 500 : 200, { "content-length": body.length, "set-cookie": "CF_Authorization=x" });
    if (mode === "half") {
      response.write(body.slice(0, 10));
      return setTimeout(() => incoming.socket.destroy(), 20);
    }
    response.end(body);
  });
  await new Promise((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  api.url = `http://127.0.0.1:${server.address().port}`;
  api.stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return api;
}

/** What became of one request, in a word or two; anything odd says what it is. */
function send({ agent, port, nonce, method = "GET", path = "/api/notes", headers = {}, body = Buffer.alloc(0), foreign = false }) {
  const all = { "x-nonce": nonce, ...(body.length > 0 ? { "content-length": body.length } : {}), ...headers, ...(foreign ? { origin: "https://evil.example", "sec-fetch-site": "cross-site" } : {}) };
  return new Promise((resolve) => {
    const sent = request({ host: "127.0.0.1", port, agent, method, path, headers: all }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
      response.on("error", () => resolve("broken"));
      response.on("end", () => resolve(outcomeOf(response, text, nonce, body)));
    });
    sent.on("error", (error) => resolve(`failed: ${error.code}`));
    sent.end(body);
  });
}

function outcomeOf({ statusCode, headers, complete }, text, nonce, body) {
  if (!complete) return "broken";
  if (headers["set-cookie"]) return "a cookie came back";
  if (statusCode === 204) return "204";
  const answer = JSON.parse(text);
  if (headers["content-type"] === "application/problem+json") return `${statusCode} ${answer.code}`;
  if (answer.nonce !== nonce) return "somebody else's answer";
  if (answer.digest !== createHash("sha256").update(body).digest("hex")) return "another body reached the API";
  return String(statusCode);
}
