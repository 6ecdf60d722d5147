// One workerd process for each peer, and the CPU time that it has used.

import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

// The program itself: what npm puts into node_modules/.bin may be a script that starts it as a child.
const program = createRequire(import.meta.url)("workerd").default;

/**
 * Starts a Worker on a free port of 127.0.0.1.
 *
 * `modules` are copied into `folder` first, the main one first of all, so that a rebuild changes nothing under way.
 * Resolves to the process and its port.
 */
export function startWorkerd({ name, modules, bindings, compatibilityDate, folder, args = [] }) {
  mkdirSync(folder, { recursive: true });
  for (const { from, to } of modules) copyFileSync(from, join(folder, to));
  const config = join(folder, "config.capnp");
  writeFileSync(config, configuration(modules, bindings, compatibilityDate));

  const child = spawn(program, ["serve", config, "--control-fd=3", ...args], { stdio: ["ignore", "pipe", "pipe", "pipe"] });
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

function configuration(modules, bindings, compatibilityDate) {
  const text = JSON.stringify; // Cap'n Proto's strings are escaped as JSON's are.
  const modulesText = modules.map(({ to }) => `(name = ${text(to)}, ${to.endsWith(".wasm") ? "wasm" : "esModule"} = embed ${text(to)})`);
  const bindingsText = Object.entries(bindings).map(([name, value]) =>
    typeof value === "string" ? `(name = ${text(name)}, text = ${text(value)})` : `(name = ${text(name)}, json = ${text(text(value))})`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "internet", network = (allow = ["private", "public"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "worker")],
);

const worker :Workerd.Worker = (
  compatibilityDate = ${text(compatibilityDate)},
  globalOutbound = "internet",
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
