// `npm test`: everything, in one command. `npm test -- core workerd` runs a part of it; the part `package` leaves
// what it has tested as access-relay-<version>.tgz.
//
// It installs what it needs (build tools, browsers), prints what it runs, and ends at the first step that fails.

import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { buildCompanion } from "./companion.mjs";
import { fuzz } from "./fuzz.mjs";
import { pack } from "./package.mjs";
import { fail, installBrowser, installCargoTool, installEngines, installPackages, installRust, installRustComponents, root, run, say } from "./tools.mjs";
import { buildWorker } from "./worker.mjs";

/** What ships may weigh this much, JavaScript and Wasm gzipped together: what it weighed when this was written, and 2 KB. */
const SIZE_LIMIT = 162_500;

/** The package, compressed as npm sends it: a second on a line of 10 Mbit/s. Most of it is the companion. */
const PACKAGE_LIMIT = 1_200_000;

/** How long each part takes on two cores, once its tools are installed. */
const TAKES = { lint: "a minute", core: "a minute", fuzz: "four minutes the first time, then one", workerd: "four minutes", browser: "ten minutes", package: "three minutes" };

const steps = {
  /** What git may take and CI may run, the layers, formatting, lints on the host and on Wasm, documentation, the dependency tree. */
  async lint() {
    runNodeTests("repository");
    installRustComponents();
    run("cargo", ["fmt", "--all", "--check"]);
    run("cargo", ["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]);
    run("cargo", ["clippy", "--all-targets", "--locked", "--", "--deny", "warnings"]);
    const worker = ["--package", "access-relay", "--package", "access-relay-companion-wasm", "--package", "bench-workers-rs", "--target", "wasm32-unknown-unknown"];
    run("cargo", ["clippy", ...worker, "--locked", "--", "--deny", "warnings"]);
    for (const packages of [[], worker]) run("cargo", ["doc", "--quiet", "--no-deps", "--locked", ...packages], { variables: { RUSTDOCFLAGS: "--deny warnings" } });
    await installCargoTool("cargo-deny");
    for (const manifest of ["Cargo.toml", "fuzz/Cargo.toml"]) {
      run("cargo", ["deny", "--manifest-path", manifest, "--config", "deny.toml", "--log-level", "error", "check", "bans", "licenses", "sources"]);
    }
    say("advisories are checked in the public CI workflow: their database is not in a package registry");
  },

  /** The pure core and the emulator, natively. */
  core() {
    run("cargo", ["test", "--locked", "--quiet"]);
  },

  /** What strangers write, made up by libFuzzer, for a bounded time. */
  fuzz() {
    fuzz(10);
  },

  /** The Wasm that ships: its size, and its behaviour in workerd. */
  async workerd() {
    await prepareWorker();
    const bytes = ["index.js", "index_bg.wasm"].map((file) => gzipSync(readFileSync(join(root, "build", file)), { level: 9 }).length);
    const total = bytes.reduce((sum, size) => sum + size, 0);
    say(`what ships: ${total} bytes gzipped (JavaScript ${bytes[0]}, Wasm ${bytes[1]}), at most ${SIZE_LIMIT}`);
    if (total > SIZE_LIMIT) fail("what ships has become too large");
    runNodeTests("workerd");
    tested = readFileSync(join(root, "build", "index_bg.wasm"));
  },

  /** Real browsers, and Chromium against the set-up of `npm start` with real `wrangler dev`; and what `wrangler deploy` would upload. */
  async browser() {
    await prepareWorker();
    const chromium = installBrowser();
    const { present, missing } = installEngines();
    for (const name of missing) say(`${name} is missing, and could not be installed: the browser tests run without it (docs/browsers.md says what they need)`);
    // Whoever names the engines wants them all: then a missing one is a failure.
    runNodeTests("browser", { ...(chromium ? { CHROMIUM: chromium } : {}), ENGINES: process.env.ENGINES ?? present.join(",") });
  },

  /** The package, as users install it: the command, the templates, local development. It holds what the steps before tested. */
  async package() {
    await prepareWorker();
    if (tested && !tested.equals(readFileSync(join(root, "build", "index_bg.wasm")))) fail("the Wasm has changed since it was tested");
    await buildCompanion();
    const size = statSync(pack()).size;
    say(`the package: ${size} bytes, at most ${PACKAGE_LIMIT}`);
    if (size > PACKAGE_LIMIT) fail("the package has become too large");
    runNodeTests("package");
  },
};

/** The Wasm that the part `workerd` has tested. */
let tested;

let prepared = false;
async function prepareWorker() {
  if (prepared) return;
  prepared = true;
  await buildWorker();
  run("cargo", ["build", "--quiet", "--locked", "--package", "access-emulator"]);
}

function runNodeTests(folder, variables = {}) {
  const files = readdirSync(join(root, "tests", folder)).filter((file) => file.endsWith(".test.mjs")).map((file) => join("tests", folder, file));
  // One file at a time: two cores serve the tests, the servers and the browser. A file that hangs is ended.
  run("node", ["--test", "--test-concurrency=1", "--test-timeout=300000", "--test-reporter=spec", ...files], { variables });
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in steps));
if (unknown.length > 0) fail(`there is no part called ${unknown.join(", ")}; the parts are ${Object.keys(steps).join(", ")}`);

installRust();
await installPackages();
for (const [name, step] of Object.entries(steps)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  say(`test: ${name} (takes ${TAKES[name]})`);
  await step();
}
say("everything passed");
