// The schema as editors read it: VS Code's own JSON language service, on a project as npm lays it out.

import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import service from "vscode-json-languageservice";
import { root } from "../../scripts/tools.mjs";
import { makeFolder } from "../support/processes.mjs";
import { commandOf, textIn, unpack } from "../support/unpacked.mjs";

const project = makeFolder();
const packages = join(project, "node_modules");
const unpacked = unpack();
mkdirSync(packages);
cpSync(unpacked, join(packages, "access-relay"), { recursive: true });
cpSync(join(root, "node_modules", "wrangler", "config-schema.json"), join(packages, "wrangler", "config-schema.json"));

/** What an editor marks in a wrangler.jsonc: the text, and what is said of it. */
async function marked(text) {
  const languages = service.getLanguageService({
    schemaRequestService: async (uri) => readFileSync(fileURLToPath(uri), "utf8"),
    workspaceContext: { resolveRelativePath: (path, from) => new URL(path, from).href },
  });
  const document = service.TextDocument.create(pathToFileURL(join(project, "wrangler.jsonc")).href, "jsonc", 1, text);
  const found = await languages.doValidation(document, languages.parseJSONDocument(document), { comments: "ignore", trailingCommas: "ignore", schemaRequest: "error" });
  return found.map(({ range, message }) => `${document.getText(range)}: ${message}`);
}

const text = (access, route, more = "") => `{
  "$schema": "./node_modules/access-relay/build/schema.json",
  "name": "x", "compatibility_date": "2026-10-20",
  "vars": { "OTHER": "y", "RELAY": { "access": ${access}, "routes": [{ "path": "/api", "upstream": "https://api.example.com"${route} }]${more} } }
}`;
const checked = '{ "issuer": "https://acme.cloudflareaccess.com", "audience": ["x"] }';

test("what init writes is without a mark", async () => {
  const folder = makeFolder();
  await commandOf(unpacked)(folder, "init", "--jsonc", "--issuer", "https://acme.cloudflareaccess.com", "--audience", "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2", "http://127.0.0.1:9", "http://127.0.0.1:8");
  assert.deepEqual(await marked(textIn(folder, "wrangler.jsonc")), []);
});

test("sound tables are without a mark, and what the relay refuses has one at its place", async () => {
  for (const [given, expected] of [
    [text(checked, ""), []],
    [text('{ "dangerously_allow_anyone": true }', ""), []],
    [text('{ "platform": true }', ""), []],
    [text('{ "platform": true, "audience": ["x"], "groups": true }', ""), []],
    [text(checked.replace("}", ', "platform": true, "groups": true }'), ""), []],
    [text('{ "platform": true, "issuer": "https://acme.cloudflareaccess.com" }', ""), [/missing property audience/]],
    [text('{ "platform": false }', ""), [/Missing property "issuer"/, /Missing property "audience"/]],
    [text(checked.replace("}", ', "groups": true }'), ""), [/^true: Value must be false/]],
    [text(checked, ', "documents": "allow", "cors": { "allowed_origins": ["https://admin.example.com"], "max_age": -1 }', ', "log": "requests"'), []],
    [text('{ "issuer": "https://acme.cloudflareaccess.com" }', ""), [/Missing property "audience"/]],
    [text('{ "dangerously_allow_anyone": false }', ""), [/Missing property "issuer"/, /Missing property "audience"/]],
    [text(checked, ', "timeout_ms": 0'), [/^0: Value is below the minimum of 1/]],
    [text(checked, ', "documents": "none"'), [/^"none": Value is not accepted\. Valid values: "sandbox", "allow"/]],
    [text(checked, ', "retry": 1'), [/^"retry": Property retry is not allowed/]],
    [text(checked, "", ', "cors": { "allowed_origins": "x" }'), [/^"x": Incorrect type\. Expected "array"/]],
    // What wrangler's own schema knows.
    [text(checked, "").replace('"name": "x"', '"name": 5'), [/^5: Incorrect type/]],
    [text(checked, "").replace('"OTHER"', '"RELAY2"').replace('"name"', '"nmae"'), [/^"nmae": Property nmae is not allowed/]],
    // An environment's.
    [text(checked, "").replace(/\}\n\}$/, '},\n "env": { "staging": { "vars": { "RELAY": { "log": 1 } } } } }').replace("} },", "} },"), [/Missing property "access"/, /Missing property "routes"/, /^1: Value is not accepted/]],
  ]) {
    const found = await marked(given);
    assert.equal(found.length, expected.length, `${given}\n${found.join("\n")}`);
    for (const pattern of expected) assert.ok(found.some((line) => pattern.test(line)), `${pattern}: ${found.join("\n")}`);
  }
});
