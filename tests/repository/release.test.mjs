// A tag is released only if everything names its version.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { changes, mistakes, notes, versions } from "../../scripts/release.mjs";
import { root } from "../../scripts/tools.mjs";

const CHANGELOG = `# Changelog

## [Unreleased]

## [1.2.0] - 2026-01-02

### Added
- A thing: [its page](docs/thing.md), [its standard](https://example.com/).

## [1.1.0] - 2026-01-01
`;
const agreed = { "package.json": "1.2.0", "Cargo.toml": "1.2.0" };

test("every file names the same version", () => assert.equal(new Set(Object.values(versions())).size, 1, JSON.stringify(versions())));

test("CHANGELOG.md says what that version brings", () => {
  const [version] = Object.values(versions());
  assert.deepEqual(mistakes(`v${version}`, versions(), readFileSync(join(root, "CHANGELOG.md"), "utf8")), []);
});

test("a tag that everything names is sound", () => assert.deepEqual(mistakes("v1.2.0", agreed, CHANGELOG), []));

for (const [tag, found, message] of [
  ["1.2.0", agreed, /not 1\.2\.0/],
  ["v1.2.0-rc.1", agreed, /not v1\.2\.0-rc\.1/],
  [undefined, agreed, /not undefined/],
  ["v1.2.0", { ...agreed, "Cargo.toml": "1.1.0" }, /^Cargo\.toml says 1\.1\.0, the tag v1\.2\.0$/],
  ["v1.3.0", { "package.json": "1.3.0" }, /^CHANGELOG\.md has no section "## \[1\.3\.0\]"/],
  ["v1.1.0", { "package.json": "1.1.0" }, /or it is empty$/],
]) {
  test(`${tag} is refused: ${message.source}`, () => {
    const wrong = mistakes(tag, found, CHANGELOG);
    assert.equal(wrong.length, 1);
    assert.match(wrong[0], message);
  });
}

test("the notes are the version's section, with links that work elsewhere", () => {
  assert.equal(changes("1.2.0", CHANGELOG), "### Added\n- A thing: [its page](docs/thing.md), [its standard](https://example.com/).");
  assert.match(notes("v1.2.0", CHANGELOG, "https://host/owner/name"), /\[its page\]\(https:\/\/host\/owner\/name\/blob\/v1\.2\.0\/docs\/thing\.md\), \[its standard\]\(https:\/\/example\.com\/\)/);
});
