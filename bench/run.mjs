// `npm run bench`: what a relayed request costs, beside what it costs without the relay's checks. README.md says how
// to read it.
//
//   npm run bench -- [--quick] [--rounds 150] [--requests 200] [--also <folder with another build>]

import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { cpus, tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { fail, root, say } from "../scripts/tools.mjs";
import { buildWorker } from "../scripts/worker.mjs";
import { summarise, table, verdict } from "./report.mjs";
import { audience, body, clientId, clientSecret, email, makeKey, makeToken, path, requestHeaders } from "./traffic.mjs";
import { cpuMicroseconds, startWorkerd } from "./workerd.mjs";

const CONNECTIONS = 16;
/** Requests that make a peer as fast as it gets. */
const WARM_UP = 4_000;

const options = readOptions();
if (!existsSync("/proc/self/stat")) fail("the bench reads CPU times from /proc, which this system lacks: run it on Linux");
const build = join(root, "build");
if (!existsSync(join(build, "index_bg.wasm"))) buildWorker();

const folder = mkdtempSync(join(tmpdir(), "access-relay-bench-"));
const children = [];
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => end(130));

let status = 1;
try {
  status = await bench();
} catch (error) {
  process.stderr.write(`\x1b[31m✗\x1b[0m ${error.message}\n`);
}
await end(status);

async function bench() {
  const key = makeKey();
  const upstream = startHelper("upstream.mjs");
  const { port: apiPort } = await asked(upstream, { certs: key.certs });
  const headers = requestHeaders(makeToken(key.privateKey, `http://127.0.0.1:${apiPort}`));
  const load = startHelper("load.mjs");

  const peers = await startPeers(apiPort);
  const slice = async (peer, requests) => {
    const before = cpuMicroseconds(peer.pid);
    const { error, seconds, latencies } = await asked(load, { port: peer.port, headers, requests, connections: CONNECTIONS });
    if (error) throw new Error(`${peer.name}: ${error}\n${peer.said()}`);
    return { cpu: (cpuMicroseconds(peer.pid) - before) / requests, perSecond: requests / seconds, latencies };
  };

  say("checking that each peer does its job, and warming up");
  for (const peer of peers) await checkJob(peer, upstream, headers);
  for (const peer of peers) await slice(peer, WARM_UP);

  say(`${options.rounds} rounds of ${options.requests} requests each to ${peers.map(({ name }) => name).join(", ")}`);
  const rounds = [];
  for (let number = 0; number < options.rounds; number++) {
    const round = {};
    // Each round begins with another peer, so that none always has the same place.
    for (let place = 0; place < peers.length; place++) {
      const peer = peers[(number + place) % peers.length];
      round[peer.name] = await slice(peer, options.requests);
    }
    rounds.push(round);
    if ((number + 1) % 25 > 0) continue;
    const costs = peers.map(({ name }) => `${name} ${round[name].cpu.toFixed(1)}`);
    process.stdout.write(`  \x1b[2mround ${number + 1}: ${costs.join(", ")} µs\x1b[0m\n`);
  }
  for (const peer of peers) await checkJob(peer, upstream, headers);

  return report(peers, rounds);
}

async function startPeers(apiPort) {
  const secrets = { CF_ACCESS_CLIENT_ID: clientId, CF_ACCESS_CLIENT_SECRET: clientSecret };
  const RELAY = {
    access: { issuer: `http://127.0.0.1:${apiPort}`, audience: [audience] },
    routes: [{ path: "/api", upstream: `http://127.0.0.1:${apiPort}` }],
  };
  const script = (name) => ({
    modules: [{ from: fileURLToPath(new URL(`peers/${name}.mjs`, import.meta.url)), to: "index.js" }],
    bindings: { API_HOST: `127.0.0.1:${apiPort}`, ...secrets },
  });
  const relay = (from) => ({
    modules: ["index.js", "index_bg.wasm"].map((file) => ({ from: join(from, file), to: file })),
    bindings: { RELAY, ...secrets },
    relays: true,
  });
  const wanted = {
    "pass-through": script("pass-through"),
    sample: script("sample"),
    "access-relay": relay(build),
    ...Object.fromEntries(options.also.map((other) => [other, relay(resolve(other))])),
  };
  const compatibilityDate = readFileSync(join(root, "wrangler.toml"), "utf8").match(/^compatibility_date = "(.+)"/m)[1];
  const started = Object.entries(wanted).map(([name, { relays, ...worker }]) => {
    const { child, port, said } = startWorkerd({ name, ...worker, compatibilityDate, folder: join(folder, name.replace(/\W+/g, "-")) });
    children.push(child);
    return port.then((port) => ({ name, relays, port, pid: child.pid, said }));
  });
  return Promise.all(started);
}

