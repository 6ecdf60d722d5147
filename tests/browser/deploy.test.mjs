// `wrangler deploy` from a clone, without the upload: what `access-relay check` refuses is not deployed.

import assert from "node:assert/strict";
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../scripts/tools.mjs";
import { begin, makeFolder } from "../support/processes.mjs";

const template = readFileSync(join(root, "wrangler.toml"), "utf8");
const values = { "<page host>": "app.acme.internal", "<zone>": "acme.internal", "<team>": "mine", "<AUD tag of the page>": "0f1e2d3c4b5a6978".repeat(4), "<API host>": "api.other.internal" };
const filledIn = Object.entries(values).reduce((text, [placeholder, value]) => text.replaceAll(placeholder, value), template);

/** A clone with this configuration: its scripts, and what they build, are ours. */
function clone(text) {
  const folder = makeFolder({ "wrangler.toml": text });
  for (const name of ["scripts", "build"]) symlinkSync(join(root, name), join(folder, name));
  return folder;
}

async function run(folder, ...words) {
  const command = begin(words[0], words.slice(1), folder);
  const status = await command.ended;
  return { status, output: command.output() };
}

for (const [command, text, code] of [
  [["deploy"], template, "relay::access.issuer"],
  [["versions", "upload"], filledIn.replace("https://api.other", "http://api.other"), "relay::routes.upstream"],
  [["deploy"], `${filledIn}\n[cache]\nenabled = true\n`, "wrangler::cache"],
  [["deploy", "--env", "staging"], `${filledIn}\n[env.staging]\nroutes = ["staging.acme.internal/api*"]\n`, "wrangler::not_inherited"],
]) {
  test(`wrangler ${command.join(" ")} ends where the check finds ${code}`, async () => {
    const folder = clone(text);
    const { status, output } = await run(folder, "wrangler", ...command, "--dry-run", "--outdir", "uploaded");
    assert.equal(status, 1, output);
    assert.ok(output.includes(`error[${code}]: `), output);
    assert.match(output, /wrangler\.toml is not deployed as it is/);
    assert.ok(!existsSync(join(folder, "uploaded")), "nothing would be uploaded");
  });
}

test("what it does not refuse is deployed", async () => {
  const folder = clone(filledIn);
  const { status, output } = await run(folder, "wrangler", "deploy", "--dry-run", "--outdir", "uploaded");
  assert.equal(status, 0, output);
  assert.match(output, /wrangler\.toml: \[vars\.RELAY\] is sound[^]*env\.RELAY/);
  assert.ok(existsSync(join(folder, "uploaded", "index.js")));
});

test("a clone that is not filled in can be built, and says what is left", async () => {
  const { status, output } = await run(clone(template), "node", "scripts/build.mjs");
  assert.equal(status, 0, output);
  assert.ok(output.includes("error[wrangler::placeholder]: routes[0].pattern"), output);
});
