// `npm start`: the main job on this machine. Sets up what is missing, builds, and starts the emulator of Cloudflare
// Access, the demo's page and API, and the relay in `wrangler dev`. Ctrl-C ends all of it.

import { createServer } from "node:net";
import { join } from "node:path";
import { buildPage } from "./page.mjs";
import { env, fail, root, runBeside, say, start } from "./tools.mjs";
import { buildWorker } from "./worker.mjs";

const address = "http://app.example.localhost:8700";
const ports = {
  8700: "the application in front of the page (emulator)",
  8701: "the application in front of the API (emulator)",
  8702: "the team's domain (emulator)",
  8703: "the emulator's handles",
  8704: "the relay (wrangler dev)",
  8705: "the demo's page",
  8706: "the demo's API",
};

await namePortsThatAreTaken();
say("building the Access emulator");
await Promise.all([buildWorker(), runBeside("cargo", ["build", "--quiet", "--locked", "--package", "access-emulator"])]);
await buildPage();

const children = [];
let ending = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => end(0));

say("starting the emulator, the demo and wrangler dev");
launch("emulator", join(root, "target", "debug", "access-emulator"), []);
launch("demo", "node", ["demo/server.mjs"]);
launch("relay", "wrangler", ["dev", "--config", "demo/wrangler.toml", "--port", "8704", "--ip", "127.0.0.1", "--inspector-port", "0", "--show-interactive-dev-session=false"]);

await until(() => answers("http://127.0.0.1:8702/cdn-cgi/access/certs"), "the emulator");
await until(() => answers("http://127.0.0.1:8705/"), "the demo");
// A preflight that the policy allows: the relay logs no warning of it.
const preflight = { method: "OPTIONS", headers: { origin: "https://admin.example.com", "access-control-request-method": "PUT" } };
await until(() => answers("http://127.0.0.1:8704/api/notes", preflight), "wrangler dev");
process.stdout.write(`
  access-relay is running. Open

      \x1b[1m${address}\x1b[0m

  and log in with any address. Ctrl-C ends it. Use Chromium or Firefox: Safari and
  other WebKit browsers refuse the login's Secure cookie over http.

  When the calls work, break one thing: a button at

      ${address}/why/

  ends your session, refuses the token, or calls with a header that the policy
  lacks, and the page says what it was.

`);

/** Starts a part of the set-up in a process group of its own, so that its own children end with it. */
function launch(name, command, args) {
  const child = start(command, args, { stdio: ["ignore", "pipe", "pipe"], detached: true, env: { ...env, CI: "1" } });
  children.push(child);
  for (const stream of [child.stdout, child.stderr]) {
    let rest = "";
    stream.setEncoding("utf8").on("data", (text) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop();
      for (const line of lines) if (line.trim()) process.stdout.write(`\x1b[2m${name.padEnd(8)}\x1b[0m ${line}\n`);
    });
  }
  child.on("error", (error) => end(1, `${name} could not be started: ${error.message}`));
  child.on("exit", (status, signal) => end(1, `${name} ended (${signal ?? `exit status ${status}`})`));
}

function end(status, why) {
  if (ending) return;
  ending = true;
  if (why) process.stderr.write(`\x1b[31m✗\x1b[0m ${why}\n`);
  const signalAll = (signal) => {
    for (const { pid } of children) {
      try {
        process.kill(-pid, signal);
      } catch {
        // It has ended by itself.
      }
    }
  };
  signalAll("SIGTERM");
  const started = Date.now();
  setInterval(() => {
    const running = children.filter((child) => child.exitCode === null && child.signalCode === null);
    if (running.length === 0) process.exit(status);
    if (Date.now() - started > 5_000) {
      signalAll("SIGKILL");
      process.exit(status);
    }
  }, 50);
}

async function answers(url, options) {
  return fetch(url, { redirect: "manual", ...options }).then(() => true, () => false);
}

async function until(ready, what) {
  const deadline = Date.now() + 60_000;
  while (!(await ready())) {
    if (ending) return new Promise(() => {});
    if (Date.now() > deadline) end(1, `${what} did not start within a minute`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function namePortsThatAreTaken() {
  const taken = [];
  for (const [port, use] of Object.entries(ports)) {
    const free = await new Promise((resolve) => {
      const server = createServer();
      server.once("error", () => resolve(false));
      server.listen({ port: Number(port), host: "127.0.0.1" }, () => server.close(() => resolve(true)));
    });
    if (!free) taken.push(`port ${port} is taken; it is for ${use}`);
  }
  if (taken.length > 0) fail(`${taken.join("\n  ")}\n  End what listens there, then run this again.`);
}
