// `npm run soak -- [seconds] [--rest MS]`: traffic while things break, and requests made up from the grammar of HTTP, at the same
// time. With `--requests N` only the latter, so many of them; `--seed N` makes up the same ones again, and `--from N` begins with
// that one. README.md says what must hold.

import { parseArgs } from "node:util";
import { fail, say } from "../scripts/tools.mjs";
import { buildWorker } from "../scripts/worker.mjs";
import { fuzzRequests } from "./grammar.mjs";
import { soak } from "./traffic.mjs";
import { faultsOfMemory, tenths } from "./watch.mjs";

const names = ["requests", "seed", "from", "rest"];
const { values, positionals } = parseArgs({ allowPositionals: true, options: Object.fromEntries(names.map((name) => [name, { type: "string" }])) });
const [seconds, requests, seed, from, rest] = [["seconds", positionals[0]], ...names.map((name) => [`--${name}`, values[name]])].map(([what, text]) => {
  if (text !== undefined && !/^\d+$/.test(text)) fail(`${what}: found ${text}; write a whole number`);
  return text && Number(text);
});

function sayOutcomes({ outcomes, memory }) {
  for (const [outcome, count] of Object.entries(outcomes).sort()) process.stdout.write(`${String(count).padStart(9)}  ${outcome}\n`);
  for (const [name, samples] of Object.entries(memory)) {
    const [first, fifth, last] = tenths(samples).map(Math.round);
    say(`memory of ${name}: ${first} MiB in the first tenth of the time, ${fifth} in the fifth, ${last} in the last; ${Math.round(Math.max(...samples))} at most`);
  }
}

function sayTraffic(figures) {
  sayOutcomes(figures);
  say(`traffic: ${figures.requests} requests in ${figures.phases} spells of weather; the keys were fetched ${figures.fetchesOfKeys} times, and ${figures.brokenOff} uploads broke off at the API`);
  const tenth = Math.ceil(figures.milliseconds.length / 10);
  for (const [when, part] of [["first", figures.milliseconds.slice(0, tenth)], ["last", figures.milliseconds.slice(-tenth)]]) {
    const sorted = part.sort((one, other) => one - other);
    const [half, most] = [0.5, 0.99].map((share) => sorted[Math.floor(sorted.length * share)]);
    say(`a known caller's good answer, in the ${when} tenth: ${half} ms at the median, ${most} ms at p99`);
  }
}

function sayGrammar(figures) {
  sayOutcomes(figures);
  say(`grammar: ${figures.sent} sent, ${figures.forwarded} forwarded, from the seed ${figures.seed}`);
}

await buildWorker();
const began = Date.now();
const time = requests === undefined ? (seconds ?? 60) : seconds;
say(requests === undefined ? `both parts, for ${time} seconds` : `requests made up from the grammar of HTTP: ${requests}`);
const [grammar, traffic] = await Promise.all([fuzzRequests({ requests, seconds: time, seed, from, rest, say }), ...(requests === undefined ? [soak(time, { rest, say })] : [])]);
if (traffic) sayTraffic(traffic);
sayGrammar(grammar);
const wrong = [grammar, traffic].filter(Boolean).flatMap(({ wrong, memory }) => [...wrong, ...faultsOfMemory(memory, (Date.now() - began) / 1000)]);
for (const what of wrong.slice(0, 30)) process.stdout.write(`✗ ${what}\n`);
if (wrong.length > 0) fail(`${wrong.length} answers were wrong`);
say("every answer was right");
