// Builds the Worker as `wrangler deploy` uploads it, in build/: cargo, the wasm-bindgen CLI, esbuild, binaryen, each as its
// documentation has it.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ask, fail, installBuildTools, root, run, say } from "./tools.mjs";

/** The features of rustc's default target for Wasm, and those that wasm-bindgen uses: no newer encoding is emitted. */
const FEATURES = ["mutable-globals", "sign-ext", "nontrapping-float-to-int", "bulk-memory", "multivalue", "reference-types", "exception-handling"]
  .map((feature) => `--enable-${feature}`);

/** Installs what is missing, compiles, and leaves in build/ what ships. */
export async function buildWorker() {
  await installBuildTools();
  say("building the Worker");
  run("cargo", ["build", "--release", "--locked", "--package", "access-relay", "--target", "wasm32-unknown-unknown"], {
    variables: { CARGO_ENCODED_RUSTFLAGS: rustFlags() },
  });
  // src/entry.js imports the script that this leaves, and src/border.rs says where that finds the scripts it imports.
  const glue = join("target", "wasm-bindgen");
  const compiled = join("target", "wasm32-unknown-unknown", "release", "access_relay.wasm");
  // Panics abort: the flag has the script see it, and begin a new instance with the next request.
  run("wasm-bindgen", [compiled, "--target=web", "--no-typescript", "--force-enable-abort-handler", `--out-dir=${glue}`]);

  mkdirSync(join(root, "build"), { recursive: true });
  const script = join("build", "index.js");
  // As for runtimes without them: then nothing keeps the classes that the crate `worker` exports and nobody uses. A promise that
  // Rust awaits must settle, for nothing else frees what waits for it.
  const absent = ["--define:FinalizationRegistry=undefined", "--define:Symbol.dispose=undefined"];
  const external = ["--external:cloudflare:*", "--external:./index_bg.wasm"];
  run("esbuild", [join("src", "entry.js"), "--bundle", "--minify", "--format=esm", "--log-level=warning", ...external, ...absent, `--outfile=${script}`]);
  optimise(join(glue, "access_relay_bg.wasm"), script, join("build", "index_bg.wasm"));
}

/** The caller's own, and no path of this machine in what ships. */
function rustFlags() {
  const { CARGO_ENCODED_RUSTFLAGS, RUSTFLAGS, CARGO_HOME = join(homedir(), ".cargo") } = process.env;
  const given = CARGO_ENCODED_RUSTFLAGS?.split("\x1f") ?? RUSTFLAGS?.split(/\s+/) ?? [];
  const remapped = [[CARGO_HOME, "cargo"], [root, "access-relay/"]].map(([from, to]) => `--remap-path-prefix=${from}=${to}`);
  return [...given.filter(Boolean), ...remapped].join("\x1f");
}

/**
 * Removes the exports that the script never mentions (the crate `worker` exports a class for each of its bindings) and what only they
 * use, 20 KB gzipped, and makes the rest small. If scripts should once be made otherwise, more is kept, not less.
 */
function optimise(wasm, script, out) {
  const text = readFileSync(join(root, script), "utf8");
  // By the project's own Node: older ones cannot read it.
  const listed = ask("node", ["-p", "JSON.stringify(WebAssembly.Module.exports(new WebAssembly.Module(fs.readFileSync(process.argv[1]))).map(({ name }) => name))", wasm]);
  const names = JSON.parse(listed ?? fail("Node 22 is missing in node_modules: run `npm rebuild node`"));
  const graph = names.map((name) => ({ name, export: name, ...(new RegExp(`\\b${name}\\b`).test(text) && { root: true }) }));
  const file = `${wasm}.graph.json`;
  writeFileSync(join(root, file), JSON.stringify(graph));
  run("wasm-metadce", [wasm, "-f", file, "-o", out, ...FEATURES], { stdio: ["ignore", "ignore", "inherit"] });
  run("wasm-opt", [out, "-o", out, "-Oz", "--strip-debug", "--strip-producers", ...FEATURES]);
}