/** One request by hand: no peer is measured while it fails, or while it does less than it should. */
async function checkJob(peer, upstream, headers) {
  const wrong = (what) => new Error(`${peer.name}: ${what}\n${peer.said()}`);
  const answer = await get(peer.port, headers);
  if (answer.status !== 200 || answer.length !== body.length) throw wrong(`answered ${answer.status}, ${answer.length} bytes`);
  if (peer.name === "pass-through") return;

  const { headers: arrived, certs } = await asked(upstream, "seen");
  if (arrived["cf-access-client-id"] !== clientId || arrived["cf-access-client-secret"] !== clientSecret) {
    throw wrong("the API did not get the service token");
  }
  if (answer.headers["set-cookie"]) throw wrong("a Set-Cookie came back");
  if (!peer.relays) return;

  for (const name of ["cookie", "cf-access-jwt-assertion"]) if (arrived[name]) throw wrong(`the API got the caller's ${name}`);
  if (arrived["x-forwarded-email"] !== email) throw wrong("the API was not told who calls");
  if (certs === 0) throw wrong("the signing keys were never fetched");
  const { "Cf-Access-Jwt-Assertion": token, Cookie, ...others } = headers;
  const forged = `${token.slice(0, -6)}AAAAAA`;
  for (const strangers of [others, { ...others, "Cf-Access-Jwt-Assertion": forged }]) {
    const refused = await get(peer.port, strangers);
    if (refused.status !== 401) throw wrong(`answered ${refused.status} to a caller without a valid token`);
  }
}

function get(port, headers) {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, headers, agent: false }, async (response) => {
      let length = 0;
      for await (const chunk of response) length += chunk.length;
      resolve({ status: response.statusCode, headers: response.headers, length });
    });
    sent.on("error", reject);
    sent.end();
  });
}

function report(peers, rounds) {
  const summary = summarise(peers.map(({ name }) => name), rounds);
  const { holds, text } = verdict(summary);
  const sizes = shipped(join(folder, "access-relay"));
  process.stdout.write(`
CPU time of workerd for a relayed GET, warm; medians of ${rounds.length} rounds. Ratios are to the sample's.

${table(summary)}

Shipped, gzipped: ${sizes.map(({ file, gzipped }) => `${file} ${kilobytes(gzipped)}`).join(", ")}; ${kilobytes(sizes.reduce((sum, { gzipped }) => sum + gzipped, 0))} in all.

${holds ? "\x1b[32m✓\x1b[0m" : "\x1b[31m✗\x1b[0m"} ${text}
`);
  const results = join(root, "bench", "results");
  mkdirSync(results, { recursive: true });
  const file = join(results, `${new Date().toISOString().replaceAll(":", "-").slice(0, 19)}.json`);
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  const slices = rounds.map((round) => Object.fromEntries(Object.entries(round).map(([name, { cpu, perSecond }]) => [name, { cpu, perSecond }])));
  writeFileSync(file, `${JSON.stringify({ machine, options, summary, sizes, verdict: { holds: holds ?? null, text }, rounds: slices }, null, 2)}\n`);
  say(`written to bench/results/${basename(file)}`);
  if (holds === undefined) return 2;
  return holds ? 0 : 1;
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
async function end(status) {
  const running = children.filter((child) => child.exitCode === null && child.signalCode === null);
  const ends = running.map((child) => once(child, "exit"));
  for (const child of running) child.kill("SIGKILL");
  await Promise.allSettled(ends);
  rmSync(folder, { recursive: true, force: true });
  process.exit(status);
}

function startHelper(file) {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)));
  children.push(child);
  return child;
}

/** A helper's answer to a message. */
async function asked(helper, message) {
  helper.send(message);
  const ended = new AbortController();
  const answer = once(helper, "message", { signal: ended.signal });
  const end = once(helper, "exit", { signal: ended.signal }).then(() => Promise.reject(new Error("a helper process of the bench ended")));
  try {
    const [value] = await Promise.race([answer, end]);
    return value;
  } finally {
    ended.abort();
    for (const promise of [answer, end]) promise.catch(() => {});
  }
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      requests: { type: "string" },
      also: { type: "string", multiple: true, default: [] },
    },
  });
  const number = (text, fallback) => {
    const value = Number(text ?? fallback);
    return Number.isInteger(value) && value >= 1 && value <= 1_000_000 ? value : fail(`${text} is not a number of rounds or requests`);
  };
  return {
    rounds: number(values.rounds, values.quick ? 50 : 150),
    requests: number(values.requests, 200),
    also: values.also,
  };
}
