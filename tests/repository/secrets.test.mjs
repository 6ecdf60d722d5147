// What git must not take, and what it must.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "../../scripts/tools.mjs";

let folder;

// A repository of its own, so that neither the index nor the ignore rules of this machine have a say.
before(() => {
  folder = mkdtempSync(join(tmpdir(), "access-relay-ignored-"));
  copyFileSync(join(root, ".gitignore"), join(folder, ".gitignore"));
  assert.equal(git("init", "--quiet").status, 0);
});
after(() => rmSync(folder, { recursive: true, force: true }));

for (const path of [".dev.vars", ".dev.vars.staging", "bench/.dev.vars", "demo/.dev.vars.staging", "a/b/.dev.vars", ".env", ".env.local", "demo/.env", "a/b/.env.production"]) {
  test(`${path} is not committed by accident`, () => assert.equal(isIgnored(path), true));
}

for (const path of [".dev.vars.example", "a/.dev.vars.staging.example", ".env.example", "a/b/.env.local.example", "demo/.dev.vars", "scripts/env.mjs", "docs/dev.vars.md"]) {
  test(`${path} can be committed`, () => assert.equal(isIgnored(path), false));
}

function isIgnored(path) {
  const { status, stderr } = git("check-ignore", "--quiet", "--no-index", path);
  assert.ok(status === 0 || status === 1, stderr);
  return status === 0;
}

function git(...args) {
  const variables = { GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: join(folder, "none"), GIT_DIR: join(folder, ".git"), GIT_WORK_TREE: folder };
  return spawnSync("git", args, { cwd: folder, encoding: "utf8", env: { ...process.env, ...variables } });
}
