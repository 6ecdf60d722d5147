// `access-relay har`, as it ships: how it ends, what it writes, and what it takes.

import assert from "node:assert/strict";
import { chmodSync, existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeFolder } from "../support/processes.mjs";
import { commandOf, textIn, unpack } from "../support/unpacked.mjs";

const relay = commandOf(unpack());

const AUD = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";
const login = `https://acme.cloudflareaccess.com/cdn-cgi/access/login/app.example.com?kid=${AUD}&meta=left-out`;
const entry = (status, location, secret = "s-secret") => ({
  _resourceType: "fetch",
  request: { method: "GET", url: `https://app.example.com/api/notes?token=${secret}`, headers: [{ name: "sec-fetch-site", value: "same-origin" }, { name: "cookie", value: `CF_Authorization=${secret}` }] },
  response: { status, headers: location ? [{ name: "location", value: location }] : [], _error: null, content: { mimeType: "text/plain", text: secret } },
});
const recording = (...entries) => JSON.stringify({ log: { version: "1.2", creator: { name: "WebInspector", version: "537.36" }, entries } });
const wrangler = (aud) => `[vars.RELAY.access]
issuer = "https://acme.cloudflareaccess.com"
audience = ["${aud}"]
[[vars.RELAY.routes]]
path = "/api"
upstream = "https://api.example.com"
`;
const files = { "expired.har": recording(entry(302, login)), "sound.har": recording(entry(200)) };
const folder = makeFolder(files);

test("it ends with 0, 1 or 2", async () => {
  const sound = await relay(folder, "har", "sound.har");
  assert.deepEqual([sound.status, sound.err], [0, ""]);
  assert.match(sound.out, /^1 entry, recorded by WebInspector 537\.36\n\nNothing failed, as far as the recording tells\.\n/);
  const expired = await relay(folder, "har", "expired.har");
  assert.deepEqual([expired.status, expired.err], [1, ""]);
  assert.match(expired.out, /\n1\. The session of Access has ended while the page was open {2}\[access::session_expired\]\n {3}- entry 1: GET https:\/\/app\.example\.com\/api\/notes got 302, to Access's login page\n/);
  writeFileSync(join(folder, "notes.txt"), "no recording\n");
  for (const [words, said] of [
    [[], /^found no files; write the HAR file that your browser has saved\n$/],
    [["sound.har", "expired.har"], /^found 2 files;/],
    [["missing.har"], /^missing\.har: cannot be read \(ENOENT\)\n$/],
    [["."], /^\.: cannot be read \(EISDIR\)\n$/],
    [["notes.txt"], /^found no HAR 1\.2, at line 1, column 2; save one with the network panel's "Export HAR"\n$/],
    [["sound.har", "--console", "missing.log"], /^missing\.log: cannot be read \(ENOENT\)\n$/],
    [["sound.har", "--config", "missing.toml"], /^missing\.toml: cannot be read \(ENOENT\)\n$/],
    [["sound.har", "--what"], /--what/],
  ]) {
    const { status, out, err } = await relay(folder, "har", ...words);
    assert.deepEqual([status, out], [2, ""], words.join(" "));
    assert.match(err, said);
  }
  const { status, out, err } = await relay(folder, "har", "missing.har", "--json");
  assert.deepEqual([status, err, JSON.parse(out)], [2, "", { errors: ["missing.har: cannot be read (ENOENT)"] }]);
});

test("the same as data", async () => {
  const { status, out } = await relay(folder, "har", "expired.har", "--json");
  const report = JSON.parse(out);
  assert.deepEqual(Object.keys(report).sort(), ["causes", "creator", "entries", "notes"]);
  assert.deepEqual([status, report.creator, report.entries, report.notes], [1, "WebInspector 537.36", 1, []]);
  const [{ advice, ...cause }] = report.causes;
  assert.deepEqual(cause, {
    code: "access::session_expired",
    title: "The session of Access has ended while the page was open",
    inferred: false,
    entries: [1],
    evidence: ["entry 1: GET https://app.example.com/api/notes got 302, to Access's login page"],
  });
  assert.equal(advice.length, 1);
  assert.deepEqual(JSON.parse((await relay(folder, "har", "sound.har", "--json")).out).causes, []);
});

test("a console's log, in UTF-8 or UTF-16", async () => {
  const line = "Access to fetch at 'https://api.example.net/x' from origin 'https://app.example.com' has been blocked by CORS policy: No 'Access-Control-Allow-Origin' header is present on the requested resource.\r\n";
  writeFileSync(join(folder, "console.log"), line);
  writeFileSync(join(folder, "console-16.log"), `\ufeff${line}`, "utf16le");
  for (const log of ["console.log", "console-16.log"]) {
    const { status, out } = await relay(folder, "har", "sound.har", "--console", log);
    assert.equal(status, 1, log);
    assert.match(out, /\[cors::no_headers\]\n {3}- the console: https:\/\/api\.example\.net\/x\n/, log);
  }
});

test("a wrangler file beside it, or another one", async () => {
  const beside = makeFolder({ ...files, "wrangler.toml": wrangler("other"), "own/relay.toml": wrangler(AUD), "own/broken.toml": "[vars" });
  const codes = async (...words) => JSON.parse((await relay(beside, "har", "expired.har", "--json", ...words)).out).causes.map(({ code }) => code);
  assert.deepEqual(await codes(), ["access::session_expired", "access::wrong_application"]);
  assert.deepEqual(await codes("--config", "own/relay.toml"), ["access::session_expired"]);
  // `check` says what is wrong with it.
  assert.deepEqual(await codes("--config", "own/broken.toml"), ["access::session_expired"]);
});

test("a copy to share", async () => {
  const { status, out, err } = await relay(folder, "har", "expired.har", "--redact", "shared.har");
  assert.deepEqual([status, out, err], [0, "Written: shared.har\n", ""]);
  const copy = textIn(folder, "shared.har");
  assert.equal(copy.includes("s-secret"), false);
  assert.equal(JSON.parse(copy).log.entries.length, 1);
  assert.equal(statSync(join(folder, "shared.har")).mode & 0o777, 0o600);
  const told = async (file) => (await relay(folder, "har", file)).out;
  assert.equal(await told("shared.har"), await told("expired.har"));
  // Nothing that is there is lost, the recording itself neither.
  for (const there of ["shared.har", "expired.har"]) {
    const again = await relay(folder, "har", "sound.har", "--redact", there);
    assert.deepEqual(again, { status: 2, out: "", err: `${there}: is there already; name another file, or write --overwrite\n` });
  }
  assert.equal(textIn(folder, "shared.har"), copy);
  chmodSync(join(folder, "shared.har"), 0o644);
  const over = await relay(folder, "har", "sound.har", "--redact", "shared.har", "--overwrite", "--json");
  assert.deepEqual([over.status, JSON.parse(over.out)], [0, { written: "shared.har" }]);
  assert.notEqual(textIn(folder, "shared.har"), copy);
  const lost = await relay(folder, "har", "sound.har", "--redact", "missing/shared.har");
  assert.deepEqual([lost.status, lost.err], [2, "missing/shared.har: cannot be used (ENOENT)\n"]);
  // What is no recording leaves no copy.
  assert.equal((await relay(folder, "har", "notes.txt", "--redact", "none.har")).status, 2);
  assert.equal(existsSync(join(folder, "none.har")), false);
});
