// Mixed traffic through two relays while things break: every answer is accounted for, or it is wrong. What is sent is kinds.mjs.

import { randomUUID } from "node:crypto";
import { Agent } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { audience, makeKey, startIssuer } from "../tests/support/issuer.mjs";
import { startRelay } from "../tests/support/workerd.mjs";
import { BOUND, IDENTITIES, startApi } from "./apis.mjs";
import { ADMIN, KINDS, makePeople, pickKind } from "./kinds.mjs";
import { send } from "./send.mjs";
import { COLLECT, watchLog, watchMemory } from "./watch.mjs";

const CONNECTIONS = 12;

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

/**
 * Runs it for so many seconds; `say` gets a line now and then. Each connection rests so many milliseconds after each request.
 * `broken` is what startRelay makes of it. Returns the figures, with whatever was wrong.
 */
export async function soak(seconds, { say = () => {}, rest = 0, broken = {} } = {}) {
  const [issuer, api] = await Promise.all([startIssuer(), startApi()]);
  const figures = { requests: 0, outcomes: {}, wrong: [], milliseconds: [] };
  const wrong = (what) => {
    // Some of each kind are enough.
    figures.outcomes[`✗ ${what}`] = (figures.outcomes[`✗ ${what}`] ?? 0) + 1;
    if (figures.outcomes[`✗ ${what}`] <= 3) figures.wrong.push(what);
  };
  const doors = await openDoors({ issuer, api, broken, wrong });
  const world = { issuer, forger: makeKey(), people: makePeople(issuer) };
  const agent = new Agent({ keepAlive: true });
  const started = Date.now();
  const phases = [{ from: 0, good: "200", name: "fair" }];
  const memory = watchMemory(doors, seconds);
  let [over, rotated] = [false, 0];

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
        world.people = makePeople(issuer);
      }
      await pause(spell);
    }
  };

  // Each kind once, and then by their weights.
  const first = [...KINDS];
  const connection = async () => {
    while (!over || first.length > 0) {
      const [, name, make, expect] = first.pop() ?? pickKind();
      const { door, ...call } = make(world);
      const nonce = randomUUID();
      if (call.breaksOff) api.breakingOff.add(nonce);
      const began = Date.now() - started;
      const outcome = await send({ agent, port: doors[door].port, nonce, ...call });
      const ended = Date.now() - started;
      // What lies between two spells may have met either.
      const met = phasesWithin(phases, began - 20, ended + 20);
      figures.requests++;
      figures.outcomes[`${name}: ${outcome}`] = (figures.outcomes[`${name}: ${outcome}`] ?? 0) + 1;
      if (!met.some(({ good }) => [expect(good)].flat().includes(outcome))) wrong(`${name}: ${outcome}, in ${met.map(({ name }) => name).join(", ")}`);
      if (name === "known caller" && outcome === "200") figures.milliseconds.push(ended - began);
      if (rest > 0) await pause(2 * rest * Math.random());
    }
  };

  const running = [weather(), ...Array.from({ length: CONNECTIONS }, connection)];
  for (let passed = 0; passed < seconds; passed += 10) {
    await pause(1000 * Math.min(10, seconds - passed));
    say(`traffic: ${figures.requests} requests, ${figures.wrong.length} wrong, ${Math.round(memory.now())} MiB`);
  }
  over = true;
  await Promise.all(running);
  memory.stop();
  agent.destroy();
  for (const fault of api.faults) wrong(fault);
  await Promise.all([...Object.values(doors).map((door) => door.stop()), issuer.stop(), api.stop()]);
  return { ...figures, memory: memory.memory, fetchesOfKeys: issuer.fetches, phases: phases.length, brokenOff: api.brokenOff };
}

/** The spells of weather between two moments. The latest come last, so they are looked for from there. */
function phasesWithin(phases, from, to) {
  const met = [];
  for (let at = phases.length - 1; at >= 0; at--) {
    if (phases[at].from > to) continue;
    met.unshift(phases[at]);
    if (phases[at].from < from) break;
  }
  return met;
}

/** A relay that checks tokens, and one whose callers the runtime vouches for. Both have a route to the API, and two to a binding. */
async function openDoors({ issuer, api, broken, wrong }) {
  const bound = { upstream: "http://api.internal", binding: "BOUND", timeout_ms: 2_000 };
  const open = (access) =>
    startRelay({
      relay: {
        access,
        routes: [{ path: "/api", upstream: api.url, timeout_ms: 2_000 }, { path: "/bound", credentials: "none", ...bound }, { path: "/token", ...bound }],
        cors: { allowed_origins: [ADMIN], allowed_methods: ["PUT"], allow_credentials: true },
        health_path: "/healthz",
      },
      secrets: { CF_ACCESS_CLIENT_ID: api.clientId, CF_ACCESS_CLIENT_SECRET: api.clientSecret },
      bound: { BOUND },
      platform: access.platform ? IDENTITIES : undefined,
      watch: watchLog([api.clientSecret], wrong),
      collector: true,
      handle: COLLECT,
      ...broken,
    });
  const [tokens, platform] = await Promise.all([open({ issuer: issuer.url, audience: [audience] }), open({ platform: true, audience: [audience], groups: true })]);
  return { tokens, platform };
}
