// `npm run bench`: what the relay costs beside others that do the same work, and whether that has changed. README.md says how to read
// it, and has the options.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { fail, root, say } from "../scripts/tools.mjs";
import { buildWorker } from "../scripts/worker.mjs";
import { makeKey } from "../tests/support/issuer.mjs";
import { canCount, measureInstructions } from "./instructions.mjs";
import { measureLatency } from "./latency.mjs";
import { measureStart, measureWarm, measureYoung } from "./measure.mjs";
import { checkJob, preparePeers } from "./peers.mjs";
import { plot, plotLatency } from "./plot.mjs";
import { asked, endAll, startHelper, startWorkerd } from "./processes.mjs";
import { costs, docsTable, latencyLines, line, withTable } from "./report.mjs";
import { requestsOf } from "./traffic.mjs";
import { besideCommitted, compare, failures, replace, spread } from "./verdicts.mjs";
import { WORKS, relay } from "./works.mjs";

const MEASURES = { warm: measureWarm, young: measureYoung, start: measureStart, instructions: measureInstructions, latency: measureLatency };
/** Works of these kinds start their Workers themselves. */
const FRESH = ["young", "start", "instructions"];
/** How many minutes the `seconds` of the works come to, where nobody asks for others. */
const MINUTES = 5;

const FIGURES = join(root, "bench", "figures.json");
const PAGE = join(root, "docs", "performance.md");
const PICTURES = join(root, "docs", "images");

/** The committed figures. */
const committed = JSON.parse(readFileSync(FIGURES, "utf8"));

const options = readOptions();
if (!existsSync("/proc/self/stat")) {
  process.stderr.write("the bench reads CPU times from /proc, which this system lacks: run it on Linux\n");
  process.exit(2);
}
await buildWorker();

const folder = mkdtempSync(join(tmpdir(), "access-relay-bench-"));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => leave(130));

let status = 2;
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
  const newLoad = () => startHelper("load.mjs");
  const context = { key, upstream, load: newLoad(), newLoad, folder, prepared: await preparePeers({ apiPort, folder, also: options.also }), peers: {} };

  const began = performance.now();
  const results = [];
  for (const [name, work] of Object.entries(WORKS)) if (options.works.includes(name)) results.push({ name, ...(await measure(work, context)) });
  say("checking that each Worker still does its job");
  for (const peer of Object.values(context.peers)) await checkJob(peer, upstream);
  return report(results, (performance.now() - began) / 60_000);
}

/** What a work's rounds come to: rows, and the medians behind them; of latencies, the rates. */
async function measure(work, context) {
  const { kind = "warm", title } = work;
  const others = options.also.filter(() => work.entrants[relay] && kind !== "latency");
  const wanted = { ...work.entrants, ...Object.fromEntries(others.map((other) => [other, [other, work.entrants[relay][1]]])) };
  if (kind === "instructions" && !canCount()) {
    say(`${title}: not counted, for there is no valgrind here (Debian: apt install valgrind)`);
    return { work, rows: [] };
  }
  const seconds = (work.seconds * options.minutes) / MINUTES;
  const names = Object.keys(wanted);
  say(`${title}: about ${Math.round(seconds)} seconds`);
  const entrants = [];
  for (const name of names) {
    const [of, request] = wanted[name];
    const prepared = context.prepared.find((peer) => peer.name === of);
    entrants.push({ name, request, prepared, peer: FRESH.includes(kind) ? undefined : await underWay(prepared, context) });
  }
  const rounds = await MEASURES[kind](work, entrants, seconds, context);
  if (kind === "latency") return { work, rows: [], rates: rounds };
  const medians = Object.fromEntries(names.map((name) => [name, spread(rounds.map((round) => round[name])).median]));
  say(`  ${rounds.length} round${rounds.length === 1 ? "" : "s"}: ${costs(work, medians)}`);
  const pairs = [...work.rows, ...others.map((other) => [relay, other])];
  return { work, rows: pairs.map(([name, beside]) => ({ name, beside, ...compare(rounds, name, beside) })), rounds };
}

