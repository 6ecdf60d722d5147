// What the documents name is there: files that they link to, sections, and the tests that prove a promise.

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { ask, root } from "../../scripts/tools.mjs";

const read = (file) => readFileSync(join(root, file), "utf8");
const pages = ask("git", ["ls-files", "*.md"]).split("\n");

/** The anchors of a page, as GitHub makes them of its headings. */
const anchorsOf = (page) => [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, title]) => title.toLowerCase().replace(/[^\w\- ]/g, "").replaceAll(" ", "-"));

test("every link of a page leads to a file, and to a section that is there", () => {
  const broken = [];
  for (const page of pages) {
    for (const [, target] of read(page).matchAll(/\]\((?!https?:|#)([^)\s]+)\)/g)) {
      const [path, anchor] = target.split("#");
      const file = join(dirname(page), path);
      if (!existsSync(join(root, file))) broken.push(`${page}: ${target}`);
      else if (anchor && file.endsWith(".md") && !anchorsOf(file).includes(anchor)) broken.push(`${page}: ${target} has no such section`);
    }
  }
  assert.ok(pages.length > 10, "it reads them");
  assert.deepEqual(broken, []);
});

test("every test that SECURITY.md names is there", () => {
  const tests = [...read("SECURITY.md").matchAll(/^\|.*\| (\S.*?) \|$/gm)].slice(1).flatMap(([, names]) => names.split(", "));
  const proofs = tests.filter((name) => /^(core|workerd|browser|package)\//.test(name));
  assert.ok(proofs.length > 30, `${proofs.length} proofs`);
  const missing = proofs.filter((name) => ![`tests/${name}.rs`, `tests/${name}.test.mjs`].some((file) => existsSync(join(root, file))));
  assert.deepEqual(missing, []);
});

test("the folders of tests/core are those of core/src, and each file is declared", () => {
  const declared = read("tests/core/main.rs");
  for (const folder of readdirSync(join(root, "core", "src"), { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    const files = readdirSync(join(root, "tests", "core", folder.name));
    assert.ok(files.length > 0, folder.name);
    for (const file of files) assert.match(declared, new RegExp(`mod ${folder.name} \\{[^}]*\\bmod ${file.slice(0, -3)};`), `${folder.name}/${file}`);
  }
});
