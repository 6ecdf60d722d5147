// `npm run bench`: what a relayed request costs, beside what it costs without the relay's checks. README.md says how
// to read it.
//
//   npm run bench -- [--quick] [--work get] [--rounds 100] [--requests 200] [--also <folder with another build>]

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { fail, root, say } from "../scripts/tools.mjs";
import { buildWorker } from "../scripts/worker.mjs";
import { makeKey } from "../tests/support/issuer.mjs";
import { checkJob, preparePeers } from "./peers.mjs";
import { plot } from "./plot.mjs";
import { asked, cpuMicroseconds, endAll, startHelper, startWorkerd } from "./processes.mjs";
import { mark, summarise, table, verdicts } from "./report.mjs";
import { measureShortRuns, measureStarts, reportStarts, shortRun } from "./starts.mjs";
import { freshTokens, requestHeaders, requestsOf } from "./traffic.mjs";
import { WORKS, relay } from "./works.mjs";

const CONNECTIONS = 16;
/** Requests that make a peer as fast as it gets. Fewer flatter whoever has worked before. */
const WARM_UP = 40_000;
/** Requests that accustom a warm peer to another work. */
const CHANGE = 3_000;

const options = readOptions();
if (!existsSync("/proc/self/stat")) fail("the bench reads CPU times from /proc, which this system lacks: run it on Linux");
await buildWorker();

const folder = mkdtempSync(join(tmpdir(), "access-relay-bench-"));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => leave(130));

let status = 1;
try {
  status = await bench();
} catch (error) {
  process.stderr.write(`\x1b[31m✗\x1b[0m ${error.message}\n`);
}
await leave(status);

async function bench() {
  const key = makeKey();
  const upstream = startHelper("upstream.mjs");
  const { port: apiPort } = await asked(upstream, { certs: JSON.stringify({ keys: [key.jwk] }) });
  const load = startHelper("load.mjs");
  const prepared = await preparePeers({ apiPort, folder, also: options.also });
  const peers = await startPeers(prepared, key);
  const checkJobs = async () => {
    for (const peer of Object.values(peers)) await checkJob(peer, upstream);
  };

  say("checking that each peer does its job");
  await checkJobs();
  const slice = slicer(load, key);
  const results = [];
  for (const [name, work] of Object.entries(WORKS)) {
    if (options.works.length > 0 && !options.works.includes(name)) continue;
    results.push({ name, work, rounds: await measure(work, peers, slice) });
  }
  await checkJobs();
  const fresh = { prepared, key, load, also: options.also };
  if (options.works.length === 0 || options.works.includes("short")) results.push({ name: "short", work: shortRun(options.also), rounds: await measureShortRuns(fresh) });
  if (options.works.length === 0 || options.works.includes("start")) results.push({ name: "start", rounds: await measureStarts(fresh) });
  return report(results);
}

/** The peers by name, under way. */
async function startPeers(prepared, key) {
  const started = prepared.map(async (peer) => {
    const { child, port, said } = startWorkerd(peer);
    return [peer.name, { ...peer, port: await port, pid: child.pid, said, requests: requestsOf(peer, key) }];
  });
  return Object.fromEntries(await Promise.all(started));
}

/** Measures a number of requests to an entrant, each with a token of its own where there is a kind of them. */
function slicer(load, key) {
  return async ({ name, peer, request }, count, kind) => {
    const tokens = kind && Array.from({ length: count }, () => freshTokens[kind](key, peer.issuer));
    const headers = tokens?.map((token) => requestHeaders(token));
    const before = cpuMicroseconds(peer.pid);
    const { error, seconds, latencies } = await asked(load, { port: peer.port, request: peer.requests[request], headers, requests: count, connections: CONNECTIONS });
    if (error) throw new Error(`${name}: ${error}\n${peer.said()}`);
    return { cpu: (cpuMicroseconds(peer.pid) - before) / count, perSecond: count / seconds, latencies };
  };
}

