// `node scripts/sbom.mjs <file>`: writes down what the package is made of, as CycloneDX JSON (an SBOM).
//
// cargo itself says which crates it compiles into each Wasm: `cargo tree` turns on the features that `cargo build` does. Tools that
// read `cargo metadata`, as cargo-cyclonedx 0.5.9 does, also name what only tests turn on: rsa, rand and more, none of which ships.

import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ask, fail, root, run } from "./tools.mjs";

/** The crates that become the Wasm of the Worker, and of the companion. */
const WASM = ["access-relay", "access-relay-companion-wasm"];

/** The bill of materials, as CycloneDX 1.6 has it. */
export function sbom() {
  const npm = JSON.parse(read("package.json"));
  // There are none. The day there are, they ship, too.
  for (const key of ["dependencies", "optionalDependencies", "bundleDependencies"]) {
    if (npm[key]) fail(`package.json has ${key}: have scripts/sbom.mjs list them`);
  }
  const itself = { ...component("npm", npm), type: "application", purl: `pkg:npm/${npm.name}@${npm.version}` };
  const [std, list] = [standardLibrary(), publicSuffixList()];
  const crates = new Map();
  const compiled = WASM.map((name) => collect(name, crates));
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${randomUUID()}`,
    version: 1,
    metadata: { timestamp: new Date().toISOString(), component: itself },
    components: [std, list, ...[...crates.values()].map(({ crate }) => crate)],
    dependencies: [
      { ref: itself["bom-ref"], dependsOn: [...compiled, std["bom-ref"], list["bom-ref"]] },
      ...[...crates].map(([ref, { uses }]) => ({ ref, dependsOn: [...uses] })),
    ],
  };
}

/** Adds a crate and all that is compiled into it, which macros and build scripts are not. The reference of that crate. */
function collect(name, crates) {
  const selection = ["--package", name, "--target", "wasm32-unknown-unknown", "--edges", "normal,no-proc-macro"];
  const format = ["--prefix", "depth", "--format", "\t{p}\t{l}"];
  const { stdout } = run("cargo", ["tree", "--locked", ...selection, ...format], { stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" });
  const above = [];
  for (const line of stdout.trimEnd().split("\n")) {
    // As in "2	jwt-compact v0.8.0	Apache-2.0 (*)". With a star, what it uses stands where it was named first.
    const [, depth, name, version, license] = line.match(/^(\d+)\t(\S+) v(\S+).*?\t(.+?)(?: \(\*\))?$/);
    const crate = describe({ name, version, license });
    const ref = crate["bom-ref"];
    if (!crates.has(ref)) crates.set(ref, { crate, uses: new Set() });
    above.splice(Number(depth), Infinity, ref);
    if (above.length > 1) crates.get(above.at(-2)).uses.add(ref);
  }
  return above[0];
}

/** The project's own crates are in no registry, and have no checksum. */
function describe({ name, version, license }) {
  const locked = read("Cargo.lock").split("[[package]]").find((text) => text.includes(`\nname = "${name}"\nversion = "${version}"\n`));
  const checksum = locked.match(/^checksum = "(.+)"$/m)?.[1];
  const crate = component("cargo", { name, version, license: license.replaceAll("/", " OR ") });
  return checksum ? { ...crate, hashes: [{ alg: "SHA-256", content: checksum }], purl: `pkg:cargo/${name}@${encodeURIComponent(version)}` } : crate;
}

function standardLibrary() {
  const [, version] = ask("rustc", ["--version"]).split(" ");
  return { ...component("rust", { name: "std", version, license: "MIT OR Apache-2.0" }), cpe: `cpe:2.3:a:rust-lang:rust:${version}:*:*:*:*:*:*:*` };
}

/** Data, which the companion holds. The list has no versions; the crate it was taken from has. */
function publicSuffixList() {
  const [, version] = read("companion/src/suffixes.txt").match(/ the crate (psl \S+) has it/);
  return { ...component("data", { name: "public-suffix-list", version: version.replace(" ", "-"), license: "MPL-2.0" }), type: "data" };
}

function component(origin, { name, version, license }) {
  return { type: "library", "bom-ref": `${origin}:${name}@${version}`, name, version, licenses: [{ expression: license }] };
}

function read(file) {
  return readFileSync(join(root, file), "utf8");
}

if (process.argv[1] === import.meta.filename) {
  const [file] = process.argv.slice(2);
  if (!file) fail("say where it shall be written: node scripts/sbom.mjs <file>");
  writeFileSync(file, `${JSON.stringify(sbom(), undefined, 2)}\n`);
}
