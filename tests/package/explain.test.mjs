// `access-relay explain`, as it ships: where the request comes from, signatures by real keys, and how it ends.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import { join } from "node:path";
import { test } from "node:test";
import { makeFolder } from "../support/processes.mjs";
import { commandOf, nodeOfUsers, unpack } from "../support/unpacked.mjs";

const unpacked = unpack();
const relay = commandOf(unpacked);

const AUD = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";
const issuer = "https://acme.cloudflareaccess.com";
const URL = "https://app.example.com/api/notes";
const wrangler = `[vars.RELAY.access]
issuer = "${issuer}"
audience = ["${AUD}"]
[[vars.RELAY.routes]]
path = "/api"
upstream = "https://api.example.com"
[env.staging.vars.RELAY.access]
dangerously_allow_anyone = true
[[env.staging.vars.RELAY.routes]]
path = "/api"
upstream = "http://localhost:8080"
`;

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const keys = JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "kid-1", alg: "RS256", use: "sig" }] });
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
function token(claims = {}) {
  const now = Math.floor(Date.now() / 1000);
  const said = { iss: issuer, aud: [AUD], type: "app", sub: "ada-1", email: "ada@example.com", iat: now - 60, exp: now + 3600, ...claims };
  const signed = `${encoded({ alg: "RS256", kid: "kid-1", typ: "JWT" })}.${encoded(said)}`;
  return `${signed}.${sign("RSA-SHA256", signed, privateKey).toString("base64url")}`;
}

const folder = makeFolder({ "wrangler.toml": wrangler, "keys.json": keys });

const told = async (...words) => {
  const { status, out, err } = await relay(folder, "explain", "--json", ...words);
  assert.equal(err, "");
  return { status, ...JSON.parse(out) };
};

/** The same with a text on standard input. */
const piped = (text, ...words) =>
  new Promise((resolve) => {
    const child = execFile(nodeOfUsers, [join(unpacked, "cli", "main.mjs"), "explain", ...words], { cwd: folder }, (error, out, err) => resolve({ status: error?.code ?? 0, out, err }));
    child.stdin.end(text);
  });

test("a request comes from options, from a curl command, from standard input", async () => {
  const expected = ["https://api.example.com/api/notes", "PUT", 0];
  const seen = ({ status, request: { upstream } }) => [upstream.url, upstream.method, status];
  assert.deepEqual(seen(await told("--url", URL, "-X", "PUT", "--as", "person")), expected);
  assert.deepEqual(seen(await told("--as", "person", "curl", URL, "-X", "PUT", "-H", "accept: */*", "--compressed", "--data-raw", "{}")), expected);
  const { status, out } = await piped(`curl '${URL}' \\\n  -X 'PUT' \\\n  -H 'accept: */*'\n`, "--json", "--as", "person", "-");
  assert.deepEqual(seen({ status, ...JSON.parse(out) }), expected);
  // As people type one.
  for (const words of [[URL], [URL.slice("https://".length)]]) assert.equal((await told("--as", "person", ...words)).request.upstream.url, expected[0]);
  // As a browser writes an address, and as the Worker gets it.
  assert.equal((await told("--url", "HTTPS://App.Example.com/api/a/../notes", "--as", "person")).request.upstream.url, expected[0]);
});

test("a signature is checked with the keys that are given, and nothing of a token is printed", async () => {
  const [good, other] = [token(), token({ sub: "eve-2" })];
  const forged = `${good.slice(0, good.lastIndexOf("."))}.${other.slice(other.lastIndexOf(".") + 1)}`;
  for (const [sent, options, code] of [
    [good, [], undefined],
    [good, ["--keys", "keys.json"], undefined],
    [forged, [], undefined],
    [forged, ["--keys", "keys.json"], "unauthenticated"],
    [token({ aud: ["other"] }), [], "unauthenticated"],
    [token({ exp: 1_700_000_000 }), ["--keys", "keys.json"], "unauthenticated"],
  ]) {
    const found = await told("--url", URL, "-H", `cookie: CF_Authorization=${sent}`, ...options);
    assert.deepEqual([found.code, found.status, found.signatures_checked], [code, code ? 1 : 0, options.length > 0]);
    for (const words of [[], ["--json"]]) {
      const { out, err } = await relay(folder, "explain", ...words, "--url", URL, "-H", `cookie: CF_Authorization=${sent}`, ...options);
      assert.ok(!(out + err).includes(sent.slice(-40)) && !(out + err).includes(sent.slice(0, 40)), out);
      assert.match(out, /ada@example\.com/);
    }
  }
});

test("it ends with 0, 1 or 2, and says what is not clear", async () => {
  for (const [words, status, error] of [
    [["--url", URL, "--as", "person"], 0, /^$/],
    [["--url", URL], 1, /^$/],
    [["--env", "staging", "--url", URL], 0, /^$/],
    [["--env", "production", "--url", URL], 2, /found no RELAY in env "production"; name one by --env: staging/],
    [[], 2, /found no request; write --url/],
    [["wrangler.toml", "--url", URL], 2, /found a word that is no option/],
    [["--config", "none.toml", "--url", URL], 2, /none\.toml: cannot be read \(ENOENT\)/],
    [["--har", "none.har"], 2, /none\.har: cannot be read \(ENOENT\)/],
    [["--har", "keys.json", "--entry", "0"], 2, /--entry: write a number from 1/],
    [["--har", "keys.json"], 2, /--har: found no entry/],
    [["curl", URL, "--frobnicate"], 2, /"--frobnicate" is not an option that is known here/],
    [["--url", URL, "--frobnicate"], 2, /Unknown option '--frobnicate'; access-relay explain --help/],
  ]) {
    const found = await relay(folder, "explain", ...words);
    assert.equal(found.status, status, words.join(" "));
    assert.match(found.err, error);
    assert.doesNotMatch(found.err, /\bat .*\.mjs/);
  }
  const nothing = await relay(makeFolder(), "explain", "--url", URL);
  assert.deepEqual([nothing.status, nothing.out], [2, ""]);
  assert.match(nothing.err, /found no wrangler\.json, wrangler\.jsonc, wrangler\.toml here; name a file with --config/);
});

test("a configuration that cannot serve is told as check tells it", async () => {
  const unsound = makeFolder({ "wrangler.toml": wrangler.replace("/api", "api") });
  const { status, err } = await relay(unsound, "explain", "--url", URL, "--as", "person");
  assert.equal(status, 1);
  assert.match(err, /^wrangler\.toml cannot serve, so every request gets 500 misconfigured:\n[^]*error\[relay::routes\.path\]/m);
  const json = await relay(unsound, "explain", "--json", "--url", URL);
  assert.deepEqual([json.status, json.err, JSON.parse(json.out).files[0].mistakes[0].code], [1, "", "relay::routes.path"]);
});
