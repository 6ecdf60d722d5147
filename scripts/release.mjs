// `node scripts/release.mjs <tag> <address of the repository>`: checks that everything names the tag's version, and prints what
// CHANGELOG.md says of it.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fail, root } from "./tools.mjs";

/** The version, in each file that says it. */
export function versions() {
  const lock = JSON.parse(read("package-lock.json"));
  return {
    "package.json": JSON.parse(read("package.json")).version,
    "package-lock.json": lock.packages[""].version,
    "Cargo.toml": read("Cargo.toml").match(/^\[workspace\.package\]\nversion = "(.+)"$/m)[1],
  };
}

/** What keeps a tag from being a release. */
export function mistakes(tag, found, changelog) {
  // npm would want to know under which name a pre-release is to be installed.
  if (!/^v\d+\.\d+\.\d+$/.test(tag)) return [`the tag of a release is v<major>.<minor>.<patch>, not ${tag}`];
  const version = tag.slice(1);
  const others = Object.entries(found).filter(([, other]) => other !== version);
  const wrong = others.map(([file, other]) => `${file} says ${other}, the tag ${tag}`);
  return changes(version, changelog) ? wrong : [...wrong, `CHANGELOG.md has no section "## [${version}]", or it is empty`];
}

/** What the changelog says of a version, below the heading. */
export function changes(version, changelog) {
  const section = changelog.split(/^## /m).find((text) => text.startsWith(`[${version}]`));
  return section?.replace(/^.*/, "").trim();
}

/** The same for a page elsewhere: its links lead to the files of the tag, below the address of the repository. */
export function notes(tag, changelog, repository) {
  return changes(tag.slice(1), changelog).replace(/\]\((?!https?:|#)/g, `](${repository}/blob/${tag}/`);
}

function read(file) {
  return readFileSync(join(root, file), "utf8");
}

if (process.argv[1] === import.meta.filename) {
  const [tag, repository] = process.argv.slice(2);
  if (!repository) fail("which tag, of which repository? node scripts/release.mjs <tag> <address>");
  const changelog = read("CHANGELOG.md");
  const wrong = mistakes(tag, versions(), changelog);
  if (wrong.length > 0) fail(wrong.join("\n  "));
  process.stdout.write(`${notes(tag, changelog, repository)}\n`);
}
