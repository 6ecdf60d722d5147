// The Wasm that ships, in workerd: one process for each configuration, on a port of its own.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { env, root } from "../../scripts/tools.mjs";

/** `(module (func (export "trap") unreachable))`: what a panic comes down to. */
const TRAP = Buffer.from("0061736d0100000001040160000003020100070801047472617000000a05010300000b", "hex");

/**
 * Starts the relay. `relay` is the table RELAY, `secrets` are string secrets, `stored` are secrets behind an async
 * `get()` as a Secrets Store binding has it. With `front`, callers can go away; with `collector`, scripts can call `gc()`. The
 * script that ships is served as it is. What runs `before` it, and what is done with a `request` before it may `handle` it, are
 * texts of a script; they can call `trap()`, and find the relay's Wasm as `latest`. Where a log is too long to be kept, `watch`
 * gets it piece by piece. With `colo`, every call of the relay's goes to this host and port, and tells what it asks of Cloudflare's
 * cache (tests/support/colo.mjs). `bound` has the scripts of other Workers, by the names of the bindings that lead to them. With
 * `platform`, the runtime vouches for whom the header `MF-Access-Blob` names, and asks the body of this `getIdentity()` who that is. With `tls`, `X-Forwarded-Proto` says whether a request has come by https.
 * Returns its URL, the log so far, and `stop()`.
 */
export function startRelay({ relay, secrets = {}, stored = {}, front = false, collector = false, before = "", handle = "", watch, colo, bound = {}, platform, tls = false }) {
  const files = {
    "config.capnp": capnp(relay, secrets, stored, front, collector, colo, bound, platform, tls),
    "before.js": `${BEFORE}{ ${before} }`,
    "relay.js": readFileSync(join(root, "build", "index.js"), "utf8"),
    "index.js": `import "./before.js"; import relay from "./relay.js"; export default { fetch(request, env, ctx) { ${handle} return relay.fetch(request, env, ctx); } };`,
    "trap.wasm": TRAP,
  };
  return serve(files, watch, platform === undefined ? [] : ["--experimental"]);
}

/** What a panic comes down to, and the latest instance of the relay's Wasm. */
const BEFORE = `import trapModule from "./trap.wasm";
globalThis.trap = new WebAssembly.Instance(trapModule).exports.trap;
const { Instance } = WebAssembly;
WebAssembly.Instance = function (module, imports) { return (globalThis.latest = new Instance(module, imports)); };
`;

