// `npm run soak -- [seconds]`: traffic while things break, and requests made up from the grammar of HTTP. With `--requests N`
// only the latter, so many of them; `--seed N` makes up the same ones again, and `--from N` begins with that one. README.md says
// what must hold.

import { parseArgs } from "node:util";
import { fail, say } from "../scripts/tools.mjs";
import { buildWorker } from "../scripts/worker.mjs";
import { fuzzRequests } from "./grammar.mjs";
import { soak } from "./traffic.mjs";

const { values, positionals } = parseArgs({ allowPositionals: true, options: { requests: { type: "string" }, seed: { type: "string" }, from: { type: "string" } } });
const [seconds, requests, seed, from] = [["seconds", positionals[0]], ["--requests", values.requests], ["--seed", values.seed], ["--from", values.from]].map(([what, text]) => {
  if (text !== undefined && !/^\d+$/.test(text)) fail(`${what}: ${text} is no number`);
  return text && Number(text);
});
await buildWorker();
const wrong = [];

function sayMemory(memory) {
  if (memory.length < 2) return;
  const half = Math.ceil(memory.length / 2);
  const [early, late] = [memory.slice(0, half), memory.slice(half)].map((part) => Math.max(...part));
  say(`memory of workerd: ${Math.round(early)} MiB at most in the first half, ${Math.round(late)} in the second`);
}

async function soakTraffic(seconds) {
  say(`traffic while things break, for ${seconds} seconds`);
  const figures = await soak(seconds, say);
  for (const [outcome, count] of Object.entries(figures.outcomes).sort()) process.stdout.write(`${String(count).padStart(9)}  ${outcome}\n`);
  say(`${figures.requests} requests in ${figures.phases} spells of weather; the keys were fetched ${figures.fetchesOfKeys} times`);
  sayMemory(figures.memory);
  wrong.push(...figures.wrong);
}

async function soakGrammar(limits) {
  say(`requests made up from the grammar of HTTP: ${limits.requests ?? `as many as ${limits.seconds} seconds take`}`);
  const figures = await fuzzRequests({ ...limits, say });
  for (const [outcome, count] of Object.entries(figures.outcomes).sort()) process.stdout.write(`${String(count).padStart(9)}  ${outcome}\n`);
  say(`${figures.sent} sent, ${figures.forwarded} forwarded, from the seed ${figures.seed}`);
  sayMemory(figures.memory);
  wrong.push(...figures.wrong);
}

const time = requests === undefined ? (seconds ?? 60) : seconds;
if (requests === undefined) await soakTraffic(time);
await soakGrammar({ requests, seconds: time, seed, from });
for (const what of [...new Set(wrong)].slice(0, 20)) process.stdout.write(`✗ ${what}\n`);
if (wrong.length > 0) fail(`${wrong.length} answers were wrong`);
say("every answer was right");
