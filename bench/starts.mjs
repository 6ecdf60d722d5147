// What a cold start costs: how long a fresh workerd takes to its first answer, a relayed GET. The relay's needs the
// signing keys.

import { say } from "../scripts/tools.mjs";
import { makeToken } from "../tests/support/issuer.mjs";
import { get } from "./peers.mjs";
import { end, startWorkerd } from "./processes.mjs";
import { mark, spread } from "./report.mjs";
import { works } from "./traffic.mjs";
import { START_BAR, relay } from "./works.mjs";

/** How often a fresh workerd is started for each Worker. */
const STARTS = 31;

/** Milliseconds from the start of workerd to the first answer, round by round. `also` are folders with other builds of the relay. */
export async function measureStarts(prepared, key, also) {
  say(`a cold start: ${STARTS} times a fresh workerd for each Worker`);
  const entrants = ["sample", relay, ...also].map((name) => prepared.find((peer) => peer.name === name));
  const rounds = [];
  for (let number = 0; number < STARTS; number++) {
    const round = {};
    for (let place = 0; place < entrants.length; place++) {
      const { name, config, issuer } = entrants[(number + place) % entrants.length];
      const { headers } = works(makeToken(key, issuer)).get;
      const began = performance.now();
      const { child, port } = startWorkerd(name, config);
      const { status } = await get(await port, headers);
      round[name] = performance.now() - began;
      if (status !== 200) throw new Error(`${name}: the first answer was ${status}`);
      await end(child);
    }
    rounds.push(round);
  }
  return rounds;
}

export function reportStarts(rounds, also) {
  const beyond = (name, other) => spread(rounds.map((round) => round[name] - round[other]));
  const more = beyond(relay, "sample");
  const median = (name) => spread(rounds.map((round) => round[name])).median.toFixed(0);
  const [least, most] = more.sure;
  const holds = most <= START_BAR ? true : least > START_BAR ? false : undefined;
  process.stdout.write(`
A cold start: ${relay} gives its first answer after ${median(relay)} ms, sample after ${median("sample")} ms; medians of ${rounds.length}.

${mark(holds)} ${relay} takes ${more.median.toFixed(1)} ms more (between ${least.toFixed(1)} and ${most.toFixed(1)}, 95 % sure); at most ${START_BAR} ms are required
`);
  for (const other of also) {
    const { median, sure } = beyond(relay, other);
    process.stdout.write(`  beside ${other}: ${median.toFixed(1)} ms more (between ${sure[0].toFixed(1)} and ${sure[1].toFixed(1)}, 95 % sure)\n`);
  }
  return { starts: rounds, more, verdict: [{ holds }] };
}
