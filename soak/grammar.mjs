// Requests made up from the grammar of HTTP, and bent out of it, against the running Worker with an API that sends back what it
// gets. What is sent is requests.mjs, what comes back echo.mjs, and what must hold judge.mjs.

import { setTimeout as pause } from "node:timers/promises";
import { audience, startIssuer } from "../tests/support/issuer.mjs";
import { startRelay } from "../tests/support/workerd.mjs";
import { startEcho } from "./echo.mjs";
import { faultsOfAnswer, faultsOfArrival, faultsOfExchange, outcomeOf } from "./judge.mjs";
import { ROUTES, makeBentRequest, makeRequest, randomOf } from "./requests.mjs";
import { COLLECT, watchLog, watchMemory } from "./watch.mjs";
import { Connection } from "./wire.mjs";

const CONNECTIONS = 16;
/** What is bent out of HTTP ends its connection, and a connection costs more than a request. */
const BENT = 0.05;
const [ID_OF, SECRETS] = [["0123456789abcdef.access", "fedcba9876543210.access"], ["c0ffee00".repeat(8), "cfast_Zz9Yy8Xx7Ww6Vv5Uu4Tt3Ss2Rr1Qq0PpOoNn"]];

/**
 * Runs it for so many seconds or requests, whichever is over first: those that a seed makes up, `from` a number on. Each
 * connection rests so many milliseconds after each request. `say` gets a line now and then; `before` is what startRelay makes of
 * it. Returns the figures, with whatever was wrong.
 */
export async function fuzzRequests({ seconds = Infinity, requests = Infinity, seed = Date.now() % 1_000_000, from = 0, rest = 0, say = () => {}, before }) {
  const issuer = await startIssuer();
  const callers = await makeCallers(issuer);
  const known = new Map();
  const figures = { seed, sent: 0, forwarded: 0, outcomes: {}, wrong: [] };
  const kinds = {};
  const wrong = (what, text, number) => {
    // Some of each kind are enough.
    const kind = what.replace(/[0-9a-f]{8,}|\d+/g, "#").slice(0, 60);
    if (count(kinds, kind) <= 3) figures.wrong.push(`${what} (seed ${seed}, request ${number}): ${shown(text)}`);
  };
  const worlds = [];
  let unknown = 0;
  const api = await startEcho((arrived) => {
    figures.forwarded++;
    const sent = known.get(arrived.start.match(/^\S+ \S*?[/?]n([0-9a-z]+)-/)?.[1]);
    const world = sent?.world ?? worlds[0];
    for (const what of faultsOfArrival(arrived, sent, world)) wrong(what, `${arrived.head}\n<- ${sent?.text}`, sent?.number);
    const random = randomOf(sent === undefined ? unknown++ : seed * 7919 + sent.number);
    return { random, answered: (answer) => sent !== undefined && (sent.answer = answer) };
  });
  // The second one says all that it can say.
  for (const debug of [false, true]) worlds.push(await startWorld({ issuer, api, callers, debug, before, wrong }));
  const end = Date.now() + seconds * 1000;
  const one = async (world) => {
    const connection = new Connection(world.relay.port);
    while (Date.now() < end && figures.sent < requests) {
      if (rest > 0) await pause(2 * rest * Math.random());
      const number = from + figures.sent++;
      const random = randomOf(seed * 31 + number);
      if (random.chance(BENT)) {
        const bent = makeBentRequest(random, world);
        const alone = new Connection(world.relay.port);
        const answer = await alone.ask(bent.text, { isHead: bent.method === "HEAD", ...(bent.unfinished ? { patience: 300 } : {}) });
        alone.close();
        const outcome = outcomeOf(answer, bent);
        count(figures.outcomes, outcome);
        if (outcome.startsWith("odd")) wrong(outcome, bent.text, number);
        for (const what of faultsOfAnswer(answer, world)) wrong(what, `${bent.text}\n-> ${answer.head}`, number);
        continue;
      }
      const sent = Object.assign(makeRequest(random, number, world), { world, arrivals: 0, again: 0 });
      known.set(number.toString(36), sent);
      const answer = await connection.ask(sent.text, { isHead: sent.method === "HEAD", again: () => sent.again++ });
      const outcome = outcomeOf(answer, sent);
      count(figures.outcomes, outcome);
      for (const what of [...faultsOfAnswer(answer, world), ...faultsOfExchange(answer, outcome, sent, world)]) wrong(what, `${sent.text}\n-> ${answer.head}\n${answer.body.slice(0, 300)}\n(the API said ${sent.answer?.text})`, number);
      known.delete(number.toString(36));
    }
    connection.close();
  };
  const memory = watchMemory({ echo: worlds[0].relay, "echo, with debug": worlds[1].relay }, seconds);
  const telling = setInterval(() => say(`grammar: ${figures.sent} requests, ${figures.forwarded} forwarded, ${figures.wrong.length} wrong, ${Math.round(memory.now())} MiB`), 10_000);
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, at) => one(worlds[at % 4 === 3 ? 1 : 0])));
  clearInterval(telling);
  memory.stop();
  for (const world of worlds) {
    const last = await fetch(`${world.relay.url}/api/n-`, { headers: { "cf-access-jwt-assertion": callers[0].token }, redirect: "manual" }).catch(() => undefined);
    if (last?.headers.get("x-api") !== "1" && last?.status !== 502) wrong(`after all that, a plain call gets ${last?.status}`, "", "last");
    await world.relay.stop();
  }
  await Promise.all([issuer.stop(), api.stop()]);
  return { ...figures, memory: memory.memory };
}

