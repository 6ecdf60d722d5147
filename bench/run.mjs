// `npm run bench`: what a relayed request costs, beside what it costs without the relay's checks. README.md says how
// to read it.
//
//   npm run bench -- [--quick] [--work get] [--rounds 150] [--requests 200] [--also <folder with another build>]

import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { cpus, tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { fail, root, run, say } from "../scripts/tools.mjs";
import { buildWorker } from "../scripts/worker.mjs";
import { plot } from "./plot.mjs";
import { spread, summarise, table, verdicts } from "./report.mjs";
import { foreign, policy } from "./traffic-policy.mjs";
import { audience, makeKey, makeToken } from "../tests/support/issuer.mjs";
import { body, clientId, clientSecret, email, freshTokens, path, requestHeaders, works } from "./traffic.mjs";
import { cpuMicroseconds, startWorkerd } from "./workerd.mjs";
import { START_BAR, WORKS, manyRelay, relay, stack } from "./works.mjs";

const CONNECTIONS = 16;
/** Requests that make a peer as fast as it gets. Fewer flatter whoever has worked before. */
const WARM_UP = 20_000;
/** Requests that accustom a warm peer to another work. */
const CHANGE = 3_000;
/** How often a fresh workerd is started for each Worker. */
const STARTS = 15;

/** The team whose name one of the peers takes in place of the issuer's address. */
const TEAM = "acme";

const compatibilityDate = readFileSync(join(root, "wrangler.toml"), "utf8").match(/^compatibility_date = "(.+)"/m)[1];

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
  const { port: apiPort } = await asked(upstream, { certs: JSON.stringify({ keys: [key.jwk] }) });
  const load = startHelper("load.mjs");
  const specs = peerSpecs(apiPort);
  const peers = await startPeers(specs);
  for (const peer of Object.values(peers)) peer.requests = works(makeToken(key, peer.issuer));
  const slice = async ({ name, peer, request }, count, kind) => {
    const tokens = kind && Array.from({ length: count }, () => freshTokens[kind](key, peer.issuer));
    const headers = tokens?.map((token) => requestHeaders(token));
    const before = cpuMicroseconds(peer.pid);
    const { error, seconds, latencies } = await asked(load, { port: peer.port, request: peer.requests[request], headers, requests: count, connections: CONNECTIONS });
    if (error) throw new Error(`${name}: ${error}\n${peer.said()}`);
    return { cpu: (cpuMicroseconds(peer.pid) - before) / count, perSecond: count / seconds, latencies };
  };
  const checkJobs = async () => {
    for (const peer of Object.values(peers)) await checkJob(peer, upstream);
  };

  say("checking that each peer does its job");
  await checkJobs();
  const results = [];
  for (const [name, work] of Object.entries(WORKS)) {
    if (options.works.length > 0 && !options.works.includes(name)) continue;
    const others = options.also.map((other) => [other, [other, work.entrants[relay]?.[1]]]);
    const entrants = Object.entries({ ...work.entrants, ...Object.fromEntries(others.filter(([, [, request]]) => request)) }).map(
      ([name, [peer, request]]) => ({ name, peer: peers[peer], request }),
    );
    results.push({ name, work, entrants, rounds: await measure(work, entrants, slice) });
  }
  await checkJobs();
  if (options.works.length === 0 || options.works.includes("start")) results.push(await measureStarts(specs, key));
  return report(results);
}

async function measure(work, entrants, slice) {
  say(`${work.title}: ${options.rounds} rounds of ${options.requests} requests each to ${entrants.map(({ name }) => name).join(", ")}`);
  for (const entrant of entrants) {
    await slice(entrant, entrant.peer.warm ? CHANGE : WARM_UP, work.tokens);
    entrant.peer.warm = true;
  }
  const rounds = [];
  for (let number = 0; number < options.rounds; number++) {
    const round = {};
    // Each round begins with another one, so that none always has the same place.
    for (let place = 0; place < entrants.length; place++) {
      const entrant = entrants[(number + place) % entrants.length];
      round[entrant.name] = await slice(entrant, options.requests, work.tokens);
    }
    rounds.push(round);
  }
  return rounds;
}

/** What each peer consists of, by name. */
function peerSpecs(apiPort) {
  const secrets = { CF_ACCESS_CLIENT_ID: clientId, CF_ACCESS_CLIENT_SECRET: clientSecret };
  const RELAY = {
    access: { issuer: `http://127.0.0.1:${apiPort}`, audience: [audience] },
    routes: [
      { path: "/api", upstream: `http://127.0.0.1:${apiPort}`, cors: foreign },
      { path: "/cors", upstream: `http://127.0.0.1:${apiPort}`, cors: policy },
    ],
  };
  const script = (name) => {
    const bundled = join(folder, `${name}.mjs`);
    const source = fileURLToPath(new URL(`peers/${name}.mjs`, import.meta.url));
    run("esbuild", [source, "--bundle", "--minify", "--format=esm", `--outfile=${bundled}`, "--log-level=warning"]);
    return { modules: [{ from: bundled, to: "index.js" }], bindings: { API_HOST: `127.0.0.1:${apiPort}`, TEAM, AUDIENCE: audience, ...secrets } };
  };
  const relaying = (from, RELAY) => ({
    modules: ["index.js", "index_bg.wasm"].map((file) => ({ from: join(from, file), to: file })),
    bindings: { RELAY, ...secrets },
    relays: true,
  });
  // As deep as the one that is asked for, so that all are looked at.
  const others = Array.from({ length: 98 }, (_, number) => ({ path: `/ap${number}`, upstream: `http://127.0.0.1:${apiPort}` }));
  const strangers = Array.from({ length: 999 }, (_, number) => `https://page-${number}.example.com`);
  const [api, ...rest] = RELAY.routes;
  const many = {
    ...RELAY,
    routes: [...others, { ...api, cors: { ...foreign, allowed_origins: [...strangers, ...foreign.allowed_origins] } }, ...rest],
  };
  const issuerOf = { [true]: RELAY.access.issuer, [false]: `https://${TEAM}.cloudflareaccess.com` };
  const wanted = {
    ...Object.fromEntries(["pass-through", "sample", "hono-cors", "hono-stack"].map((name) => [name, script(name)])),
    [relay]: relaying(build, RELAY),
    [manyRelay]: relaying(build, many),
    ...Object.fromEntries(options.also.map((other) => [other, relaying(resolve(other), RELAY)])),
  };
  return Object.entries(wanted).map(([name, spec]) => ({ name, ...spec, issuer: issuerOf[spec.relays === true] }));
}

