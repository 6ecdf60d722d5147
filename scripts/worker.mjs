// Builds the Worker as `wrangler deploy` uploads it, in build/: the one handler that the relay has, and only what it needs.
//
// worker-build's default entry wraps a WorkerEntrypoint class in two proxies, asked anew for each request, and exports
// classes of workers-rs that the relay never uses. Here the entry becomes a plain `{ fetch }`, which starts a fresh Wasm
// instance after a panic just as the default does; what nothing reaches any more is dropped.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, relative } from "node:path";
import { ask, bin, cargoBin, fail, installBuildTools, root, run, say } from "./tools.mjs";

/** The features that rustc's default target and wasm-bindgen use, so that no newer encoding is emitted. */
const features = ["mutable-globals", "sign-ext", "nontrapping-float-to-int", "bulk-memory", "multivalue", "reference-types", "exception-handling"]
  .map((feature) => `--enable-${feature}`);

/** The build helpers that worker-build would download. */
const HELPERS = { WASM_BINDGEN_BIN: join(cargoBin, "wasm-bindgen"), WASM_OPT_BIN: join(bin, "wasm-opt"), ESBUILD_BIN: join(bin, "esbuild") };

/**
 * How much LLVM inlines. By itself it would inline twice as much at the relay's own `opt-level`, for 6 KB more and a percent
 * of speed at most, and less at "s", in the dependencies: one limit holds for both. That for calls which are seldom made is
 * LLVM's own, for the first would replace it.
 */
const INLINING = ["inline-threshold=120", "inlinecold-threshold=45"].map((limit) => `-Cllvm-args=-${limit}`);

/** Installs what is missing, compiles, and leaves in build/ what ships. */
export function buildWorker() {
  installBuildTools();
  say("building the Worker");
  // No path of this machine goes into what ships.
  const cargoHome = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
  const remapped = [[cargoHome, "cargo"], [root, "access-relay/"]].map(([from, to]) => `--remap-path-prefix=${from}=${to}`);
  const flags = { CARGO_ENCODED_RUSTFLAGS: [...remapped, ...INLINING].join("\x1f") };
  // It is minified below.
  run("worker-build", ["--release"], { variables: { ...HELPERS, ...flags, NO_MINIFY: "1" } });
  ship();
}

/** Builds another Worker of workers-rs as worker-build does by itself. Returns the folder with the result. */
export function buildPlainly(folder) {
  say(`building ${relative(root, folder)}`);
  run("worker-build", ["--release"], { cwd: folder, variables: HELPERS });
  return join(folder, "build");
}

