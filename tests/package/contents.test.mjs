// What is in the package, and what is not.

import assert from "node:assert/strict";
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../scripts/tools.mjs";
import { filesOf, unpack } from "../support/unpacked.mjs";

const folder = unpack();
const files = filesOf(folder);
const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

test("it holds what users need, and nothing of the repository's own", () => {
  const expected = /^(package\.json|(README|CHANGELOG|SECURITY)\.md|docs\/[\w-]+\.md|LICENSE(-MIT|-APACHE)?|build\/(index(_bg)?|companion(_bg)?|schema(-bundled)?)\.(js|wasm|d\.ts|json)|cli\/\w+\.mjs|templates\/(route|assets|wrap|pages|vite)\/.+)$/;
  assert.deepEqual(files.filter((file) => !expected.test(file)), []);
  const needed = ["README.md", "SECURITY.md", "docs/configuration.md", "LICENSE", "LICENSE-MIT", "LICENSE-APACHE", "build/index.js", "build/index_bg.wasm", "build/index.d.ts", "build/schema.json", "build/schema-bundled.json", "cli/main.mjs"];
  assert.deepEqual(needed.filter((file) => !files.includes(file)), []);
  for (const form of ["route", "assets", "wrap", "pages", "vite"]) {
    for (const file of ["package.json", "README.md", ".dev.vars.example"]) assert.ok(files.includes(`templates/${form}/${file}`), `${form}/${file}`);
  }
  assert.deepEqual(files.filter((file) => /node_modules|\.dev\.vars$|\.wrangler|package-lock|\.test\.|\.rs$|Cargo/.test(file)), []);
});

test("what ships is what was tested, byte for byte", () => {
  for (const file of files.filter((file) => file.startsWith("build/"))) {
    assert.ok(readFileSync(join(folder, file)).equals(readFileSync(join(root, file))), file);
  }
});

test("it brings no other package, and runs nothing when it is installed", () => {
  for (const key of ["dependencies", "optionalDependencies", "bundleDependencies"]) assert.equal(about[key], undefined, key);
  for (const script of ["preinstall", "install", "postinstall", "prepare"]) assert.equal(about.scripts[script], undefined, script);
  assert.deepEqual(about.peerDependencies, { wrangler: ">=4.30.0" });
  assert.equal(about.peerDependenciesMeta.wrangler.optional, true);
  assert.equal(about.private, undefined);
});

test("what package.json names is there, and the command can be run", () => {
  const named = [about.bin["access-relay"], ...Object.values(about.exports).flatMap((target) => (typeof target === "string" ? target : Object.values(target)))];
  for (const file of named) assert.ok(statSync(join(folder, file)).size > 0, file);
  accessSync(join(folder, about.bin["access-relay"]), constants.X_OK);
});

test("no path of the machine that built it is in it", () => {
  for (const file of files) {
    const text = readFileSync(join(folder, file), "latin1");
    for (const path of [root.slice(0, -1), homedir()]) {
      assert.ok(path === "/" || !text.includes(path), `${file} has ${path}`);
    }
  }
});
