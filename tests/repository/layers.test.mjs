// In each crate, `lib.rs` lists the modules, the lowest first, and a module uses only what is declared before it: no circle.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../scripts/tools.mjs";

/** Comments, and texts, in which a path is only mentioned. */
const MENTIONS = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|\br#"[\s\S]*?"#|(?:\bb)?"(?:[^"\\]|\\[\s\S])*"|(?:\bb)?'(?:[^'\\]|\\.)'/g;
const codeOf = (source) => source.replace(MENTIONS, "''");

/** The modules that a `lib.rs` declares, in order, those in blocks too: `syntax`, `syntax::text`. */
function declared(lib) {
  const [modules, folders] = [[], []];
  for (const [, name, opens] of codeOf(lib).matchAll(/\bmod (\w+)\s*([;{])|\}/g)) {
    if (name === undefined) folders.pop();
    else {
      modules.push([...folders, name].join("::"));
      if (opens === "{") folders.push(name);
    }
  }
  return modules;
}

/** The paths from `crate::` on that a module names: of `use crate::{a::b, c};`, and of `crate::a::b::call()`. */
function named(source, module) {
  const paths = [];
  const expand = (before, text) => {
    const group = text.match(/^([\w:]*?)(?:::)?\{([\s\S]*)\}$/);
    if (group === null) return paths.push([...before, ...text.split(/\s+as\s+/)[0].split("::")].map((part) => part.trim()).filter(Boolean));
    for (const part of partsOf(group[2])) expand([...before, ...group[1].split("::")], part);
  };
  for (const [, text] of codeOf(source).matchAll(/\b((?:crate|super|self)::(?:[\w:]+(?:::)?)?(?:\{(?:[^{}]|\{[^{}]*\})*\})?)/g)) expand([], text);
  const folder = module.split("::").slice(0, -1);
  return paths.map(([first, ...rest]) => (first === "crate" ? rest : first === "super" ? [...folder, ...rest] : [...module.split("::"), ...rest]));
}

/** What stands between the commas of a group, groups within it whole. */
function partsOf(text) {
  const parts = [""];
  let depth = 0;
  for (const letter of text) {
    depth += letter === "{" ? 1 : letter === "}" ? -1 : 0;
    if (letter === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += letter;
  }
  return parts.map((part) => part.trim()).filter(Boolean);
}

/** What goes up, or leads nowhere: `sources` are the texts of a crate by module, `lib.rs` among them under "". */
function faults(sources) {
  const modules = declared(sources[""]);
  const found = Object.keys(sources).filter((module) => module !== "" && !modules.includes(module)).map((module) => `${module} is not listed`);
  for (const module of modules.filter((module) => module in sources)) {
    for (const path of named(sources[module], module)) {
      const used = path.map((_, length) => path.slice(0, length + 1).join("::")).findLast((prefix) => modules.includes(prefix));
      if (used === undefined) found.push(`${module} uses ${path.join("::")}, which lib.rs does not list`);
      else if (used !== module && modules.indexOf(used) > modules.indexOf(module)) found.push(`${module} uses ${used}, which is declared after it`);
    }
  }
  return found;
}

/** The sources of a crate, but for programs, which may use all of it. */
function sourcesOf(crate) {
  const folder = join(root, crate, "src");
  const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith(".rs") && file !== "main.rs");
  const moduleOf = (file) => (file === "lib.rs" ? "" : file.slice(0, -".rs".length).replaceAll(/[\\/]/g, "::"));
  return Object.fromEntries(files.map((file) => [moduleOf(file), readFileSync(join(folder, file), "utf8")]));
}

for (const crate of ["core", "companion", "emulator", "."]) {
  test(`the modules of ${crate === "." ? "the Worker" : crate} use only what stands below them`, () => {
    const sources = sourcesOf(crate);
    assert.ok(Object.keys(sources).length > 3, "it reads them");
    assert.deepEqual(faults(sources), []);
  });
}

test("a use that goes up is seen, in whatever form it stands", () => {
  const lib = "pub mod low { pub mod first; pub mod second; }\npub mod high;";
  const sources = (low) => ({ "": lib, "low::first": low, "low::second": "", high: "use crate::low::{first::A, second};\nuse crate::low::first::B as C;" });
  assert.deepEqual(faults(sources('//! [`crate::high`]\n// crate::high\nconst TEXT: &str = "crate::high";')), []);
  for (const up of [
    "use crate::high::Thing;",
    "use crate::{low::first, high::{self, Thing}};",
    "pub use crate::high;",
    "fn f() { crate::high::call() }",
    "use super::second::Thing;",
    "const LONG: usize = crate::low::second::LONGEST;",
  ]) assert.notDeepEqual(faults(sources(up)), [], up);
  assert.equal(faults({ ...sources(""), unlisted: "" }).length, 1);
  assert.equal(faults(sources("use crate::nowhere::Thing;")).length, 1);
});
