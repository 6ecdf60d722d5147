// How long a caller waits, beside the pass-through, while requests arrive at a fixed rate whatever becomes of those before (an open
// loop). A latency counts from when its request was due, so that a queue is seen.

import { oneRound } from "./measure.mjs";
import { asked } from "./processes.mjs";
import { spread } from "./verdicts.mjs";
import { relay } from "./works.mjs";

export const RATES = [100, 1_000, 5_000];

const ROUNDS = 9;
/** How long a slice lasts, in seconds. */
const SLICE = 1.5;
const WARM_UP = 6_000;
const CONNECTIONS = 128;
/** Whoever falls behind by more than this share of a rate does not keep up with it: its latencies are those of its queue. */
const BEHIND = 0.03;

/** The rates, each with what every entrant reached, and with what the relay adds, if all kept up. */
export async function measureLatency(_, entrants, _seconds, { load }) {
  const slice = async ({ name, peer, request }, options) => {
    const answer = await asked(load, { port: peer.port, request: peer.requests[request], ...options });
    if (answer.error) throw new Error(`${name}: ${answer.error}\n${peer.said()}`);
    return answer;
  };
  for (const entrant of entrants) if (!entrant.peer.warm) await slice(entrant, { requests: WARM_UP, connections: 16 });
  const rates = [];
  for (const rate of RATES) {
    const rounds = [];
    const measured = async (entrant) => {
      const { seconds, latencies } = await slice(entrant, { requests: rate * SLICE, connections: CONNECTIONS, rate });
      return { p50: at(latencies, 0.5), p99: at(latencies, 0.99), reached: latencies.length / seconds };
    };
    for (let number = 0; number < ROUNDS; number++) rounds.push(await oneRound(entrants, number, measured));
    rates.push(sumUp(rate, rounds, entrants.map(({ name }) => name)));
  }
  return rates;
}

const at = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];

/** Medians over the rounds; what the relay adds is the median of the differences in each round. */
export function sumUp(rate, rounds, names) {
  const median = (name, value) => spread(rounds.map((round) => round[name][value])).median;
  const workers = Object.fromEntries(names.map((name) => [name, Object.fromEntries(["p50", "p99", "reached"].map((value) => [value, median(name, value)]))]));
  if (Object.values(workers).some(({ reached }) => reached < rate * (1 - BEHIND))) return { rate, workers };
  const added = (quantile) => spread(rounds.map((round) => round[relay][quantile] - round["pass-through"][quantile]));
  return { rate, workers, added: { p50: added("p50"), p99: added("p99") } };
}
