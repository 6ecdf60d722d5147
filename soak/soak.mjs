// `npm run soak -- [seconds]`: traffic while things break, and requests made up from the grammar of HTTP. README.md says
// what must hold.

import { fail, say } from "../scripts/tools.mjs";
import { buildWorker } from "../scripts/worker.mjs";
import { fuzzRequests } from "./grammar.mjs";
import { soak } from "./traffic.mjs";

const seconds = Number(process.argv[2] ?? 60);
if (!(Number.isInteger(seconds) && seconds > 0)) fail(`${process.argv[2]} is no number of seconds`);
buildWorker();

say(`traffic while things break, for ${seconds} seconds`);
const { outcomes, memory, wrong, requests, fetchesOfKeys, phases } = await soak(seconds, say);
for (const [outcome, count] of Object.entries(outcomes).sort()) process.stdout.write(`${String(count).padStart(9)}  ${outcome}\n`);
const [early, late] = [memory.slice(0, Math.ceil(memory.length / 2)), memory.slice(Math.ceil(memory.length / 2))].map((part) => Math.max(...part));
say(`${requests} requests in ${phases} spells of weather; the keys were fetched ${fetchesOfKeys} times`);
say(`memory of workerd: ${Math.round(early)} MiB at most in the first half, ${Math.round(late)} in the second`);

say(`requests made up from the grammar of HTTP, for ${seconds} seconds`);
const fuzzed = await fuzzRequests(seconds);
say(`${fuzzed.sent} sent, ${fuzzed.forwarded} forwarded; ${JSON.stringify(fuzzed.outcomes)}`);

for (const what of [...new Set([...wrong, ...fuzzed.wrong])].slice(0, 20)) process.stdout.write(`✗ ${what}\n`);
if (wrong.length + fuzzed.wrong.length > 0) fail(`${wrong.length + fuzzed.wrong.length} answers were wrong`);
say("every answer was right");
