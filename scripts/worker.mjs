// Builds the Worker as `wrangler deploy` uploads it, in build/: the one handler that the relay has, and only what it needs.
//
// worker-build's default entry wraps a WorkerEntrypoint class in two proxies, asked anew for each request, and exports
// classes of workers-rs that the relay never uses. Here the entry becomes a plain `{ fetch }`, which starts a fresh Wasm
// instance after a panic just as the default does; what nothing reaches any more is dropped.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ask, bin, cargoBin, fail, installBuildTools, root, run, say } from "./tools.mjs";

/** The features that rustc's default target and wasm-bindgen use, so that no newer encoding is emitted. */
const features = ["mutable-globals", "sign-ext", "nontrapping-float-to-int", "bulk-memory", "multivalue", "reference-types", "exception-handling"]
  .map((feature) => `--enable-${feature}`);

/** Installs what is missing, compiles, and leaves in build/ what ships. */
export function buildWorker() {
  installBuildTools();
  say("building the Worker");
  // No path of this machine goes into what ships; and little inlining: more of it costs kilobytes, and gains a percent or two.
  const cargoHome = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
  const remapped = [[cargoHome, "cargo"], [root, "access-relay/"]].map(([from, to]) => `--remap-path-prefix=${from}=${to}`);
  run("worker-build", ["--release"], {
    variables: {
      CARGO_ENCODED_RUSTFLAGS: [...remapped, "-Cllvm-args=-inline-threshold=15"].join("\x1f"),
      WASM_BINDGEN_BIN: join(cargoBin, "wasm-bindgen"),
      ESBUILD_BIN: join(bin, "esbuild"),
      NO_MINIFY: "1", // it is minified below
    },
  });
  ship();
}

function ship() {
  const [script, wasm] = ["index.js", "index_bg.wasm"].map((file) => join(root, "build", file));

  const entry = plainEntry(readFileSync(script, "utf8"));
  const reached = bundle(script, entry, []);
  cut(wasm, (name) => reached.includes(`.${name}`));

  // Inlining and sharing subexpressions make it smaller, but not once it is compressed: repetition costs nothing then.
  const forCompression = ["-Oz", "--one-caller-inline-max-function-size=10", "--skip-pass=local-cse", "--skip-pass=simplify-locals"];
  run("wasm-opt", [wasm, "-o", wasm, ...forCompression, "--strip-debug", ...features]);

  const imports = [...textOf(wasm).matchAll(/^ \(import "[^"]+" "([^"]+)"/gm)].map(([, name]) => name);
  bundle(script, keepProvided(entry, imports), ["--minify"]);
}

/** worker-build's script with a plain `{ fetch }` as its entry, and nothing that keeps its classes. */
function plainEntry(built) {
  const exports = built.match(/\nvar shim_default = new Proxy\(Entrypoint, classProxyHooks\);[\s\S]*$/)?.[0];
  const relay = built.match(/\nfunction relay\(/);
  if (!relay || !exports || !built.includes("function checkReinitialize()") || !built.includes("function handleMaybeCritical(")) {
    fail("worker-build's output is not the one that scripts/worker.mjs knows: was worker-build updated?");
  }
  const plain = `
export default {
  fetch(request, env) {
    checkReinitialize();
    try {
      return relay(request, env);
    } catch (error) {
      handleMaybeCritical(error);
      throw error;
    }
  },
};
`;
  return built
    .replace(exports, () => plain)
    // Assignments to prototypes and registries are all that would keep the classes.
    .replace(/\nvar Entrypoint = class[\s\S]*?(?=\nvar instanceProxyHooks)/, "")
    .replace(/\nif \(Symbol\.dispose\) .*/g, "")
    .replace(/typeof FinalizationRegistry === "undefined" \? \{[\s\S]*?\} : new /g, "/* @__PURE__ */ new ")
    // The same for whoever reads it, and quicker to write for each request.
    .replace(/Object\.defineProperty\((\w+), "__wbg_inst", \{ value: (\w+), writable: true \}\)/g, "$1.__wbg_inst = $2")
    // The runtime has it.
    .replace(/\nif \(!\("encodeInto" in \w+\)\) \{[\s\S]*?\n\}/, "");
}

/** Bundles `text` into `script`, without what nothing reaches. Returns the result. */
function bundle(script, text, options) {
  writeFileSync(script, text);
  const external = ["--external:./index_bg.wasm", "--external:cloudflare:*"];
  run("esbuild", [script, "--bundle", "--format=esm", ...external, `--outfile=${script}`, "--allow-overwrite", "--log-level=warning", ...options]);
  return readFileSync(script, "utf8");
}

/**
 * Takes out of a Wasm file what is never used, as far as the optimiser cannot know it: the exports that nothing names,
 * and how a float is printed. That is 7 KB, compressed, for the messages of serde's errors, which nobody ever reads: the
 * relay words its own, and writes JSON numbers through serde_json, which does not print them this way.
 */
function cut(wasm, named) {
  // Not wasm-metadce: its order of functions compresses worse by more than what it removes.
  const printsFloat = /^( \(func \$"<f64 as core\[\w+\]::fmt::Display>::fmt" .*\(result i32\)\n)[\s\S]*?^ \)\n/m;
  const module = textOf(wasm);
  if (!printsFloat.test(module)) fail("the Wasm prints no float: let scripts/worker.mjs forget about it");
  const printsNothing = "  (i32.const 0)\n )\n"; // Ok(())
  const less = module
    .replace(printsFloat, (_, head) => head + printsNothing)
    .replace(/^ \(export "([^"]+)" .*\n/gm, (line, name) => (named(name) ? line : ""));
  writeFileSync(`${wasm}.wat`, less);
  run("wasm-as", [`${wasm}.wat`, "-o", wasm, "-g", ...features]);
  rmSync(`${wasm}.wat`);
}

function textOf(wasm) {
  return ask("wasm-dis", [wasm, "-o", "-", ...features]) ?? fail(`wasm-dis cannot read ${wasm}`);
}

/** Takes functions that the Wasm does not import out of the script that provides them. */
function keepProvided(script, imports) {
  return script.replace(/^( +)(__wb\w+): function\(.*\) \{\n[\s\S]*?^\1\},?\n/gm, (lines, _, name) => (imports.includes(name) ? lines : ""));
}