/** A Worker that goes on running, once it has shown that it does its job. */
async function underWay(prepared, { peers, key, upstream }) {
  if (!peers[prepared.name]) {
    const { child, port, said } = startWorkerd(prepared);
    const peer = { ...prepared, port: await port, pid: child.pid, said, requests: requestsOf(prepared, key) };
    await checkJob(peer, upstream);
    peers[prepared.name] = peer;
  }
  return peers[prepared.name];
}

function report(results, minutes) {
  const stamp = { date: new Date().toISOString().slice(0, 10), machine: `${cpus().length} cores, ${cpus()[0]?.model}` };
  const measured = results.flatMap(({ name: work, rows }) => rows.map((row) => ({ work, ...row, ...stamp })));
  const rows = besideCommitted(measured, committed.rows);
  const latency = results.find(({ rates }) => rates)?.rates;
  process.stdout.write(`\n${rows.map(line).join("\n")}\n`);
  if (latency) process.stdout.write(`\nlatency, beside the pass-through\n${latencyLines(latency).join("\n")}\n`);
  process.stdout.write(`\n${minutes.toFixed(1)} minutes\n`);
  const slices = Object.fromEntries(results.map(({ name, rounds, rates }) => [name, rounds ?? rates]));
  keep(join(root, "bench", "results"), new Date().toISOString().replaceAll(":", "-").slice(0, 19), { ...stamp, options, rows, slices }, latency);

  if (options.write) write({ rows: replace(committed.rows, measured.filter(({ beside }) => !options.also.includes(beside))), latency: latency ? { ...stamp, rates: latency } : committed.latency });
  const failed = failures(rows);
  if (options.gate) say(failed.length > 0 ? `the gate: ${failed.length} of ${rows.length} rows became worse` : `the gate: none of ${rows.length} rows became worse`);
  return options.gate && failed.length > 0 ? 1 : 0;
}

/** A run's own files: every slice, and the pictures. */
function keep(place, name, all, latency) {
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, `${name}.json`), `${JSON.stringify(all, null, 1)}\n`);
  if (all.rows.length > 0) writeFileSync(join(place, `${name}.svg`), plot(all.rows));
  if (latency) writeFileSync(join(place, `${name}-latency.svg`), plotLatency(latency));
  say(`written to bench/results/${basename(name)}.json, and drawn beside it`);
}

/** The committed figures, and the table and the pictures that show them. */
function write(figures) {
  writeFileSync(FIGURES, `${JSON.stringify(figures, null, 1)}\n`);
  writeFileSync(PAGE, withTable(readFileSync(PAGE, "utf8"), docsTable(figures.rows)));
  writeFileSync(join(PICTURES, "performance.svg"), plot(figures.rows));
  if (figures.latency) writeFileSync(join(PICTURES, "latency.svg"), plotLatency(figures.latency.rates));
  say("bench/figures.json, docs/performance.md and its pictures have the new figures");
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
      all: { type: "boolean", default: false },
      gate: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      minutes: { type: "string", default: String(MINUTES) },
      work: { type: "string", multiple: true, default: [] },
      also: { type: "string", multiple: true, default: [] },
    },
  });
  const minutes = Number(values.minutes);
  if (!(minutes > 0 && minutes <= 600)) fail(`--minutes ${values.minutes}: write a number of minutes, as in --minutes 15`);
  for (const name of values.work) if (!(name in WORKS)) fail(`--work ${name}: there is no such work; write one of ${Object.keys(WORKS).join(", ")}`);
  for (const other of values.also) if (!existsSync(join(other, "index_bg.wasm"))) fail(`--also ${other}: no index_bg.wasm is there; write the folder build/ of another clone, after npm run build`);
  const works = values.work.length > 0 ? values.work : Object.keys(WORKS).filter((name) => values.all || !WORKS[name].all);
  return { works, minutes, gate: values.gate, write: values.write, also: values.also };
}
