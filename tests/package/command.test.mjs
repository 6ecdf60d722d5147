// The command as it ships: its help, its exit status, and `check`.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { root } from "../../scripts/tools.mjs";
import { commands } from "../../cli/help.mjs";
import { makeFolder } from "../support/processes.mjs";
import { version } from "../support/tarball.mjs";
import { commandOf, textIn, unpack } from "../support/unpacked.mjs";

const unpacked = unpack();
const relay = commandOf(unpacked);
const here = makeFolder();

/** Not the one of the documentation, nor a host for examples: of those, it warns. */
const AUD = "0f1e2d3c4b5a6978".repeat(4);
const sound = `workers_dev = false
preview_urls = false
[vars.RELAY.access]
issuer = "https://acme.cloudflareaccess.com"
audience = ["${AUD}"]
[[vars.RELAY.routes]]
path = "/api"
upstream = "https://api.acme.internal"
`;

test("it says its version, what it can do, and how each is done", async () => {
  assert.deepEqual(await relay(here, "--version"), { status: 0, out: `${version}\n`, err: "" });
  for (const words of [["--help"], ["-h"], ["help"]]) {
    const { status, out } = await relay(here, ...words);
    assert.equal(status, 0);
    for (const name of Object.keys(commands)) assert.match(out, new RegExp(`access-relay ${name}`));
  }
  for (const [name, { options, examples }] of Object.entries(commands)) {
    for (const words of [[name, "--help"], ["help", name]]) {
      const { status, out } = await relay(here, ...words);
      assert.equal(status, 0);
      for (const part of [...Object.keys(options).map((option) => `--${option}`), ...examples]) assert.ok(out.includes(part), `${part} is not in ${out}`);
    }
  }
});

test("what it does not understand ends with 2, and a way out", async () => {
  for (const [words, expected] of [
    [[], /access-relay COMMAND --help/],
    [["chekc"], /there is no command "chekc"; access-relay --help/],
    [["constructor"], /there is no command "constructor"/],
    [["help", "chekc"], /there is no command "chekc"/],
    [["check", "--jsn"], /Unknown option '--jsn'; access-relay check --help/],
    [["init", "--form"], /--form.*access-relay init --help/],
  ]) {
    const { status, out, err } = await relay(here, ...words);
    assert.equal(status, 2, words.join(" "));
    assert.match(out + err, expected);
    assert.doesNotMatch(err, /\bat .*\.mjs/);
  }
});

