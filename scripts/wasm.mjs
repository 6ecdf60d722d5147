// From a crate to Wasm and the script that calls it: cargo, the wasm-bindgen CLI, binaryen, each as its documentation has it.

import { readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fail, root, run } from "./tools.mjs";

/** The features of rustc's default target for Wasm, and those that wasm-bindgen uses: no newer encoding is emitted. */
const FEATURES = ["mutable-globals", "sign-ext", "nontrapping-float-to-int", "bulk-memory", "multivalue", "reference-types", "exception-handling"]
  .map((feature) => `--enable-${feature}`);

/** Compiles a crate, and leaves its Wasm and its script, by the crate's name, in `folder`. */
export function compileWasm(crate, folder, options = []) {
  run("cargo", ["build", "--release", "--locked", "--package", crate, "--target", "wasm32-unknown-unknown"], {
    variables: { CARGO_ENCODED_RUSTFLAGS: rustFlags() },
  });
  const compiled = join("target", "wasm32-unknown-unknown", "release", `${crate.replaceAll("-", "_")}.wasm`);
  run("wasm-bindgen", [compiled, "--target=web", "--no-typescript", `--out-dir=${folder}`, ...options]);
}

/**
 * Makes Wasm smaller. A large function stays by itself though only one other calls it: V8 compiles a function when it is first called, so
 * what the first request does not need costs it nothing (2 ms of its 45, by V8's `--trace-wasm-compilation-times`).
 */
export function optimize(from, to) {
  const inlined = "--one-caller-inline-max-function-size=150";
  run("wasm-opt", [from, "-o", to, "-Oz", inlined, "--strip-debug", "--strip-producers", ...FEATURES]);
}

/** Leaves out of Wasm what these exports, and the ones that wasm-bindgen's script needs, do not reach. */
export function withExports(from, to, names) {
  const module = new WebAssembly.Module(readFileSync(join(root, from)));
  const kept = WebAssembly.Module.exports(module).map(({ name }) => name).filter((name) => name.startsWith("__") || name === "memory" || names.includes(name));
  const missing = names.filter((name) => !kept.includes(name));
  if (missing.length > 0) fail(`${from} has no ${missing.join(", ")}`);
  const graph = join(root, `${to}.json`);
  writeFileSync(graph, JSON.stringify([{ name: "outside", root: true, reaches: kept }, ...kept.map((name) => ({ name, export: name }))]));
  run("wasm-metadce", [from, "-o", to, "--graph-file", graph, "--quiet", ...FEATURES], { stdio: ["ignore", "ignore", "inherit"] });
}

/** The caller's own, and no path of this machine in what ships. */
function rustFlags() {
  const { CARGO_ENCODED_RUSTFLAGS, RUSTFLAGS, CARGO_HOME = join(homedir(), ".cargo") } = process.env;
  const given = CARGO_ENCODED_RUSTFLAGS?.split("\x1f") ?? RUSTFLAGS?.split(/\s+/) ?? [];
  const remapped = [[CARGO_HOME, "cargo"], [root, "access-relay/"]].map(([from, to]) => `--remap-path-prefix=${from}=${to}`);
  return [...given.filter(Boolean), ...remapped].join("\x1f");
}
