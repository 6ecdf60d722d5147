// Every link of every page that is committed leads somewhere: to a file that is committed, and to a section that the page has.
//
// Nothing is fetched here, so whether an address on the web still answers is not checked: only that it is one, and https.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { test } from "node:test";
import { ask, root } from "../../scripts/tools.mjs";
import { anchorsOf, linksOf } from "../support/markdown.mjs";

const read = (file) => readFileSync(join(root, file), "utf8");
const committed = new Set(ask("git", ["ls-files"]).split("\n"));
const pages = [...committed].filter((file) => file.endsWith(".md"));
const folders = new Set([...committed].flatMap((file) => file.split("/").slice(0, -1).map((_, depth, names) => names.slice(0, depth + 1).join("/"))));

/** What `npm pack` takes along, by what package.json lists; README.md and package.json always. */
const listed = JSON.parse(read("package.json")).files;
const packed = (file) =>
  ["README.md", "package.json"].includes(file) || listed.some((entry) => (entry.endsWith("/") ? file.startsWith(entry) : glob(entry).test(file)));
const glob = (entry) => new RegExp(`^${entry.replace(/[.+]/g, "\\$&").replaceAll("*", "[^/]*")}$`);

/** What is wrong with a link of a page, or nothing. `text` is the page's. */
function mistake(page, text, target) {
  if (/^[a-z][a-z\d+.-]*:/i.test(target)) return external(target);
  if (target.startsWith("//") || target.startsWith("/")) return "begins with a slash: GitHub and npm take it for something else";
  const [path, anchor, ...more] = target.split("#");
  if (more.length > 0 || anchor === "") return "has a # too much";
  const file = path === "" ? page : posix.normalize(posix.join(posix.dirname(page), path));
  if (!committed.has(file) && !folders.has(file.replace(/\/$/, ""))) return "leads to nothing that is committed";
  if (anchor === undefined) return undefined;
  if (file.endsWith(".md")) return anchorsOf(path === "" ? text : read(file)).has(anchor) ? undefined : `${file} has no section #${anchor}`;
  return `${file} is no page, so it has no section`;
}

/** The same of an address on the web. */
function external(target) {
  let url;
  try {
    url = new URL(target);
  } catch {
    return "is no address";
  }
  if (url.protocol !== "https:") return "is not https";
  if (url.username || url.port || !/^([a-z\d-]+\.)+[a-z]{2,}$/.test(url.hostname)) return "names no public host";
  if (/[.,;:!?'"]$/.test(target)) return "ends with a mark of the sentence";
  return undefined;
}

const mistakes = (page, text) => linksOf(text).map(({ target, line }) => [target, line, mistake(page, text, target)]).filter(([, , wrong]) => wrong).map(([target, line, wrong]) => `${page}:${line}: ${target} ${wrong}`);

test("every link leads to a file that is committed, and to a section that is there", () => {
  const count = pages.reduce((sum, page) => sum + linksOf(read(page)).length, 0);
  assert.ok(pages.length > 25 && count > 150, `${count} links of ${pages.length} pages are read`);
  assert.deepEqual(pages.flatMap((page) => mistakes(page, read(page))), []);
});

test("a link of the package leads to a file of the package, or README.md says that it does not", () => {
  const inPackage = pages.filter(packed);
  assert.ok(inPackage.includes("docs/errors.md") && !inPackage.includes("CONTRIBUTING.md"), "it knows what is packed");
  const outside = [];
  for (const page of inPackage) {
    for (const { target, line } of linksOf(read(page))) {
      if (/^(https:|#)/.test(target)) continue;
      const file = posix.normalize(posix.join(posix.dirname(page), target.split("#")[0])).replace(/\/$/, "");
      if (!packed(file) && ![...committed].some((one) => one.startsWith(`${file}/`) && packed(one))) outside.push([`${page}:${line}`, file]);
    }
  }
  // A reader of the package lacks the source and what is made for a clone. The pages that tell how to use the relay are all there.
  const forAClone = /^(core|src|companion|tests|emulator|bench|soak|docs\/images|\.github)(\/|$)|^CONTRIBUTING\.md$/;
  assert.deepEqual(outside.filter(([, file]) => !forAClone.test(file)), []);
  assert.ok(outside.length > 0);
  assert.match(read("README.md"), /The npm package has these pages without the source code/);
});

test("what a page, a template or the command names in node_modules/access-relay/ is in the package", () => {
  const told = [...committed].filter((file) => file.endsWith(".md") || /^(templates|cli)\//.test(file) || /^companion\/src\/[\w/]+\.rs$/.test(file));
  const named = told.flatMap((file) => [...read(file).matchAll(/node_modules\/access-relay\/((?:[\w-]+\/)*[\w-]+\.\w+)/g)].map(([, path]) => [file, path]));
  assert.ok(named.length > 10, `${named.length} are named`);
  const built = /^build\//;
  assert.deepEqual(named.filter(([, path]) => !packed(path) || !(built.test(path) || committed.has(path))), []);
});

test("what the programs say of a page of docs/ is there", () => {
  const programs = [...committed].filter((file) => /^(cli|page|scripts|src|demo|templates|core\/src|companion\/src|emulator\/src|bench|soak)\/.*\.(mjs|js|rs|html|toml|jsonc|json)$/.test(file));
  const named = programs.flatMap((file) => [...read(file).matchAll(/\bdocs\/([\w-]+\.md)(?:#([\w-]+))?/g)].map(([, page, anchor]) => ({ file, page: `docs/${page}`, anchor })));
  assert.ok(named.length > 15, `${named.length} are named`);
  assert.deepEqual(named.filter(({ page, anchor }) => !committed.has(page) || (anchor && !anchorsOf(read(page)).has(anchor))), []);
});

test("the anchors are GitHub's", () => {
  const page = ["# The page: `a` and *b*!", "## A, b & c", "## Who [calls](x.md#y)?", "## Same", "## Same", "### same", "## Über_uns - 2", "```sh", "## no heading", "```", "    # nor this", "## `--json` ##"].join("\n");
  assert.deepEqual([...anchorsOf(page)], ["the-page-a-and-b", "a-b--c", "who-calls", "same", "same-1", "same-2", "über_uns---2", "--json"]);
});

test("a link that leads nowhere is found", () => {
  for (const [target, wrong] of [
    ["docs/errors.md#no-such-section", /has no section #no-such-section/],
    ["docs/errors.md#On-the-page", /has no section/],
    ["#no-such-heading", /has no section/],
    ["docs/Errors.md", /nothing that is committed/],
    ["docs/images/none.png", /nothing that is committed/],
    ["../outside.md", /nothing that is committed/],
    ["/docs/errors.md", /begins with a slash/],
    ["core/src/lib.rs#L5", /is no page/],
    ["docs/errors.md#", /# too much/],
    ["http://example.com/", /not https/],
    ["https://localhost/", /no public host/],
    ["https://example.com/page.", /mark of the sentence/],
    ["mailto:me@example.com", /not https/],
  ]) {
    for (const text of [`See [it](${target}).`, `![it](${target})`, `[it]: ${target}`]) {
      const found = mistakes("README.md", `# Here\n${text}`);
      assert.equal(found.length, 1, text);
      assert.match(found[0], wrong);
    }
  }
  for (const text of ["[it](docs/errors.md#on-the-page)", "[here](#here)", "[it](docs)", "<https://example.com/x>", "`[no](link.md)`", "```\n[no](link.md)\n```"]) {
    assert.deepEqual(mistakes("README.md", `# Here\n${text}`), [], text);
  }
});
