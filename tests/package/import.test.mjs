// `access-relay import`, as it ships: files in, tables out.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../scripts/tools.mjs";
import { makeFolder } from "../support/processes.mjs";
import { commandOf, textIn, unpack } from "../support/unpacked.mjs";

const unpacked = unpack();
const relay = commandOf(unpacked);
const sample = (file) => readFileSync(join(root, "companion", "tests", "samples", file), "utf8");
const samples = Object.fromEntries(["access-app.json", "fusionauth.json", "terraform-show.json", "terraform-v4.tf"].map((file) => [file, sample(file)]));
const here = makeFolder(samples);

const rest = `workers_dev = false
preview_urls = false
[vars.RELAY.access]
issuer = "https://acme.cloudflareaccess.com"
audience = ["4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2"]
`;
const route = `[[vars.RELAY.routes]]
path = "/api"
upstream = "https://api.example.com"
`;

test("what it prints can be checked, and deployed", async () => {
  for (const [words, status, needed] of [
    [["fusionauth.json"], 0, route],
    [["terraform-show.json", "--name", "Example API"], 0, ""],
    [["access-app.json"], 1, ""],
    [["terraform-v4.tf"], 1, ""],
  ]) {
    const { status: seen, out, err } = await relay(here, "import", ...words);
    assert.equal(seen, status, words.join(" "));
    assert.equal(err === "", status === 0, err);
    assert.ok(err.split("\n").filter(Boolean).every((line) => line.startsWith(`${words[0]}: error: cors.`)), err);
    assert.match(out, /^# Imported from "[^]*\[vars\.RELAY\.cors\]\n/);
    const folder = makeFolder({ "wrangler.toml": rest + needed + out });
    const checked = await relay(folder, "check", "--json");
    const [{ sound, mistakes, warnings }] = JSON.parse(checked.out).files;
    assert.deepEqual([checked.status, sound, mistakes], [0, ["[vars.RELAY] is sound: 1 route; it needs the secrets CF_ACCESS_CLIENT_ID, CF_ACCESS_CLIENT_SECRET"], []]);
    assert.deepEqual(warnings.map(({ code }) => code), ["wrangler::example"], "the samples have the hosts of examples, and nothing else is to be said");
  }
});

test("the example of the docs is what it prints", async () => {
  const [, example] = textIn(unpacked, join("docs", "cors.md")).match(/import fusionauth\.json\n```\n\n```toml\n([^]*?)```/);
  const { out } = await relay(here, "import", "fusionauth.json");
  assert.ok(out.includes(example), out);
});

test("it tells the same as JSON, and as a wrangler.jsonc has it", async () => {
  const { status, out, err } = await relay(here, "import", "access-app.json", "--json");
  assert.deepEqual([status, err], [1, ""]);
  const { text, notes, mistakes } = JSON.parse(out);
  const plain = await relay(here, "import", "access-app.json");
  assert.equal(`${text.trimEnd()}\n`, plain.out);
  assert.ok(notes.length > 0 && mistakes.length === 1);
  const jsonc = await relay(here, "import", "fusionauth.json", "--jsonc");
  const folder = makeFolder({ "wrangler.jsonc": jsonc.out });
  const [{ mistakes: errors }] = JSON.parse((await relay(folder, "check", "--json")).out).files;
  assert.deepEqual(errors.map(({ path }) => path), ["vars.RELAY.access", "vars.RELAY.routes"], "what the file does not say is missing, and nothing else is wrong");
});

test("it reads what another command prints", () => {
  const args = [join(unpacked, "cli", "main.mjs"), "import", "-"];
  assert.match(execFileSync(process.execPath, args, { input: samples["fusionauth.json"], encoding: "utf8" }), /allowed_methods = \["PUT"/);
});

test("what it cannot read, or cannot tell, ends with 2", async () => {
  const deep = (letters, count) => letters.repeat(count);
  const folder = makeFolder({
    ...samples,
    "cors.yml": "http:\n",
    "large.json": deep(" ", 10_000_000),
    "deep.json": deep("[", 100_000),
    // An odd quotation mark in a comment hides brackets from the first look.
    "hidden.jsonc": `// "\n${deep("[", 500)}${deep("]", 500)}`,
    "hidden.tf": `# "\nx = ${deep("[", 50_000)}`,
    "deep.tf": `resource "cloudflare_access_application" "a" {\n  x = ${deep("[", 63)}1${deep("]", 63)}\n}\n`,
  });
  for (const [words, expected] of [
    [[], /^found no files; write one/],
    [["a", "b"], /^found 2 files; write one/],
    [["none.json"], /^none\.json: cannot be read \(ENOENT\)/],
    [["."], /cannot be read \(EISDIR\)/],
    [["terraform-show.json"], /^found several applications with a CORS policy; name one by --name:\n  "Example API", or /],
    [["fusionauth.json", "--from", "nginx"], /^--from: found "nginx"; write one of access, /],
    [["cors.yml"], /`yq -o=json FILE`/],
    [["large.json"], /^found 10000000 bytes; write 4194304 at most/],
    [["deep.json"], /more than 100 deep/],
    [["hidden.jsonc"], /found nothing of a kind|nesting|deep/],
    [["hidden.tf"], /nested levels/],
  ]) {
    const { status, out, err } = await relay(folder, "import", ...words);
    assert.equal(status, 2, `${words.join(" ")}: ${out}${err}`);
    assert.equal(out, "");
    assert.match(err, expected);
    assert.doesNotMatch(err, /\bat .*\.mjs|RuntimeError/);
    const told = await relay(folder, "import", ...words, "--json");
    assert.equal(told.status, 2);
    assert.ok(Array.isArray(JSON.parse(told.out).errors));
  }
  assert.equal((await relay(folder, "import", "deep.tf")).status, 0);
});
