// The processes of the bench, beside its own: helpers that it sends messages to, and a workerd for each peer.

import { execFileSync, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { blobHeader } from "./traffic.mjs";

// The program itself: what npm puts into node_modules/.bin may be a script that starts it as a child.
const program = createRequire(import.meta.url)("workerd").default;

const children = [];

export function startHelper(file) {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)));
  children.push(child);
  return child;
}

/** A helper's answer to a message. */
export async function asked(helper, message) {
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

/**
 * Makes a Worker ready to start, as miniflare does: its configuration is compiled, so that workerd need not. `modules` are
 * copied into `folder` first, the main one first of all, so that a rebuild changes nothing under way. If there is a `cache`, a host
 * and port, all calls go there, and tell what they ask of Cloudflare's cache. With `platform`, the runtime vouches for callers.
 * Returns the files with the compiled configuration: the `config`, and the one with which V8 has a single thread (`steady`).
 */
export function prepareWorkerd({ folder, modules, ...worker }) {
  mkdirSync(folder, { recursive: true });
  for (const { from, to } of modules) copyFileSync(from, join(folder, to));
  const compiled = (name, flags) => {
    const [text, binary] = [".capnp", ".bin"].map((end) => join(folder, name + end));
    writeFileSync(text, configuration({ modules, flags, ...worker }));
    writeFileSync(binary, execFileSync(program, ["compile", "--config-only", text]));
    return binary;
  };
  return { config: compiled("config", []), steady: compiled("steady", ["--single-threaded"]) };
}

/** Starts a Worker on a free port of 127.0.0.1: the process, a promise of its port, and what it has said lately. `under` is a command that runs it. */
export function startWorkerd({ name, config, platform }, under = []) {
  const [command, ...words] = [...under, program, "serve", "--binary", config, "--control-fd=3", ...(platform ? ["--experimental"] : [])];
  const child = spawn(command, words, { stdio: ["ignore", "pipe", "pipe", "pipe"] });
  children.push(child);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      said = (said + text).slice(-4_000);
    });
  }
  const port = new Promise((resolve, reject) => {
    let control = "";
    child.stdio[3].setEncoding("utf8").on("data", (text) => {
      control += text;
      for (const line of control.split("\n").filter(Boolean)) {
        const message = parse(line);
        if (message?.event === "listen") resolve(message.port);
      }
    });
    child.on("error", reject);
    child.on("exit", (status, signal) => {
      reject(new Error(`workerd (${name}) ended (${signal ?? `exit status ${status}`})\n${said}`));
    });
  });
  port.catch(() => {}); // Whoever awaits it sees the error.
  return { child, port, said: () => said };
}

/** Ends a process. */
export async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** Ends whatever was started. */
export const endAll = () => Promise.allSettled(children.map(end));

/**
 * CPU time of a process so far in microseconds, user and system, all of its threads.
 *
 * The scheduler's own count has nanoseconds; without it /proc/<pid>/stat serves, in ticks of 10 ms.
 */
export function cpuMicroseconds(pid) {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const nanoseconds = threads.map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]));
    return nanoseconds.reduce((sum, thread) => sum + thread, 0) / 1000;
  } catch {
    // The program's name, in parentheses, may hold spaces.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").pop().split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  }
}

/** What says who somebody is, as miniflare has it. */
const IDENTITIES = `import { WorkerEntrypoint } from "cloudflare:workers";
export default class extends WorkerEntrypoint {
  async getIdentity() {
    return this.ctx.props.jwtClaims;
  }
}`;

function configuration({ modules, flags, bindings, compatibilityDate, cache, platform }) {
  const text = JSON.stringify; // Cap'n Proto's strings are escaped as JSON's are.
  const modulesText = modules.map(({ to }) => `(name = ${text(to)}, ${to.endsWith(".wasm") ? "wasm" : "esModule"} = embed ${text(to)})`);
  const bindingsText = Object.entries(bindings).map(([name, value]) =>
    typeof value === "string" ? `(name = ${text(name)}, text = ${text(value)})` : `(name = ${text(name)}, json = ${text(text(value))})`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "internet", ${cache ? `external = (address = ${text(cache)}, http = (cfBlobHeader = "cf-blob"))` : `network = (allow = ["private", "public"])`}),
    ${platform ? `(name = "identities", worker = (compatibilityDate = ${text(compatibilityDate)}, modules = [(name = "identities.js", esModule = ${text(IDENTITIES)})])),` : ""}
  ],
  v8Flags = [${flags.map(text).join(", ")}],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "worker")],
);

const worker :Workerd.Worker = (
  compatibilityDate = ${text(compatibilityDate)},
  globalOutbound = "internet",
  ${platform ? `accessBlobHeader = ${text(blobHeader)}, accessBindingService = "identities",` : ""}
  modules = [
    ${modulesText.join(",\n    ")},
  ],
  bindings = [
    ${bindingsText.join(",\n    ")},
  ],
);
`;
}

function parse(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // A line that has not arrived in whole.
  }
}