function ship() {
  const [script, wasm] = ["index.js", "index_bg.wasm"].map((file) => join(root, "build", file));

  const entry = plainEntry(readFileSync(script, "utf8"));
  const reached = bundle(script, entry, []);
  cut(wasm, (name) => reached.includes(`.${name}`));

  // Inlining, sharing subexpressions and leaving out zeros make it smaller, but not once it is compressed: repetition costs
  // nothing then. Done twice, it finds a little more. Nothing is kept in the first kilobyte, where the stack would end.
  const forCompression = ["-Oz", "-Oz", "--one-caller-inline-max-function-size=10", "--skip-pass=local-cse", "--skip-pass=memory-packing", "--low-memory-unused"];
  run("wasm-opt", [wasm, "-o", wasm, ...forCompression, "--strip-debug", ...features]);

  const imports = [...textOf(wasm).matchAll(/^ \(import "[^"]+" "([^"]+)"/gm)].map(([, name]) => name);
  bundle(script, keepProvided(entry, imports), ["--minify"]);
}

/** The entry that ships. */
const PLAIN = `
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

/**
 * How an exchange whose caller has gone is let go. A registry costs more for each than all else about it, and nearly all
 * are done before 64 more have begun: so each is held that long, and registered if it is still there then, with the
 * instance that it belongs to.
 */
const HOLDING = `
const recent = Array(64);
let begun = 0;
function hold(exchange) {
  const former = recent[begun % 64];
  recent[begun++ % 64] = exchange;
  if (former === undefined || former.__wbg_ptr === 0) return;
  former.registered = true;
  ExchangeFinalization.register(former, { ptr: former.__wbg_ptr, instance: former.__wbg_inst }, former);
}
function done(exchange) {
  if (exchange.registered) ExchangeFinalization.unregister(exchange);
}
`;

/** What changes in worker-build's script, in order. */
const CHANGES = [
  [/\nvar shim_default = new Proxy\(Entrypoint, classProxyHooks\);[\s\S]*$/, PLAIN + HOLDING],
  // Assignments to prototypes and registries are all that would keep the classes.
  [/\nvar Entrypoint = class[\s\S]*?(?=\nvar instanceProxyHooks)/, ""],
  [/\nif \(Symbol\.dispose\) .*/g, ""],
  [/typeof FinalizationRegistry === "undefined" \? \{[\s\S]*?\} : new /g, "/* @__PURE__ */ new "],
  [/\bExchangeFinalization\.register\(obj, \{ ptr, instance: __wbg_instance_id \}, obj\)/, "hold(obj)"],
  [/\bExchangeFinalization\.unregister\(this\)/, "done(this)"],
  // The same for whoever reads it, and quicker to write for each request.
  [/Object\.defineProperty\((\w+), "__wbg_inst", \{ value: (\w+), writable: true \}\)/g, "$1.__wbg_inst = $2"],
  // The runtime's own makes much more of each than a promise does.
  [/\bqueueMicrotask\((\w+)\);/, "Promise.resolve().then($1);"],
  // A longer text crosses quicker in one call than character by character: what is read to its end is all ASCII.
  [/\blet offset = 0;\n(?= +for \(; offset < len;)/, "let offset = len > 99 && cachedTextEncoder.encodeInto(arg, mem.subarray(ptr, ptr + len)).read === len ? len : 0;\n"],
  // The runtime has it.
  [/\nif \(!\("encodeInto" in \w+\)\) \{[\s\S]*?\n\}/, ""],
];

/** worker-build's script with a plain `{ fetch }` as its entry, and nothing that keeps its classes. */
function plainEntry(built) {
  const wanted = [/\nfunction relay\(/, /function checkReinitialize\(\)/, /function handleMaybeCritical\(/, ...CHANGES.map(([pattern]) => pattern)];
  const missing = wanted.filter((pattern) => built.search(pattern) < 0);
  if (missing.length > 0) fail(`worker-build's script has no ${missing.join(", no ")}: was worker-build updated?`);
  const changed = CHANGES.reduce((text, [pattern, by]) => text.replace(pattern, by), built);
  // Both that are left are ours: one that others register would be let go of twice.
  if (changed.match(/\bExchangeFinalization\.\w+\(/g).length !== 2) fail("worker-build's script registers exchanges elsewhere, too");
  return changed;
}

/** Bundles `text` into `script`, without what nothing reaches. Returns the result. */
function bundle(script, text, options) {
  writeFileSync(script, text);
  const external = ["--external:./index_bg.wasm", "--external:cloudflare:*"];
  run("esbuild", [script, "--bundle", "--format=esm", ...external, `--outfile=${script}`, "--allow-overwrite", "--log-level=warning", ...options]);
  return readFileSync(script, "utf8");
}

/**
 * What the Wasm has and never needs, and the optimiser cannot know it, for a table of functions refers to it: the names of
 * functions, and what is left of them. Once their exports are gone, nobody can call:
 * - what wasm-streams and the handler of worker-build's entry consist of, and what JavaScript's promise integration would need.
 *
 * Nobody reads:
 * - the messages of serde's errors (the relay words its own), which print floats and unexpected values;
 * - the text or the range that a panic over a slice quotes. It ends the request all the same.
 *
 * And std's own panic hook, with what it writes by, prints to a stderr that is not there; console_error_panic_hook takes
 * its place at the start.
 */
const NEVER_NEEDED = [
  ["[^\"\\n]*(?:wasm_streams|futures_util|_worker_fetch)[^\"\\n]*", "(unreachable)"],
  ["js_sys::futures::jspi::(?:spawn_promising|task_waker|SpawnedTask)[^\"\\n]*", "(unreachable)"],
  ["js_sys::futures::jspi::in_context[^\"\\n]*", "(i32.const 0)"], // false
  ["<f64 as core(?:\\[\\w+\\])?::fmt::Display>::fmt", "(i32.const 0)"], // Ok(())
  ["<(?:&str|&u64|&usize|core\\[\\w+\\]::ops::range::Range<usize>) as core\\[\\w+\\]::fmt::Debug>::fmt", "(i32.const 0)"],
  ["<serde_json::error::JsonUnexpected as core::fmt::Display>::fmt[^\"\\n]*", "(i32.const 0)"],
  ["<serde_core::de::(?:Unexpected|WithDecimalPoint) as core::fmt::Display>::fmt[^\"\\n]*", "(i32.const 0)"],
  ["<serde::private::de::content::ExpectedInSeq as serde_core::de::Expected>::fmt[^\"\\n]*", "(i32.const 0)"],
  ["std\\[\\w+\\]::panicking::default_hook", "(nop)"],
  ["<[^\"\\n]*std\\[\\w+\\]::io::(?:default_write_fmt::Adapter<[^\"\\n]*>|Write>::write(?:_all)?_(?:fmt|vectored))", "(unreachable)"],
  ["core\\[\\w+\\]::str::slice_error_fail_rt", "(unreachable)"],
];

/** Takes out of a Wasm file what is never needed: the exports that nothing names, and the bodies of those functions. */
function cut(wasm, named) {
  // Not wasm-metadce: its order of functions compresses worse by more than what it removes.
  let less = textOf(wasm);
  const traps = new Set();
  for (const [name, body] of NEVER_NEEDED) {
    const definition = new RegExp(`^( \\(func \\$"?${name}"? [^\\n]*\\n)[\\s\\S]*?^ \\)\\n`, "gm");
    if (less.search(definition) < 0) fail(`the Wasm has no ${name}: let scripts/worker.mjs forget about it`);
    less = less.replace(definition, (_, head) => {
      if (body === "(unreachable)") traps.add(nameOf(head));
      return `${head}  ${body}\n )\n`;
    });
  }
  less = less.replace(/^ \(export "([^"]+)" .*\n/gm, (line, name) => (named(name) ? line : ""));
  // Identical functions are merged under the name of any of them: it must not be one of these.
  const reached = reachable(less).filter((name) => traps.has(name) && !name.includes("slice_error_fail"));
  if (reached.length > 0) fail(`the Wasm calls what scripts/worker.mjs takes for never needed: ${reached}`);
  writeFileSync(`${wasm}.wat`, alikeTogether(less));
  run("wasm-as", [`${wasm}.wat`, "-o", wasm, "-g", ...features]);
  rmSync(`${wasm}.wat`);
}

/** The functions of a Wasm's text. */
const FUNCTIONS = /^ \(func \$[^\n]*\n[\s\S]*?^ \)\n/gm;

/**
 * Puts functions that are alike one after the other, for compression finds only what is close by: that saves a kilobyte.
 * The longest is first. The next is always the one that has most in common with those before it, for its length: runs of
 * three lines, of which those that few functions have count more, and so do those in functions close by.
 */
function alikeTogether(text) {
  const functions = text.match(FUNCTIONS).map((body) => {
    const lines = body.split(/\n\s*/).slice(1).filter((line) => line.length > 1);
    return { body, runs: new Set(lines.map((_, at) => lines.slice(at, at + 3).join())), likeness: 0 };
  });
  const having = new Map(functions.flatMap(({ runs }) => [...runs]).map((run) => [run, []]));
  for (const one of functions) for (const run of one.runs) having.get(run).push(one);

  const score = ({ likeness, runs }) => likeness / (runs.size + 5);
  const left = functions.toSorted((a, b) => b.body.length - a.body.length);
  const order = [];
  while (left.length > 0) {
    const next = left.sort((a, b) => score(b) - score(a)).shift();
    order.push(next.body);
    for (const one of left) one.likeness *= 0.65;
    for (const run of next.runs) {
      const others = having.get(run);
      for (const one of others) one.likeness += 1 / Math.log2(1 + others.length);
    }
  }
  return text.replace(FUNCTIONS, () => order.shift());
}

/** The name in ` (func $name …` or ` (func $"name" …`. */
const nameOf = (line) => line.match(/\$(?:"([^"]+)"|([^\s()]+))/).slice(1).find(Boolean);

/** The functions that the exports call, and what those call, but for calls by way of the table. */
function reachable(text) {
  const bodies = new Map(Array.from(text.matchAll(FUNCTIONS), ([body]) => [nameOf(body), body]));
  const reached = new Set();
  const look = Array.from(text.matchAll(/^ \(export "[^"]+" \(func [^\n]+/gm), ([line]) => nameOf(line));
  while (look.length > 0) {
    const name = look.pop();
    if (reached.has(name)) continue;
    reached.add(name);
    look.push(...Array.from(bodies.get(name)?.matchAll(/\(call \$[^\n]+/g) ?? [], ([call]) => nameOf(call)));
  }
  return [...reached];
}

function textOf(wasm) {
  return ask("wasm-dis", [wasm, "-o", "-", ...features]) ?? fail(`wasm-dis cannot read ${wasm}`);
}

/** Takes functions that the Wasm does not import out of the script that provides them. */
function keepProvided(script, imports) {
  return script.replace(/^( +)(__wb\w+): function\(.*\) \{\n[\s\S]*?^\1\},?\n/gm, (lines, _, name) => (imports.includes(name) ? lines : ""));
}
