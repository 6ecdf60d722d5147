// The set-up of `npm start`: the real thing with its real ports, the emulator, the demo, and the relay in `wrangler dev`.
//
// It builds the Worker anew, so no test that runs the build may run at the same time: `node --test --test-concurrency=1`.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { root } from "../../scripts/tools.mjs";

export const address = "http://app.example.localhost:8700";
export const handles = "http://127.0.0.1:8703";
export const ports = [8700, 8701, 8702, 8703, 8704, 8705, 8706];
export const person = "ada@example.com";

/** `npm start` without npm in between, so that the signal goes where a terminal would send it. */
export async function startEverything() {
  const child = spawn(process.execPath, ["scripts/start.mjs"], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "exit");
  // The test runner ends a file that takes too long by a signal; the set-up must not outlive it.
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => child.kill("SIGINT") && process.exit(1));
  let output = "";
  const ready = new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
        const announced = output.indexOf("access-relay is running");
        if (announced >= 0 && output.includes(address, announced)) resolve();
      });
    }
  });
  await Promise.race([ready, exited.then(() => Promise.reject(new Error(`npm start ended before it was ready:\n${output}`)))]);
  const interrupt = () => {
    child.kill("SIGINT");
    return exited;
  };
  return {
    output: () => output,
    interrupt,
    stop: () => (child.exitCode === null && child.signalCode === null ? interrupt() : undefined),
  };
}

export async function takenPorts() {
  const free = (port) =>
    new Promise((resolve) => {
      const server = createServer();
      server.once("error", () => resolve(false));
      server.listen({ port, host: "127.0.0.1" }, () => server.close(() => resolve(true)));
    });
  const taken = [];
  for (const port of ports) if (!(await free(port))) taken.push(port);
  return taken;
}
