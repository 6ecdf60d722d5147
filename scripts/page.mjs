// Builds the page "Why was I blocked?": static files in build/why/, which any web server can serve, and which open from a folder.

import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { installBuildTools, root, run, say } from "./tools.mjs";
import { compileWasm, optimize, withExports } from "./wasm.mjs";

/** What a visitor loads, gzipped as web servers send it. */
export const PAGE_LIMIT = 700_000;

/** What the page calls of the companion. The rest stays behind, a third of its weight. */
const CALLED = ["check_file", "explain_request", "har_redacted", "har_report", "judge", "redacted"];

export const pageFiles = ["index.html", "style.css", "page.js", "companion.js"];
const folder = join("build", "why");

export async function buildPage() {
  await installBuildTools();
  say('building the page "Why was I blocked?"');
  const glue = join("target", "wasm-bindgen-companion");
  compileWasm("access-relay-companion-wasm", glue);
  const [whole, part, small] = [join(glue, "access_relay_companion_wasm_bg.wasm"), join(glue, "page.wasm"), join(glue, "page_small.wasm")];
  withExports(whole, part, CALLED);
  // wasm-opt takes 15 seconds: not for the same bytes again.
  if (!isSame(part, `${part}.was`)) {
    optimize(part, small);
    copyFileSync(join(root, part), join(root, `${part}.was`));
  }

  rmSync(join(root, folder), { recursive: true, force: true });
  mkdirSync(join(root, folder), { recursive: true });
  const bundle = (file, to, options = []) => run("esbuild", [join("page", file), ...options, "--bundle", "--minify", "--format=iife", "--target=es2022", "--charset=utf8", "--log-level=warning", `--outfile=${to}`]);
  bundle("page.js", join(folder, "page.js"));
  const worker = join("target", "page-worker.js");
  // The script of wasm-bindgen names the place of its Wasm, and this worker is handed the bytes.
  bundle("worker.js", worker, ["--log-override:empty-import-meta=silent"]);
  // As a script, since the page may fetch nothing, and browsers start no worker from a file: the page makes it of this text.
  const wasm = gzipSync(readFileSync(join(root, small)), { level: 9 }).toString("base64");
  const parts = { worker: readFileSync(join(root, worker), "utf8"), wasm };
  writeFileSync(join(root, folder, "companion.js"), `globalThis.companion = ${JSON.stringify(parts)};\n`);
  for (const file of ["index.html", "style.css"]) copyFileSync(join(root, "page", file), join(root, folder, file));
}

/** What each file of the page weighs, gzipped. */
export const weights = () => pageFiles.map((file) => [file, gzipSync(readFileSync(join(root, folder, file)), { level: 9 }).length]);

function isSame(one, other) {
  const [a, b] = [one, other].map((file) => (statSync(join(root, file), { throwIfNoEntry: false }) ? readFileSync(join(root, file)) : undefined));
  return a !== undefined && b !== undefined && a.equals(b);
}

if (process.argv[1] === import.meta.filename) {
  await buildPage();
  for (const [file, size] of weights()) say(`${join(folder, file)}: ${size} bytes gzipped`);
}
