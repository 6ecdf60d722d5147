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

/** Little inlining: more of it costs kilobytes, and gains a percent or two. And SHA-256 as a loop, which is as fast here. */
const COMPACT = ['--cfg=sha2_backend="soft"', '--cfg=sha2_backend_soft="compact"'];

/** Installs what is missing, compiles, and leaves in build/ what ships. */
export function buildWorker() {
  installBuildTools();
  say("building the Worker");
  // No path of this machine goes into what ships.
  const cargoHome = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
  const remapped = [[cargoHome, "cargo"], [root, "access-relay/"]].map(([from, to]) => `--remap-path-prefix=${from}=${to}`);
  run("worker-build", ["--release"], {
    variables: {
      CARGO_ENCODED_RUSTFLAGS: [...remapped, ...COMPACT].join("\x1f"),
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
 * What the Wasm has and never needs, and the optimiser cannot know it. The messages of serde's errors, which nobody reads
 * (the relay words its own), print floats and unexpected values: numbers in JSON are written another way. And std's own
 * panic hook prints to a stderr that is not there; console_error_panic_hook takes its place at the start. A text cut in the
 * middle of a character ends the request all the same, without the sentence that quotes the text.
 */
const NEVER_NEEDED = [
  ["<f64 as core(?:\\[\\w+\\])?::fmt::Display>::fmt", "(i32.const 0)"], // Ok(())
  ["<serde_json::error::JsonUnexpected as core::fmt::Display>::fmt[^\"]*", "(i32.const 0)"],
  ["<serde_core::de::Unexpected as core::fmt::Display>::fmt[^\"]*", "(i32.const 0)"],
  ["std\\[\\w+\\]::panicking::default_hook", "(nop)"],
  ["core\\[\\w+\\]::str::slice_error_fail_rt", "(unreachable)"],
];

/** Takes out of a Wasm file what is never needed: the exports that nothing names, and the bodies of those functions. */
function cut(wasm, named) {
  // Not wasm-metadce: its order of functions compresses worse by more than what it removes.
  let less = textOf(wasm);
  for (const [name, body] of NEVER_NEEDED) {
    const definition = new RegExp(`^( \\(func \\$"${name}" [^\\n]*\\n)[\\s\\S]*?^ \\)\\n`, "m");
    if (!definition.test(less)) fail(`the Wasm has no ${name}: let scripts/worker.mjs forget about it`);
    less = less.replace(definition, (_, head) => `${head}  ${body}\n )\n`);
  }
  less = less.replace(/^ \(export "([^"]+)" .*\n/gm, (line, name) => (named(name) ? line : ""));
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
