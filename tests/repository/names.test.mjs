// The tests that the documents name are there.

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../scripts/tools.mjs";

const read = (file) => readFileSync(join(root, file), "utf8");

/** Where the tests are that a table names by their folder. */
const folders = { core: "tests/core/*.rs", workerd: "tests/workerd/*.test.mjs", browser: "tests/browser/*.test.mjs", package: "tests/package/*.test.mjs", companion: "companion/tests/*.rs" };

/** The tests in the last column of a page's tables whose header ends so. */
function proofsOf(page, heading) {
  const tables = read(page).split(/\n(?!\|)/).filter((text) => text.includes("|---"));
  const rows = tables.filter((table) => table.trim().split("\n")[0].endsWith(`| ${heading} |`)).flatMap((table) => table.trim().split("\n").slice(2));
  return rows.flatMap((row) => row.split(" | ").at(-1).replace(/ \|$/, "").split(", "));
}

for (const [page, heading, least] of [["SECURITY.md", "proven by", 80], ["docs/threat-model.md", "shown by", 30]]) {
  test(`every test that ${page} names is there`, () => {
    const proofs = proofsOf(page, heading);
    assert.ok(proofs.length >= least, `${proofs.length} proofs`);
    const missing = proofs.filter((name) => {
      if (name === "soak") return !existsSync(join(root, "soak", "soak.mjs"));
      const [folder, ...file] = name.split("/");
      return !(folder in folders) || !existsSync(join(root, folders[folder].replace("*", file.join("/"))));
    });
    assert.deepEqual(missing, []);
  });
}

test("the folders of tests/core are those of core/src, and each file is declared", () => {
  const declared = read("tests/core/main.rs");
  for (const folder of readdirSync(join(root, "core", "src"), { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    const files = readdirSync(join(root, "tests", "core", folder.name));
    assert.ok(files.length > 0, folder.name);
    for (const file of files) assert.match(declared, new RegExp(`mod ${folder.name} \\{[^}]*\\bmod ${file.slice(0, -3)};`), `${folder.name}/${file}`);
  }
});
