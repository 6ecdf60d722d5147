// `access-relay import`, as it ships: files in, tables out.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Refusal, replaceable } from "../../cli/files.mjs";
import { root } from "../../scripts/tools.mjs";
import { makeFolder } from "../support/processes.mjs";
import { commandOf, unpack } from "../support/unpacked.mjs";

const unpacked = unpack();
const relay = commandOf(unpacked);
const sample = (file) => readFileSync(join(root, "companion", "tests", "samples", file), "utf8");
const samples = Object.fromEntries(["access-app.json", "fusionauth.json", "terraform-show.json", "terraform-v4.tf"].map((file) => [file, sample(file)]));
const here = makeFolder(samples);

const rest = `workers_dev = false
preview_urls = false
[vars.RELAY.access]
issuer = "https://acme.cloudflareaccess.com"
audience = ["9c14c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2"]
`;
const route = `[[vars.RELAY.routes]]
path = "/api"
upstream = "https://api.initech.net"
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
    "cors.yml": "http:\n  a: [1\n",
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
    [["cors.yml"], /^line \d+, column \d+: not valid YAML: /],
    [["fusionauth.json", "--write"], /^found no wrangler\.json, wrangler\.jsonc, wrangler\.toml here; name a file with --to/],
    [["fusionauth.json", "--write", "--to", "none.toml"], /^none\.toml: cannot be used \(ENOENT\)/],
    [["fusionauth.json", "--write", "--jsonc"], /^--jsonc and --write: /],
    [["fusionauth.json", "--overwrite"], /^--overwrite is for --write; add that/],
    [["fusionauth.json", "--to", "x.toml"], /^--to is for --write; add that/],
    [["fusionauth.json", "--env", "x"], /^--env is for --write; add that/],
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

const SOUND = "[vars.RELAY] is sound: 1 route; it needs the secrets CF_ACCESS_CLIENT_ID, CF_ACCESS_CLIENT_SECRET";
const policy = `{ "name": "API", "cors_headers": { "allowed_origins": ["https://a.initech.net"], "allow_credentials": true, "max_age": 100000 } }`;
const tables = `
# Imported from "API".
[vars.RELAY.cors]
allowed_origins = ["https://a.initech.net"]
allow_credentials = true
# cors_headers.max_age is 100000, and the relay takes -1 to 86400.
max_age = 86400
`;
const note = "app.json: cors.max_age: cors_headers.max_age is 100000, and the relay takes -1 to 86400";

test("--write puts it into the file that wrangler reads, and keeps all the rest", async () => {
  const windows = `\ufeff# mine\n${rest}\n${route}`.replaceAll("\n", "\r\n");
  const folder = makeFolder({ "app.json": policy, "wrangler.toml": windows });
  chmodSync(join(folder, "wrangler.toml"), 0o640);
  assert.deepEqual(await relay(folder, "import", "app.json", "--write"), { status: 0, out: `wrangler.toml: put in: vars.RELAY.cors\n${note}\nwrangler.toml: ${SOUND}\n`, err: "" });
  const written = readFileSync(join(folder, "wrangler.toml"), "utf8");
  assert.equal(written, windows + tables.replaceAll("\n", "\r\n"));
  assert.equal(statSync(join(folder, "wrangler.toml")).mode & 0o777, 0o640);
  assert.deepEqual(readdirSync(folder).sort(), ["app.json", "wrangler.toml"], "nothing else is left");
  assert.deepEqual(await relay(folder, "check"), { status: 0, out: `wrangler.toml: ${SOUND}\n`, err: "" });
  // Once more, there is nothing to do; and another policy that is there needs a word.
  assert.deepEqual(await relay(folder, "import", "app.json", "--write"), { status: 0, out: `wrangler.toml: nothing was written: the file says all of it\n${note}\n`, err: "" });
  const other = written.replace("86400\r", "60\r");
  writeFileSync(join(folder, "wrangler.toml"), other);
  const refused = await relay(folder, "import", "app.json", "--write");
  assert.equal(refused.status, 1);
  assert.match(refused.err, /^wrangler\.toml: error: vars\.RELAY\.cors \(line 13\) is there already with allow_credentials \(line 15\), .*--overwrite.*Nothing was written\.\n$/);
  assert.equal(readFileSync(join(folder, "wrangler.toml"), "utf8"), other);
  const changed = await relay(folder, "import", "app.json", "--write", "--overwrite", "--json");
  assert.deepEqual([changed.status, changed.err], [0, ""]);
  const { file, written: isWritten, told, check } = JSON.parse(changed.out);
  assert.deepEqual([file, isWritten, told, check.mistakes], ["wrangler.toml", true, ["changed: vars.RELAY.cors.max_age (line 17) was 60, and is 86400"], []]);
  assert.equal(readFileSync(join(folder, "wrangler.toml"), "utf8"), written);
});

