// Commands that run beside a test, each in a process group of its own, so that what it starts ends with it; and folders outside the
// repository. None of them outlives the tests.

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { env } from "../../scripts/tools.mjs";

const [groups, folders] = [new Set(), new Set()];
process.on("exit", () => {
  for (const group of groups) signal(group, "SIGKILL");
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
});
// The test runner ends a file that takes too long by a signal.
for (const name of ["SIGINT", "SIGTERM"]) process.once(name, () => process.exit(1));

/** A folder with these files, outside the repository. */
export function makeFolder(files = {}) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "access-relay-package-")));
  folders.add(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** The environment of a user's commands: nothing asks a person, and nothing of an `npm test` around us passes for the project's own. */
export const variables = { ...Object.fromEntries(Object.entries(env).filter(([name]) => !/^(npm_(lifecycle|package|command|config_local_prefix)|INIT_CWD)/.test(name))), CI: "1", NO_COLOR: "1" };

/** Starts a command: `ended` (its exit status), `output()` so far, and `stop()`. */
export function begin(command, args, cwd, env = variables) {
  const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => output.push(text));
  child.on("error", (error) => output.push(error.message));
  if (child.pid !== undefined) groups.add(child.pid);
  // Its output closes with the last process that writes to it, which need not be the first one of the group.
  const ended = new Promise((resolve) => child.on("close", resolve)).finally(() => groups.delete(child.pid));
  return {
    ended,
    output: () => output.join(""),
    async stop() {
      signal(child.pid, "SIGTERM");
      const impatient = setTimeout(signal, 5_000, child.pid, "SIGKILL");
      await ended;
      clearTimeout(impatient);
    },
  };
}

/** A port of 127.0.0.1 that nobody has. */
export function freePort() {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen({ port: 0, host: "127.0.0.1" }, () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Sends a signal to what is left of a process group. */
function signal(group, name) {
  try {
    process.kill(-group, name);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}
