// Builds the Worker as `wrangler deploy` uploads it, in build/: cargo, the wasm-bindgen CLI, esbuild, binaryen, each as its
// documentation has it.

import { homedir } from "node:os";
import { join } from "node:path";
import { installBuildTools, root, run, say } from "./tools.mjs";

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

  // As for runtimes without them: then nothing keeps the classes that the crate `worker` exports and nobody uses, a third of the
  // script. A promise that Rust awaits must settle, for nothing else frees what waits for it.
  const absent = ["--define:FinalizationRegistry=undefined", "--define:Symbol.dispose=undefined"];
  const external = ["--external:cloudflare:*", "--external:./index_bg.wasm"];
  run("esbuild", [join("src", "entry.js"), "--bundle", "--minify", "--format=esm", "--log-level=warning", ...external, ...absent, `--outfile=${join("build", "index.js")}`]);
  run("wasm-opt", [join(glue, "access_relay_bg.wasm"), "-o", join("build", "index_bg.wasm"), "-Oz", "--strip-debug", "--strip-producers", ...FEATURES]);
}

/** The caller's own, and no path of this machine in what ships. */
function rustFlags() {
  const { CARGO_ENCODED_RUSTFLAGS, RUSTFLAGS, CARGO_HOME = join(homedir(), ".cargo") } = process.env;
  const given = CARGO_ENCODED_RUSTFLAGS?.split("\x1f") ?? RUSTFLAGS?.split(/\s+/) ?? [];
  const remapped = [[CARGO_HOME, "cargo"], [root, "access-relay/"]].map(([from, to]) => `--remap-path-prefix=${from}=${to}`);
  return [...given.filter(Boolean), ...remapped].join("\x1f");
}
