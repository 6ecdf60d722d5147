// `npm test`: everything, in one command. `npm test -- core workerd` runs a part of it.
//
// It installs what it needs (build tools, Chromium), prints what it runs, and ends at the first step that fails.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { fuzz } from "./fuzz.mjs";
import { fail, installBrowser, installCargoTool, installPackages, installRustComponents, installRustTargets, root, run, say } from "./tools.mjs";
import { buildWorker } from "./worker.mjs";

/**
 * What ships may weigh this much, JavaScript and Wasm gzipped together: 122 KB, and 27 KB for the rules about foreign pages,
 * answers, URLs and configurations that came after. The next goal is 100,000.
 */
const SIZE_LIMIT = 147 * 1024;

const steps = {
  /** What git may take and CI may run, formatting, lints on the host and on Wasm, what may be in the dependency tree. */
  lint() {
    runNodeTests("repository");
    installRustComponents();
    run("cargo", ["fmt", "--all", "--check"]);
    run("cargo", ["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]);
    run("cargo", ["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"]);
    run("cargo", ["clippy", "--package", "access-relay", "--package", "bench-workers-rs", "--target", "wasm32-unknown-unknown", "--locked", "--", "--deny", "warnings"]);
    installCargoTool("cargo-deny");
    for (const manifest of ["Cargo.toml", "fuzz/Cargo.toml"]) {
      run("cargo", ["deny", "--manifest-path", manifest, "--config", "deny.toml", "--log-level", "error", "check", "bans", "licenses", "sources"]);
    }
    say("advisories are checked in the public CI workflow: their database is not in a package registry");
  },

  /** The pure core and the emulator, natively. */
  core() {
    run("cargo", ["test", "--workspace", "--locked", "--quiet"]);
  },

  /** What strangers write, made up by libFuzzer, for a bounded time. */
  fuzz() {
    fuzz(10);
  },

  /** The Wasm that ships: its size, and its behaviour in workerd. */
  workerd() {
    prepareWorker();
    const bytes = ["index.js", "index_bg.wasm"].map((file) => gzipSync(readFileSync(join(root, "build", file)), { level: 9 }).length);
    const total = bytes.reduce((sum, size) => sum + size, 0);
    say(`what ships: ${total} bytes gzipped (JavaScript ${bytes[0]}, Wasm ${bytes[1]}), at most ${SIZE_LIMIT}`);
    if (total > SIZE_LIMIT) fail("what ships has become too large");
    runNodeTests("workerd");
  },

  /** Real Chromium against the set-up of `npm start`, with real `wrangler dev`; and what `wrangler deploy` would upload. */
  browser() {
    prepareWorker();
    run("wrangler", ["deploy", "--dry-run", "--outdir", "dist"]);
    const chromium = installBrowser();
    runNodeTests("browser", chromium ? { CHROMIUM: chromium } : {});
  },
};

let prepared = false;
function prepareWorker() {
  if (prepared) return;
  prepared = true;
  buildWorker();
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

installPackages();
installRustTargets();
for (const [name, step] of Object.entries(steps)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  say(`test: ${name}`);
  step();
}
say("everything passed");