const count = (outcomes, outcome) => (outcomes[outcome] = (outcomes[outcome] ?? 0) + 1);

/** Persons and programs, with a token each. */
async function makeCallers(issuer) {
  const persons = ["ada", "grace", "joan"].map((name) => ({ name, user: `id-of-${name}`, email: `${name}@example.com`, token: issuer.token({ sub: `id-of-${name}`, email: `${name}@example.com` }) }));
  const program = { name: "program", clientId: "feed.access", token: issuer.token({ sub: "", email: undefined, common_name: "feed.access" }) };
  return [...persons, program];
}

/** A relay with all its routes, whose log is read as it comes. */
async function startWorld({ issuer, api, callers, debug, before, wrong }) {
  const world = { api, callers, debug, routes: ROUTES, secrets: SECRETS, clientIds: ID_OF, loops: {} };
  const policy = { allowed_origins: ["https://admin.example.com"], allow_credentials: true };
  world.relay = await startRelay({
    relay: {
      access: { issuer: issuer.url, audience: [audience] },
      routes: [
        { path: "/api", upstream: api.url, timeout_ms: 5_000, request_cookies: ["theme"], response_cookies: ["sid", "part*"] },
        { path: "/strip", upstream: `${api.url}/base`, strip_prefix: true, service_token: "BILLING", request_cookies: ["*"], response_cookies: ["sid", "part*"], foreign_requests: "all", documents: "allow", cors: { ...policy, allowed_methods: ["PUT"], allowed_origins: ["https://*.preview.example.com"] } },
        { path: "/up", upstream: api.url, foreign_requests: "none", callback_paths: ["/up/callback"], cors: { ...policy, preflight: "upstream" } },
        { path: "/own", upstream: api.url, credentials: "caller-token", cors: { allowed_origins: [] } },
        { path: "/any", upstream: api.url, service_token: "BILLING", cors: { allowed_origins: ["*"], allowed_methods: ["PUT"] } },
      ],
      cors: { ...policy, allowed_methods: ["PUT"] },
      ...(debug ? { debug: true, log: "requests", server_timing: true } : {}),
    },
    secrets: { CF_ACCESS_CLIENT_ID: ID_OF[0], CF_ACCESS_CLIENT_SECRET: SECRETS[0], BILLING_CLIENT_ID: ID_OF[1], BILLING_CLIENT_SECRET: SECRETS[1] },
    ...(before ? { before } : {}),
    collector: true,
    handle: COLLECT,
    watch: watchLog(SECRETS, (what, log) => wrong(what, log, "?")),
  });
  return world;
}

/** A text of a failure: without tokens, and not too long. */
const shown = (text) => JSON.stringify(text.replace(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, "<token>").replace(/x{50,}/g, "x…x").slice(0, 2_500));