/** Starts workerd with a script of a test's own, which may import others: `modules` has their texts by name. With `network`, it can call this machine. */
export function startScript(modules, { network = false } = {}) {
  const names = Object.keys(modules).map((name) => `(name = "${name}", esModule = embed "${name}")`);
  const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "script", worker = (modules = [${names.join(", ")}], compatibilityDate = "2026-10-20", globalOutbound = "${network ? "network" : "internet"}")),
    (name = "network", network = (allow = ["private", "public"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "script")],
);
`;
  return serve({ ...modules, "config.capnp": config });
}

async function serve(files, watch, flags = []) {
  const folder = mkdtempSync(join(tmpdir(), "access-relay-"));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const child = spawn("workerd", ["serve", "--control-fd=3", ...flags, `--import-path=${join(root, "build")}`, join(folder, "config.capnp")], {
    env,
    cwd: root,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", watch ?? ((text) => output.push(text)));
  const port = await new Promise((resolve, reject) => {
    let events = "";
    child.stdio[3].setEncoding("utf8").on("data", (text) => {
      events += text;
      for (const line of events.split("\n").slice(0, -1)) {
        const event = JSON.parse(line);
        if (event.event === "listen" && event.socket === "http") resolve(event.port);
      }
    });
    child.on("exit", (status) => reject(new Error(`workerd ended (${status}): ${output.join("")}`)));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    pid: child.pid,
    /** Everything that was printed. */
    output: () => output.join(""),
    /** The log's records, once there are at least so many of them, or `enough` says so. */
    async records(enough = 1) {
      const suffices = typeof enough === "number" ? (records) => records.length >= enough : enough;
      for (let tries = 0; ; tries++) {
        const records = output.join("").split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
        if (suffices(records) || tries > 100) return records;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async stop() {
      child.removeAllListeners("exit");
      const ended = new Promise((resolve) => child.on("exit", resolve));
      child.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

/**
 * A caller in the same process, who leaves after 150 ms where a request says so: the runtime then cancels the relay's
 * work for it, as Cloudflare's does for a browser that goes away. (workerd by itself serves such a request to its end.)
 */
const FRONT = `export default {
  fetch(request, env) {
    const answer = env.RELAY.fetch(request);
    if (!request.headers.has("x-leave")) return answer;
    answer.catch(() => {});
    return new Promise((resolve) => setTimeout(() => resolve(new Response("gone", { status: 299 })), 150));
  },
};`;

/** What says who somebody is: it has the claims, and the number of its calls. */
const identities = (body) => `import { WorkerEntrypoint } from "cloudflare:workers";
let calls = 0;
export default class extends WorkerEntrypoint {
  async getIdentity() {
    const { aud, jwtClaims: claims } = this.ctx.props;
    calls += 1;
    ${body}
  }
}`;

function capnp(relay, secrets, stored, front, collector, colo, bound, platform, tls) {
  const text = (value) => JSON.stringify(value);
  const bindings = [
    ...(relay === undefined ? [] : [`(name = "RELAY", json = ${text(JSON.stringify(relay))})`]),
    ...Object.entries(secrets).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`),
    ...Object.keys(bound).map((name) => `(name = ${text(name)}, service = ${text(`bound-${name}`)})`),
    ...Object.keys(stored).map((name) => `(name = ${text(name)}, service = (name = "store", entrypoint = ${text(name)}))`),
  ];
  const store = Object.entries(stored).map(([name, value]) => `export class ${name} extends WorkerEntrypoint { async get() { ${value} } }`);
  const storeModule = [`import { WorkerEntrypoint } from "cloudflare:workers";`, ...store, "export default {};"].join("\n");
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "front", worker = (
      modules = [(name = "front.js", esModule = ${text(FRONT)})],
      compatibilityDate = "2026-10-20",
      bindings = [(name = "RELAY", service = "relay")],
    )),
    (name = "relay", worker = (
      modules = [
        (name = "index.js", esModule = embed "index.js"),
        (name = "before.js", esModule = embed "before.js"),
        (name = "relay.js", esModule = embed "relay.js"),
        (name = "index_bg.wasm", wasm = embed "/index_bg.wasm"),
        (name = "trap.wasm", wasm = embed "trap.wasm"),
      ],
      compatibilityDate = "2026-10-20",
      bindings = [${bindings.join(", ")}],
      globalOutbound = "${colo ? "colo" : "network"}",
      ${platform === undefined ? "" : `accessBlobHeader = "MF-Access-Blob", accessBindingService = "identities",`}
    )),
    ${platform === undefined ? "" : `(name = "identities", worker = (modules = [(name = "identities.js", esModule = ${text(identities(platform))})], compatibilityDate = "2026-10-20")),`}
    ${Object.entries(bound).map(([name, script]) => `(name = ${text(`bound-${name}`)}, worker = (modules = [(name = "bound.js", esModule = ${text(script)})], compatibilityDate = "2026-10-20")),`).join("\n    ")}
    ${colo ? `(name = "colo", external = (address = ${text(colo)}, http = (cfBlobHeader = "cf-blob"))),` : ""}
    (name = "store", worker = (
      modules = [(name = "store.js", esModule = ${text(storeModule)})],
      compatibilityDate = "2026-10-20",
    )),
    (name = "network", network = (allow = ["private", "public"])),
  ],
  v8Flags = [${collector ? '"--expose-gc"' : ""}],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (${tls ? `forwardedProtoHeader = "X-Forwarded-Proto"` : ""}), service = "${front ? "front" : "relay"}")],
);
`;
}
