// What young isolates cost, as most are on a tool of fifty people: how long a fresh workerd takes to its first answer, a relayed GET,
// and how much CPU time its first requests take.

import { setTimeout as later } from "node:timers/promises";
import { say } from "../scripts/tools.mjs";
import { get } from "./peers.mjs";
import { asked, cpuMicroseconds, end, startWorkerd } from "./processes.mjs";
import { mark, spread } from "./report.mjs";
import { requestsOf } from "./traffic.mjs";
import { SHORT_REQUESTS, SHORT_RUN, STARTS, byHand, relay } from "./works.mjs";

/** How often a fresh workerd is started for each Worker. */
const ROUNDS = { start: 31, short: 15 };

/** Lets fresh ones take turns; each round begins with another one. `measure` gets a Worker that was started, and what it is asked. */
async function inTurns({ prepared, key, count, names, measure }) {
  const entrants = names.map((name) => prepared.find((peer) => peer.name === name));
  const rounds = [];
  for (let number = 0; number < count; number++) {
    const round = {};
    for (let place = 0; place < entrants.length; place++) {
      const entrant = entrants[(number + place) % entrants.length];
      const request = requestsOf(entrant, key).get;
      const began = performance.now();
      const { child, port, said } = startWorkerd(entrant);
      round[entrant.name] = await measure({ name: entrant.name, pid: child.pid, port: await port, said, request, began });
      await end(child);
    }
    rounds.push(round);
  }
  return rounds;
}

/** Milliseconds from the start of workerd to the first answer, round by round. `also` are folders with other builds of the relay. */
export function measureStarts({ prepared, key, also }) {
  say(`a cold start: ${ROUNDS.start} times a fresh workerd for each Worker`);
  const measure = async ({ name, port, request, began }) => {
    const { status } = await get(port, request.headers);
    const elapsed = performance.now() - began;
    if (status !== 200) throw new Error(`${name}: the first answer was ${status}`);
    return elapsed;
  };
  return inTurns({ prepared, key, count: ROUNDS.start, names: [...new Set(STARTS.flatMap(({ name, beside }) => [beside, name])), ...also], measure });
}

/** CPU time of the first requests of a fresh workerd, from when it listens. */
export function measureShortRuns({ prepared, key, load, also }) {
  const title = shortRun(also).title;
  say(`${title}: ${ROUNDS.short} times a fresh workerd for each Worker`);
  const measure = async ({ name, pid, port, said, request }) => {
    const before = cpuMicroseconds(pid);
    const { error, seconds, latencies } = await asked(load, { port, request, requests: SHORT_REQUESTS, connections: 4 });
    if (error) throw new Error(`${name}: ${error}\n${said()}`);
    await later(5); // What the last answer left to do.
    return { cpu: (cpuMicroseconds(pid) - before) / SHORT_REQUESTS, perSecond: SHORT_REQUESTS / seconds, latencies };
  };
  return inTurns({ prepared, key, count: ROUNDS.short, names: [...Object.keys(SHORT_RUN), ...also], measure });
}

/** The short run, as a work of the others' kind. */
export const shortRun = (also) => ({
  title: `the first ${SHORT_REQUESTS} relayed GETs of a fresh workerd`,
  baseline: byHand,
  bars: Object.fromEntries([...Object.entries(SHORT_RUN).filter(([, bar]) => bar), ...also.map((other) => [other, SHORT_RUN[relay]])]),
});

export function reportStarts(rounds, also) {
  const beyond = (name, other) => spread(rounds.map((round) => round[name] - round[other]));
  const median = (name) => spread(rounds.map((round) => round[name])).median.toFixed(0);
  const within = ({ median, sure: [least, most] }) => `${median.toFixed(1)} (${least.toFixed(1)} to ${most.toFixed(1)}) ms more`;
  process.stdout.write(`\nA cold start: from the start of workerd to the first answer, the issuer 50 ms away; medians of ${rounds.length}.\n\n`);
  const verdict = STARTS.map(({ name, beside, bar }) => {
    const more = beyond(name, beside);
    const [least, most] = more.sure;
    const holds = bar === undefined || most <= bar ? true : least > bar ? false : undefined;
    const [sign, required] = bar === undefined ? [" ", ""] : [mark(holds), `; at most ${bar} ms are required`];
    process.stdout.write(`${sign} ${name}: ${median(name)} ms, ${within(more)} than ${beside} (${median(beside)} ms)${required}\n`);
    return { holds, text: name };
  });
  for (const other of also) process.stdout.write(`  ${relay}: ${within(beyond(relay, other))} than ${other}\n`);
  return { starts: rounds, verdict };
}