test("--write knows JSON with comments, another file, an environment, and input", async () => {
  const json = (relay) => `{\n  // mine\n  "workers_dev": false, "preview_urls": false,\n  "env": { "staging": { "vars": {\n    "RELAY": {\n${relay}\n    }\n  } } },\n  "vars": { "RELAY": {\n${needed} } },\n}\n`;
  const needed = `      "access": { "issuer": "https://acme.cloudflareaccess.com", "audience": ["9c14c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2"] },\n      "routes": [{ "path": "/api", "upstream": "https://api.initech.net" }]`;
  const cors = `      // Imported from "API".\n      "cors": {\n        "allowed_origins": ["https://a.initech.net"],\n        "allow_credentials": true,\n        // cors_headers.max_age is 100000, and the relay takes -1 to 86400.\n        "max_age": 86400\n      }`;
  const folder = makeFolder({ "other.jsonc": json(needed), "wrangler.toml": "x = 1\n" });
  const args = [join(unpacked, "cli", "main.mjs"), "import", "-", "--write", "--to", "other.jsonc", "--env", "staging"];
  const out = execFileSync(process.execPath, args, { input: policy, cwd: folder, encoding: "utf8" });
  assert.match(out, /^other\.jsonc: put in: env\.staging\.vars\.RELAY\.cors\n/);
  assert.equal(readFileSync(join(folder, "other.jsonc"), "utf8"), json(`${needed},\n${cors}`));
  assert.equal(readFileSync(join(folder, "wrangler.toml"), "utf8"), "x = 1\n");
});

test("--write leaves alone what it cannot write well", async () => {
  const withoutOrigins = `{ "name": "API", "cors_headers": { "allow_credentials": true } }`;
  for (const { content, words = [], app = policy, status, expected } of [
    { content: "a = \n", status: 2, expected: /^wrangler\.toml:1:5: not valid TOML: / },
    { content: Buffer.from([0x61, 0x3d, 0x22, 0xff, 0x22, 0x0a]), status: 2, expected: /^wrangler\.toml: found bytes that are no UTF-8; mend them first\n$/ },
    { content: rest + route, words: ["--env", "none"], status: 2, expected: /^wrangler\.toml: found no environment "none"; name one that is there\n$/ },
    { content: "vars = 1\n", status: 1, expected: /^wrangler\.toml: error: vars \(line 1\) is no table; make it one first\. Nothing was written\.\n$/ },
    { content: rest + route, app: withoutOrigins, status: 1, expected: /found no origin[^]*wrangler\.toml: error: the result would not pass `access-relay check`\. Nothing was written\.\n$/ },
  ]) {
    const folder = makeFolder({ "app.json": app });
    writeFileSync(join(folder, "wrangler.toml"), content);
    const seen = await relay(folder, "import", "app.json", "--write", ...words);
    assert.equal(seen.status, status, seen.err);
    assert.match(seen.err, expected);
    assert.deepEqual(readFileSync(join(folder, "wrangler.toml")), Buffer.from(content));
  }
  // A link leads to a file that somebody may not have in mind.
  const folder = makeFolder({ "app.json": policy, "real.toml": rest + route });
  symlinkSync("real.toml", join(folder, "wrangler.toml"));
  const linked = await relay(folder, "import", "app.json", "--write");
  assert.deepEqual(linked, { status: 2, out: "", err: "wrangler.toml: found a link; name the file that it leads to\n" });
  assert.equal(readFileSync(join(folder, "real.toml"), "utf8"), rest + route);
  assert.equal((await relay(folder, "import", "app.json", "--write", "--to", "real.toml")).status, 0);
  assert.equal(readFileSync(join(folder, "real.toml"), "utf8"), rest + route + tables);
});

test("what somebody else has written in the meantime is not lost, and nothing is left beside it", () => {
  const folder = makeFolder({ "wrangler.toml": "a = 1\n" });
  const path = join(folder, "wrangler.toml");
  const { text, replace } = replaceable(path);
  assert.equal(text, "a = 1\n");
  writeFileSync(path, "a = 2\n");
  assert.throws(() => replace("a = 3\n"), (error) => error instanceof Refusal && /somebody else has written it in the meantime; run this again$/.test(error.message));
  assert.equal(readFileSync(path, "utf8"), "a = 2\n");
  replaceable(path).replace("a = 4\n");
  assert.equal(readFileSync(path, "utf8"), "a = 4\n");
  // What stands in the way of the file beside it is somebody's own, too.
  writeFileSync(`${path}.${process.pid}.tmp`, "mine");
  assert.throws(() => replaceable(path).replace("a = 5\n"), { code: "EEXIST" });
  assert.equal(readFileSync(path, "utf8"), "a = 4\n");
  assert.deepEqual(readdirSync(folder).sort(), ["wrangler.toml", `wrangler.toml.${process.pid}.tmp`]);
  assert.throws(() => replaceable(folder), Refusal);
});
