// Builds the Worker as `wrangler deploy` uploads it, in build/: the one handler that the relay has, and only what it needs.
//
// worker-build's default entry wraps a WorkerEntrypoint class in two proxies, asked anew for each request, and exports
// classes of workers-rs that the relay never uses. Here the entry becomes a plain `{ fetch }`, which starts a fresh Wasm
// instance after a panic just as the default does; what nothing reaches any more is dropped.

import { readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { bin, cargoBin, fail, installBuildTools, root, run, say } from "./tools.mjs";

/** The features that rustc's default target and wasm-bindgen use, so that no newer encoding is emitted. */
const features = ["mutable-globals", "sign-ext", "nontrapping-float-to-int", "bulk-memory", "multivalue", "reference-types", "exception-handling"]
  .map((feature) => `--enable-${feature}`);

/** Installs what is missing, compiles, and leaves in build/ what ships. */
export function buildWorker() {
  installBuildTools();
  say("building the Worker");
  // No path of this machine goes into what ships; and less inlining than even opt-level "z" does, for its size.
  const cargoHome = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
  const remapped = [[cargoHome, "cargo"], [root, "access-relay/"]].map(([from, to]) => `--remap-path-prefix=${from}=${to}`);
  run("worker-build", ["--release"], {
    variables: {
      CARGO_ENCODED_RUSTFLAGS: [...remapped, "-Cllvm-args=-inline-threshold=5"].join("\x1f"),
      WASM_BINDGEN_BIN: join(cargoBin, "wasm-bindgen"),
      ESBUILD_BIN: join(bin, "esbuild"),
      NO_MINIFY: "1", // it is minified below
    },
  });
  ship();
}

function ship() {
  const [script, wasm] = ["index.js", "index_bg.wasm"].map((file) => join(root, "build", file));

  const built = readFileSync(script, "utf8");
  const handler = built.match(/Entrypoint\.prototype\.fetch = function \w*\(arg\) \{\s*return (\w+)\.call\(/)?.[1];
  const exports = built.match(/\nvar shim_default = new Proxy\(Entrypoint, classProxyHooks\);[\s\S]*$/)?.[0];
  if (!handler || !exports || !built.includes("function checkReinitialize()") || !built.includes("function handleMaybeCritical(")) {
    fail("worker-build's output is not the one that scripts/worker.mjs knows: was worker-build updated?");
  }
  const plain = `
export default {
  fetch(request, env, context) {
    checkReinitialize();
    try {
      return ${handler}(request, env, context);
    } catch (error) {
      handleMaybeCritical(error);
      throw error;
    }
  },
};
`;
  // Assignments to prototypes are all that would keep the classes.
  const cut = built
    .replace(exports, () => plain)
    .replace(/\nvar Entrypoint = class[\s\S]*?(?=\nvar instanceProxyHooks)/, "")
    .replace(/\nif \(Symbol\.dispose\) .*/g, "");
  writeFileSync(script, cut);
  run("esbuild", [script, "--bundle", "--minify", "--format=esm", "--external:./index_bg.wasm", "--external:cloudflare:*", `--outfile=${script}`, "--allow-overwrite", "--log-level=warning"]);

  // Inlining and sharing subexpressions make it smaller, but not once it is compressed: repetition costs nothing then.
  const forCompression = ["-Oz", "--one-caller-inline-max-function-size=10", "--skip-pass=local-cse", "--skip-pass=simplify-locals"];
  run("wasm-opt", [wasm, "-o", wasm, ...forCompression, "--strip-debug", ...features]);
}
