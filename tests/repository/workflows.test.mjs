// What CI runs is named by commit, with its version beside it for the reader.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../scripts/tools.mjs";

const folder = join(root, ".github", "workflows");

for (const file of readdirSync(folder)) {
  test(`${file} pins every action`, () => {
    const uses = readFileSync(join(folder, file), "utf8").split("\n").filter((line) => /^\s*(- )?uses:/.test(line));
    assert.notEqual(uses.length, 0);
    for (const line of uses) assert.match(line, /uses: [\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });
}
