// The command's dealings with files, where nothing needs a disk: on Windows, too.

import assert from "node:assert/strict";
import { posix, win32 } from "node:path";
import { test } from "node:test";
import { scriptFrom, withLines, withMissing, withSlashes } from "../../cli/files.mjs";
import { ignored } from "../../cli/templates.mjs";
import { readTemplate } from "../support/project.mjs";

test("paths are written with slashes on every system", () => {
  assert.equal(withSlashes("functions\\api\\[[path]].ts", win32), "functions/api/[[path]].ts");
  assert.equal(withSlashes("functions/api/x", posix), "functions/api/x");
});

test("the script is found where Node would find the package", () => {
  const there = (...folders) => (file) => folders.some((folder) => file.startsWith(folder));
  for (const [project, isThere, path, expected] of [
    ["C:\\work\\app", there("C:\\work\\app\\node_modules"), win32, "node_modules/access-relay/build/index.js"],
    ["C:\\work\\packages\\app", there("C:\\work\\node_modules"), win32, "../../node_modules/access-relay/build/index.js"],
    ["C:\\work\\app", there(), win32, "node_modules/access-relay/build/index.js"],
    ["\\\\server\\share\\app", there(), win32, "node_modules/access-relay/build/index.js"],
    ["/work/app", there("/work/app/node_modules", "/node_modules"), posix, "node_modules/access-relay/build/index.js"],
    ["/work/packages/app", there("/work/node_modules"), posix, "../../node_modules/access-relay/build/index.js"],
    ["/", there(), posix, "node_modules/access-relay/build/index.js"],
  ]) {
    assert.equal(scriptFrom(project, isThere, path), expected, project);
  }
});

test("package.json gets what is missing, and keeps what is there", () => {
  const wanted = { name: "x", private: true, scripts: { dev: "wrangler dev", check: "access-relay check" }, dependencies: { "access-relay": "^0.1.0" }, devDependencies: { wrangler: "^4.156.0" } };
  const text = '{\n\t"scripts": { "dev": "vite" },\n\t"devDependencies": { "access-relay": "file:x.tgz" },\n\t"own": [1, 2]\n}\n';
  const project = withMissing(text, wanted, true);
  assert.deepEqual(project.added, [["scripts.check", "access-relay check"], ["devDependencies.wrangler", "^4.156.0"]]);
  assert.deepEqual(JSON.parse(project.text), {
    scripts: { dev: "vite", check: "access-relay check" },
    devDependencies: { "access-relay": "file:x.tgz", wrangler: "^4.156.0" },
    own: [1, 2],
  });
  assert.match(project.text, /^\{\n\t"scripts": \{\n\t\t"dev"/);
  // A new one becomes the template's.
  const fresh = JSON.parse(withMissing('{ "dependencies": { "access-relay": "file:x.tgz" } }', wanted, false).text);
  assert.deepEqual(fresh, { ...wanted, dependencies: { "access-relay": "file:x.tgz" } });
  assert.deepEqual(withMissing(JSON.stringify(wanted), wanted, true).added, []);
});

test(".gitignore gets the lines that are missing", () => {
  const wanted = ["node_modules/", ".dev.vars*"];
  for (const [text, expected, added] of [
    ["", "node_modules/\n.dev.vars*\n", wanted],
    ["dist", "dist\nnode_modules/\n.dev.vars*\n", wanted],
    ["node_modules\r\ndist\r\n", "node_modules\r\ndist\r\n.dev.vars*\r\n", [".dev.vars*"]],
    ["node_modules/\n.dev.vars*\n", "node_modules/\n.dev.vars*\n", []],
  ]) {
    assert.deepEqual(withLines(text, wanted), { text: expected, added: added.map((line) => [line]) });
  }
});

test("the .gitignore of each form is that of its template", () => {
  for (const form of ["route", "assets", "wrap", "pages", "vite"]) assert.equal(ignored(form), readTemplate(form, ".gitignore"), form);
});