function startPeer({ name, modules, bindings }) {
  return startWorkerd({ name, modules, bindings, compatibilityDate, folder: join(folder, name.replace(/\W+/g, "-")) });
}

/** The peers by name. */
async function startPeers(specs) {
  const started = specs.map(async (spec) => {
    const { child, port, said } = startPeer(spec);
    children.push(child);
    return [spec.name, { name: spec.name, relays: spec.relays, issuer: spec.issuer, port: await port, pid: child.pid, said }];
  });
  return Object.fromEntries(await Promise.all(started));
}

/** Milliseconds from the start of a workerd to its first answer, a relayed GET: the relay's needs the signing keys. */
async function measureStarts(specs, key) {
  say(`a cold start: ${STARTS} times a fresh workerd for each Worker`);
  const entrants = ["sample", relay].map((name) => specs.find((spec) => spec.name === name));
  const rounds = [];
  for (let number = 0; number < STARTS; number++) {
    const round = {};
    for (let place = 0; place < entrants.length; place++) {
      const spec = entrants[(number + place) % entrants.length];
      const { headers } = works(makeToken(key, spec.issuer)).get;
      const began = performance.now();
      const { child, port } = startPeer({ ...spec, name: `${spec.name}-start` });
      children.push(child);
      const { status } = await get(await port, headers);
      round[spec.name] = performance.now() - began;
      if (status !== 200) throw new Error(`${spec.name}: the first answer was ${status}`);
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    rounds.push(round);
  }
  return { name: "start", starts: rounds };
}

/** One request by hand: no peer is measured while it fails, or while it does less than it should. */
async function checkJob(peer, upstream) {
  const { headers } = peer.requests.get;
  if (peer.name === "hono-cors") return; // It is asked for preflights alone, whose status is checked each time.
  const wrong = (what) => new Error(`${peer.name}: ${what}\n${peer.said()}`);
  const answer = await get(peer.port, headers);
  if (answer.status !== 200 || answer.length !== body.length) throw wrong(`answered ${answer.status}, ${answer.length} bytes`);
  if (peer.name === "pass-through") return;

  const { headers: arrived, certs } = await asked(upstream, "seen");
  if (arrived["cf-access-client-id"] !== clientId || arrived["cf-access-client-secret"] !== clientSecret) {
    throw wrong("the API did not get the service token");
  }
  if (answer.headers["set-cookie"]) throw wrong("a Set-Cookie came back");
  if (!peer.relays && peer.name !== "hono-stack") return;

  for (const name of ["cookie", "cf-access-jwt-assertion"]) if (arrived[name]) throw wrong(`the API got the caller's ${name}`);
  const told = { "x-forwarded-email": email, "x-forwarded-for": headers["CF-Connecting-IP"], "x-forwarded-host": headers.Host, "x-forwarded-proto": "http" };
  for (const [name, value] of Object.entries(told)) if (arrived[name] !== value) throw wrong(`the API was told ${name}: ${arrived[name]}`);
  for (const name of ["x-forwarded-user", "traceparent"]) if (!arrived[name]) throw wrong(`the API was not told ${name}`);
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

function report(results) {
  const sizes = shipped(join(folder, "access-relay"));
  const all = results.map(({ name, work, entrants, rounds, starts }) => {
    if (starts) return { name, ...reportStarts(starts) };
    const summary = summarise(entrants.map(({ name }) => name), rounds, work.baseline);
    const verdict = verdicts(summary, work.bars, work.baseline);
    const marks = verdict.map(({ holds, text }) => `${holds ? "\x1b[32m✓\x1b[0m" : "\x1b[31m✗\x1b[0m"} ${text}`);
    process.stdout.write(`
CPU time of workerd for ${work.title}; medians of ${rounds.length} rounds. Ratios are to ${work.baseline}.

${table(summary)}

${marks.join("\n")}
`);
    return { name, title: work.title, baseline: work.baseline, summary, verdict };
  });
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

function reportStarts(starts) {
  const more = spread(starts.map((round) => round[relay] - round.sample));
  const median = (name) => spread(starts.map((round) => round[name])).median.toFixed(0);
  const holds = more.median <= START_BAR;
  const mark = holds ? "\x1b[32m✓\x1b[0m" : "\x1b[31m✗\x1b[0m";
  process.stdout.write(`
A cold start: ${relay} gives its first answer after ${median(relay)} ms, sample after ${median("sample")} ms; medians of ${starts.length}.

${mark} ${relay} takes ${more.median.toFixed(1)} ms more (quartiles ${more.lower.toFixed(1)} and ${more.upper.toFixed(1)}); at most ${START_BAR} ms are required
`);
  return { starts, more, verdict: [{ holds }] };
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
      work: { type: "string", multiple: true, default: [] },
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
    works: values.work.map((name) => (name in WORKS || name === "start" ? name : fail(`there is no work called ${name}; there are ${Object.keys(WORKS).join(", ")}, start`))),
    also: values.also,
  };
}