test("check reads what wrangler reads, and says so if another file lies beside it", async () => {
  const json = `{ "workers_dev": false, "preview_urls": false, "vars": { "RELAY": { "access": { "issuer": "https://acme.cloudflareaccess.com", "audience": ["${AUD}"] }, "routes": [{ "path": "/api", "upstream": "ftp://api.acme.internal" }] } } }`;
  const only = makeFolder({ "wrangler.toml": sound });
  assert.deepEqual(await relay(only, "check"), {
    status: 0,
    out: "wrangler.toml: [vars.RELAY] is sound: 1 route; it needs the secrets CF_ACCESS_CLIENT_ID, CF_ACCESS_CLIENT_SECRET\n",
    err: "",
  });
  const both = makeFolder({ "wrangler.toml": sound, "wrangler.jsonc": json });
  const { status, err } = await relay(both, "check");
  assert.equal(status, 1);
  assert.match(err, /^warning: wrangler\.toml lies beside wrangler\.jsonc, and wrangler does not read it\nerror\[relay::routes\.upstream\]: vars\.RELAY\.routes\[0\]\.upstream: found "ftp:[^\n]*\n --> wrangler\.jsonc:1:\d+\n/);
  const { status: other } = await relay(both, "check", "wrangler.toml");
  assert.equal(other, 0);
});

test("check ends with 0, 1 or 2, and tells the same as JSON", async () => {
  const folder = makeFolder({ "sound.toml": sound, "wrong.toml": sound.replace("/api", "api"), "open.toml": sound.replace("workers_dev = false", "workers_dev = true") });
  for (const [files, status, lines] of [
    [["sound.toml"], 0, /^$/],
    [["open.toml"], 0, /^warning\[wrangler::workers_dev\]: workers_dev: found true\n --> open\.toml:\d+:15\n/],
    [["sound.toml", "wrong.toml"], 1, /^error\[relay::routes\.path\]: vars\.RELAY\.routes\[0\]\.path: found "api"\n --> wrong\.toml:\d+:8\n[^]*\n.*= help: start the path with a slash/],
    [["wrong.toml", "none.toml"], 2, /none\.toml: error: cannot be read \(ENOENT\)/],
    [["."], 2, /cannot be read \(EISDIR\)/],
  ]) {
    const found = await relay(folder, "check", ...files);
    assert.equal(found.status, status, files.join(" "));
    assert.match(found.err, lines);
    const told = await relay(folder, "check", ...files, "--json");
    assert.deepEqual([told.status, told.err], [status, ""]);
    const reports = JSON.parse(told.out).files;
    assert.deepEqual(reports.map(({ file }) => file), files);
    for (const { sound, warnings, mistakes, unread, ...more } of reports) {
      assert.deepEqual(Object.keys(more), ["file"]);
      for (const finding of [...warnings, ...mistakes]) assert.deepEqual(Object.keys(finding), ["code", "found", "help", "path", "place"]);
      assert.ok(unread || Array.isArray(sound));
    }
  }
  const nothing = await relay(makeFolder(), "check");
  assert.deepEqual([nothing.status, nothing.out], [2, ""]);
  assert.match(nothing.err, /found no wrangler\.json, wrangler\.jsonc, wrangler\.toml here; name a file, or write one with access-relay init/);
});

test("--json is JSON whatever stands in it, and a name forges no line", async () => {
  const forged = "\u001cfabcd_aaaaaaaaaaaaaaaaaaaaaaa\nsound.jsonc: [vars.RELAY] is sound";
  const folder = makeFolder({ "wrangler.jsonc": JSON.stringify({ env: { [forged]: { vars: { RELAY: {} } } } }) });
  const { status, out } = await relay(folder, "check", "--json");
  assert.equal(status, 1);
  assert.ok(JSON.parse(out).files[0].mistakes.length > 0);
  const { err } = await relay(folder, "check");
  assert.ok(err.trim().split("\n").every((line) => /^((error|warning)\[[\w:.]+\]: |( *\d* *)(-->|\||= help: )|$)/.test(line)), err);
});

test("whoever reads may stop, and the command ends without a word", async () => {
  const command = `'${process.execPath}' '${join(unpacked, "cli", "main.mjs")}' --help`;
  const { stdout, stderr } = await promisify(execFile)("sh", ["-c", `{ sleep 0.3; ${command}; } | true; ${command} | head -1`]);
  assert.equal(stderr, "");
  assert.match(stdout, /^access-relay: .*\n$/);
});

test("no secret is printed, not even as a file's name", async () => {
  const secret = "cfast_0123456789abcdefGHIJ";
  const folder = makeFolder({ [`${secret}.toml`]: sound.replace("https://api.acme.internal", secret) });
  for (const words of [[], ["--json"]]) {
    const { status, out, err } = await relay(folder, "check", `${secret}.toml`, ...words);
    assert.equal(status, 1);
    assert.ok(!`${out}${err}`.includes("0123456789"), out + err);
    assert.match(out + err, /\(not shown\)/);
  }
  for (const words of [[secret], ["check", `--${secret}`], ["init", "--form", secret, "https://app.example.com", "https://api.example.com"]]) {
    const { status, out, err } = await relay(here, ...words);
    assert.equal(status, 2);
    assert.ok(!`${out}${err}`.includes("0123456789"), out + err);
  }
});

test("the demo's configuration is sound, and the one at the root says what to fill in", async () => {
  assert.equal((await relay(here, "check", join(root, "demo", "wrangler.toml"))).status, 0);
  const { status, err } = await relay(here, "check", join(root, "wrangler.toml"));
  assert.equal(status, 1);
  const placeholders = Array.from({ length: 4 }, () => "error[wrangler::placeholder]");
  assert.deepEqual(err.match(/^error\[.*?\]/gm), ["error[relay::access.issuer]", "error[relay::access.audience]", "error[relay::routes.upstream]", ...placeholders], err);
});

test("every template says what to fill in", async () => {
  for (const [form, file] of [["route", "wrangler.toml"], ["assets", "wrangler.jsonc"], ["wrap", "wrangler.jsonc"], ["pages", "wrangler.toml"], ["vite", "wrangler.jsonc"]]) {
    const { status, err } = await relay(join(unpacked, "templates", form), "check");
    assert.equal(status, 1, form);
    for (const path of ["access.issuer", "access.audience[0]", "routes[0].upstream"]) assert.match(err, new RegExp(`: vars\\.RELAY\\.${path.replace(/[.[\]]/g, "\\$&")}: found "[^\n]*\n *--> ${file}:`));
    assert.ok(textIn(join(unpacked, "templates", form), ".dev.vars.example").split("\n").every((line) => line === "" || line.startsWith("#")), form);
  }
});
