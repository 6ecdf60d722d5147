// The rounds of a work: in each, every entrant has its turn, and each round begins with another one. So what slows the machine for a
// moment slows all of them, and none always has the same place.

import { setTimeout as later } from "node:timers/promises";
import { get } from "./peers.mjs";
import { asked, cpuMicroseconds, end, startWorkerd } from "./processes.mjs";
import { freshTokens, requestHeaders, requestsOf } from "./traffic.mjs";
import { YOUNG_REQUESTS } from "./works.mjs";

const CONNECTIONS = 16;
/** Requests in a slice, if the work says nothing else. */
const REQUESTS = 200;
/** Fewer rounds give no interval worth the name. */
const LEAST_ROUNDS = 12;
/** Requests that make a Worker as fast as it gets: V8 has compiled once more what is called often. */
const WARM_UP = 6_000;
/** Requests that accustom a warm Worker to another work. */
const CHANGE = 1_000;

/** Rounds for so many seconds. `slice` measures one entrant's turn. */
async function inTurns(entrants, seconds, slice) {
  const over = performance.now() + seconds * 1000;
  const rounds = [];
  while (rounds.length < LEAST_ROUNDS || performance.now() < over) rounds.push(await oneRound(entrants, rounds.length, slice));
  return rounds;
}

/** A turn of each, by name; another one begins each round, so that nobody always follows the same. */
export async function oneRound(entrants, number, slice) {
  const round = {};
  for (let place = 0; place < entrants.length; place++) {
    const entrant = entrants[(number + place) % entrants.length];
    round[entrant.name] = await slice(entrant);
  }
  return round;
}

/** CPU time of workerd for a request, in microseconds, of Workers that are under way. */
export async function measureWarm({ tokens, requests = REQUESTS, warmUp }, entrants, seconds, { load, key }) {
  const slice = async ({ name, peer, request }, count) => {
    const headers = tokens && Array.from({ length: count }, () => requestHeaders(freshTokens[tokens](key, peer.issuer)));
    const before = cpuMicroseconds(peer.pid);
    const { error } = await asked(load, { port: peer.port, request: peer.requests[request], headers, requests: count, connections: CONNECTIONS });
    if (error) throw new Error(`${name}: ${error}\n${peer.said()}`);
    return (cpuMicroseconds(peer.pid) - before) / count;
  };
  for (const entrant of entrants) {
    await slice(entrant, warmUp ?? (entrant.peer.warm ? CHANGE : WARM_UP));
    entrant.peer.warm ||= warmUp === undefined;
  }
  return inTurns(entrants, seconds, (entrant) => slice(entrant, requests));
}

/** CPU time of workerd for a request, in microseconds: of the first requests of a fresh workerd, from when it listens. */
export function measureYoung(_, entrants, seconds, { load, key }) {
  return inFreshTurns(entrants, seconds, key, async ({ name, pid, port, said, request }) => {
    const before = cpuMicroseconds(pid);
    const { error } = await asked(load, { port, request, requests: YOUNG_REQUESTS, connections: 4 });
    if (error) throw new Error(`${name}: ${error}\n${said()}`);
    await later(5); // For the last answer's remains.
    return (cpuMicroseconds(pid) - before) / YOUNG_REQUESTS;
  });
}

/** Milliseconds from the start of workerd to the first answer. */
export function measureStart(_, entrants, seconds, { key }) {
  return inFreshTurns(entrants, seconds, key, async ({ name, port, request, began }) => {
    const { status } = await get(port, request.headers);
    const elapsed = performance.now() - began;
    if (status !== 200) throw new Error(`${name}: the first answer was ${status}`);
    return elapsed;
  });
}

/** Rounds in which each turn has a workerd for itself. */
function inFreshTurns(entrants, seconds, key, measure) {
  return inTurns(entrants, seconds, async ({ name, prepared, request }) => {
    const began = performance.now();
    const { child, port, said } = startWorkerd(prepared);
    const value = await measure({ name, pid: child.pid, port: await port, said, request: requestsOf(prepared, key)[request], began });
    await end(child);
    return value;
  });
}