/** The slices of a work: one for each entrant in each round. */
async function measure({ title, tokens, requests = options.requests, share = 1, entrants: wanted }, peers, slice) {
  const others = options.also.map((other) => [other, [other, wanted[relay]?.[1]]]).filter(([, [, request]]) => request);
  const entrants = [...Object.entries(wanted), ...others].map(([name, [peer, request]]) => ({ name, peer: peers[peer], request }));
  const count = Math.ceil(options.rounds * share);
  say(`${title}: ${count} rounds of ${requests} request${requests === 1 ? "" : "s"} each to ${entrants.map(({ name }) => name).join(", ")}`);
  for (const entrant of entrants) {
    // Where bodies are the work, the code around them hardly matters.
    const before = share < 1 ? requests : entrant.peer.warm ? CHANGE : WARM_UP;
    await slice(entrant, before, tokens);
    entrant.peer.warm ||= share === 1;
  }
  const rounds = [];
  for (let number = 0; number < count; number++) {
    const round = {};
    // Each round begins with another one, so that none always has the same place.
    for (let place = 0; place < entrants.length; place++) {
      const entrant = entrants[(number + place) % entrants.length];
      round[entrant.name] = await slice(entrant, requests, tokens);
    }
    rounds.push(round);
  }
  return rounds;
}

function report(results) {
  const all = results.map(({ name, work, rounds }) => {
    if (work === undefined) return { name, ...reportStarts(rounds, options.also) };
    const { title, baseline, bars } = work;
    const summary = summarise(Object.keys(rounds[0]), rounds, baseline);
    const verdict = verdicts(summary, bars, baseline);
    process.stdout.write(`
CPU time of workerd for ${title}; means of ${rounds.length} rounds. Ratios are to ${baseline}.

${table(summary)}

${verdict.map(({ holds, text }) => `${mark(holds)} ${text}`).join("\n")}
`);
    const slices = rounds.map((round) => Object.fromEntries(Object.entries(round).map(([peer, { cpu }]) => [peer, cpu])));
    return { name, title, baseline, summary, verdict, slices };
  });
  const sizes = shipped(join(folder, relay));
  process.stdout.write(`
Shipped, gzipped: ${sizes.map(({ file, gzipped }) => `${file} ${kilobytes(gzipped)}`).join(", ")}; ${kilobytes(sizes.reduce((sum, { gzipped }) => sum + gzipped, 0))} in all.

`);
  const folderOfResults = join(root, "bench", "results");
  mkdirSync(folderOfResults, { recursive: true });
  const file = join(folderOfResults, `${new Date().toISOString().replaceAll(":", "-").slice(0, 19)}.json`);
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  writeFileSync(file, `${JSON.stringify({ machine, options, sizes, works: all }, null, 2)}\n`);
  const drawn = all.filter(({ summary }) => summary);
  if (drawn.length > 0) writeFileSync(file.replace(/json$/, "svg"), plot(drawn));
  say(`written to bench/results/${basename(file)}, and drawn beside it`);
  const outcomes = all.flatMap(({ verdict }) => verdict.map(({ holds }) => holds));
  if (outcomes.includes(false)) return 1;
  return outcomes.includes(undefined) ? 2 : 0;
}

function shipped(folder) {
  return ["index.js", "index_bg.wasm"].map((file) => {
    const bytes = readFileSync(join(folder, file));
    return { file, bytes: bytes.length, gzipped: gzipSync(bytes, { level: 9 }).length };
  });
}

function kilobytes(bytes) {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}

/** Ends whatever was started, then the bench. */
async function leave(status) {
  await endAll();
  rmSync(folder, { recursive: true, force: true });
  process.exit(status);
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      requests: { type: "string" },
      work: { type: "string", multiple: true, default: [] },
      also: { type: "string", multiple: true, default: [] },
    },
  });
  const number = (text, fallback) => {
    const value = Number(text ?? fallback);
    return Number.isInteger(value) && value >= 1 && value <= 1_000_000 ? value : fail(`${text} is not a number of rounds or requests`);
  };
  return {
    rounds: number(values.rounds, values.quick ? 50 : 100),
    requests: number(values.requests, 200),
    works: values.work.map((name) => (name in WORKS || ["short", "start"].includes(name) ? name : fail(`there is no work called ${name}; there are ${Object.keys(WORKS).join(", ")}, short, start`))),
    also: values.also,
  };
}
