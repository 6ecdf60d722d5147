// `npm run mutants -- [--package core|companion] [--part rules] [--file '**/cors.rs'] [--shard k/n]`: changes one thing of the Rust
// at a time, and says which changes no test notices. tests/mutants.md has the figures, and explains what may stay unnoticed.
//
// cargo-mutants makes the changes, in a copy of the project. A part is a folder or a file of a package's src/. Its own tests try
// each mutant first, because they take a second; all tests of the package try those that are left, with few made-up inputs and then
// with all of them.

import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { ask, cargoBin, env, fail, installCargoTool, installRust, root, say } from "./tools.mjs";

/** What proptest makes up for a mutant at first. */
const FEW = { PROPTEST_CASES: "100" };

const results = join(root, "target", "mutants");
const tree = join(results, "tree");

/** Copies what git knows of, or could: the mutants' own tree, so that nobody edits or commits one. */
function copyTree() {
  const files = ask("git", ["ls-files", "--cached", "--others", "--exclude-standard"]).split("\n").filter((file) => existsSync(join(root, file)));
  const old = existsSync(tree) ? readdirSync(tree, { recursive: true }).filter((file) => statSync(join(tree, file)).isFile()) : [];
  const kept = new Set(files);
  for (const file of old) if (!kept.has(file)) rmSync(join(tree, file));
  for (const file of files) {
    const [from, to] = [join(root, file), join(tree, file)];
    // A file that has not changed keeps its time: Cargo compiles by times.
    if (existsSync(to) && readFileSync(from).equals(readFileSync(to))) continue;
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(from, to);
  }
}

/** The parts of a package: the folders and files of its src/, but for what only lists or starts the others. */
function partsOf(name) {
  const files = readdirSync(join(root, name, "src")).sort();
  return files.filter((file) => !/^(lib|main)\.rs$/.test(file) && (file.endsWith(".rs") || !file.includes("."))).map((file) => file.replace(".rs", ""));
}

/** Which tests are a part's own; all where none has its name. */
function ownTests(name, part) {
  if (name === "core") return [`${part}::`];
  return readdirSync(join(root, name, "tests")).some((file) => file.startsWith(part)) ? [part] : [];
}

/** Tries mutants with some of the tests; returns cargo-mutants' lists of what became of them. */
function tryMutants(name, label, mutants, tests, variables = {}) {
  const output = join(results, label);
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  const which = ["--package", `access-relay-${name}`, `--cargo-arg=--test=${name}`, ...mutants];
  const args = ["mutants", "--dir", tree, "--in-place", "--output", output, "--no-shuffle", "--colors", "never", ...which, "--", "--locked", ...tests];
  const { status } = spawnSync(join(cargoBin, "cargo-mutants"), args, { cwd: root, env: { ...env, CARGO_TARGET_DIR: join(results, "build"), ...variables }, stdio: "inherit" });
  // 2: some are missed; 3: some took too long. Both are results.
  if (![0, 2, 3].includes(status)) fail(`cargo-mutants ended with ${status}`);
  const list = (kind) => {
    const file = join(output, "mutants.out", `${kind}.txt`);
    return existsSync(file) ? readFileSync(file, "utf8").split("\n").filter((line) => line !== "") : [];
  };
  return { caught: list("caught"), timeout: list("timeout"), unviable: list("unviable"), missed: list("missed") };
}

/** The option that names one mutant, whatever its name has in it. */
const exactly = (mutant) => `--re=^${mutant.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}$`;

/** Tries a part's mutants, with more and more tests; returns how many became what, and those that nobody noticed. */
function tryPart(name, part, { file, shard }) {
  const folder = existsSync(join(root, name, "src", part));
  const files = `--file=${file ?? `${name}/src/${part}${folder ? "/**" : ".rs"}`}`;
  const own = ownTests(name, part);
  const rounds = [...(own.length > 0 ? [[own, FEW]] : []), [[], FEW], [[], {}]];
  const result = { part: `${name}/${part}`, tested: 0, caught: 0, timeout: 0, unviable: 0, missed: undefined };
  for (const [round, [tests, variables]] of rounds.entries()) {
    if (result.missed?.length === 0) break;
    const which = result.missed?.map(exactly) ?? (shard ? [`--shard=${shard}`, "--sharding=round-robin"] : []);
    const limit = round > 0 ? ["--baseline=skip", "--timeout=120"] : [];
    const found = tryMutants(name, `${name}-${part}-${round + 1}`, [files, ...limit, ...which], tests, variables);
    // Fields that are left out of a struct are tried whatever --re says.
    const left = result.missed && new Set(result.missed);
    for (const kind of ["caught", "timeout", "unviable"]) result[kind] += found[kind].filter((mutant) => left?.has(mutant) ?? true).length;
    if (round === 0) result.tested = Object.values(found).flat().length;
    result.missed = found.missed.filter((mutant) => left?.has(mutant) ?? true);
  }
  return result;
}

const { values } = parseArgs({ options: Object.fromEntries(["package", "part", "file", "shard"].map((name) => [name, { type: "string" }])) });
if (values.package !== undefined && !["core", "companion"].includes(values.package)) fail(`--package: found ${values.package}; write core or companion`);
if (values.shard !== undefined && !/^\d+\/[1-9]\d*$/.test(values.shard)) fail(`--shard: found ${values.shard}; write 0/10 for the first of ten`);
const parts = [values.package ?? ["core", "companion"]].flat().flatMap((name) => partsOf(name).map((part) => [name, part])).filter(([, part]) => [undefined, part].includes(values.part));
if (parts.length === 0) fail(`--part: found ${values.part}; write a folder or a file of src/, such as ${partsOf(values.package ?? "core").join(", ")}`);
if (values.file !== undefined && parts.length > 1) fail("--file: its part is missing; write --package and --part, too");
installRust();
await installCargoTool("cargo-mutants");
copyTree();
const done = parts.map(([name, part]) => {
  say(`mutants of ${name}/src/${part}`);
  const result = tryPart(name, part, values);
  writeFileSync(join(results, `${name}-${part}.json`), JSON.stringify(result, undefined, 1));
  return result;
});
for (const { part, missed, tested, ...counts } of done) {
  say(`${part}: ${tested} mutants; ${Object.entries(counts).map(([kind, count]) => `${count} ${kind}`).join(", ")}, ${missed.length} missed`);
  for (const mutant of missed) process.stdout.write(`  ${mutant}\n`);
}
