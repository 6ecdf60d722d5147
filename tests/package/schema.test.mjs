// The schema as editors read it: VS Code's own JSON language service, and Taplo, on a project as npm lays it out.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import service from "vscode-json-languageservice";
import { root } from "../../scripts/tools.mjs";
import { makeFolder } from "../support/processes.mjs";
import { wranglerFiles } from "../support/project.mjs";
import { commandOf, textIn, unpack } from "../support/unpacked.mjs";

const project = makeFolder();
const packages = join(project, "node_modules");
const unpacked = unpack();
mkdirSync(packages);
cpSync(unpacked, join(packages, "access-relay"), { recursive: true });
for (const file of ["config-schema.json", "package.json"]) cpSync(join(root, "node_modules", "wrangler", file), join(packages, "wrangler", file));
const relay = commandOf(unpacked);
const AUD = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";

/** VS Code's service, and a wrangler.jsonc that is open in it. */
function opened(text) {
  const languages = service.getLanguageService({
    schemaRequestService: async (uri) => readFileSync(fileURLToPath(uri), "utf8"),
    workspaceContext: { resolveRelativePath: (path, from) => new URL(path, from).href },
  });
  const document = service.TextDocument.create(pathToFileURL(join(project, "wrangler.jsonc")).href, "jsonc", 1, text);
  return { languages, document, parsed: languages.parseJSONDocument(document) };
}

/** What it marks: the text, and what is said of it. */
async function marked(text) {
  const { languages, document, parsed } = opened(text);
  const found = await languages.doValidation(document, parsed, { comments: "ignore", trailingCommas: "ignore", schemaRequest: "error" });
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
  await relay(folder, "init", "--jsonc", "--issuer", "https://acme.cloudflareaccess.com", "--audience", AUD, "http://127.0.0.1:9", "http://127.0.0.1:8");
  assert.deepEqual(await marked(textIn(folder, "wrangler.jsonc")), []);
});

/** A wrangler.jsonc, and what is marked in it. */
const cases = [
  [text(checked, ""), []],
  [text('{ "dangerously_allow_anyone": true }', ""), []],
  [text('{ "platform": true }', ""), []],
  [text('{ "platform": true, "audience": ["x"], "groups": true }', ""), []],
  [text(checked.replace("}", ', "platform": true, "groups": true }'), ""), []],
  [text('{ "platform": true, "issuer": "https://acme.cloudflareaccess.com" }', ""), [/missing property audience/]],
  [text('{ "platform": false }', ""), [/Missing property "issuer"/, /Missing property "audience"/]],
  [text(checked.replace("}", ', "groups": true }'), ""), [/^true: Add platform = true, or leave it out/]],
  [text(checked, ', "documents": "allow", "cors": { "allowed_origins": ["https://admin.example.com"], "max_age": -1 }', ', "log": "requests"'), []],
  [text('{ "issuer": "https://acme.cloudflareaccess.com" }', ""), [/Missing property "audience"/]],
  [text('{ "dangerously_allow_anyone": false }', ""), [/Missing property "issuer"/, /Missing property "audience"/]],
  [text(checked, ', "timeout_ms": 0'), [/^0: Value is below the minimum of 1/]],
  [text(checked, ', "documents": "none"'), [/^"none": Value is not accepted\. Valid values: "sandbox", "allow"/]],
  [text(checked, ', "retry": 1'), [/^"retry": Property retry is not allowed/]],
  [text(checked, "", ', "cors": { "allowed_origins": "x" }'), [/^"x": Incorrect type\. Expected "array"/]],
  // What the reader would say.
  [text(checked.replace("https:", "http:"), ""), [/^"http:\/\/acme.cloudflareaccess.com": Write the team's URL/]],
  [text(checked.replace("x", "<AUD tag>"), ""), [/^"<AUD tag>": Copy the application's AUD tag/]],
  [text(checked, ', "credentials": "none"'), [/^"none": Add a binding/]],
  [text(checked, ', "credentials": "none", "binding": "API"'), []],
  [text(checked, ', "credentials": "caller-token", "service_token": "CF_ACCESS"'), [/^"service_token": Leave it out/]],
  [text(checked, ', "cache": true'), [/^true: Leave it out, or write identity_headers = false/]],
  [text(checked, ', "request_cookies": ["a", "*"]'), [/^"\*": Write \["\*"\] alone/]],
  [text('{ "dangerously_allow_anyone": true, "groups": false }', ""), [/^"groups": Leave one of the two out/]],
  [text(checked, "", ', "cors": { "allowed_origins": ["*"], "allow_credentials": true }'), [/^"\*": Name https origins one by one/]],
  [text(checked, "", ', "cors": { "allowed_origins": ["https://a.example"], "allowed_headers": ["*", "Authorization"] }'), []],
  [text(checked, "", ', "cors": { "allowed_origins": ["https://a.example/"] }'), [/^"https:\/\/a.example\/": Write an origin as browsers send it/]],
  // What wrangler's own schema knows.
  [text(checked, "").replace('"name": "x"', '"name": 5'), [/^5: Incorrect type/]],
  [text(checked, "").replace('"OTHER"', '"RELAY2"').replace('"name"', '"nmae"'), [/^"nmae": Property nmae is not allowed/]],
  // An environment's.
  [text(checked, "").replace(/\}\n\}$/, '},\n "env": { "staging": { "vars": { "RELAY": { "log": 1 } } } } }').replace("} },", "} },"), [/Missing property "access"/, /Missing property "routes"/, /^1: Value is not accepted/]],
];

test("sound tables are without a mark, and what the relay refuses has one at its place", async () => {
  for (const [given, expected] of cases) await expectMarked(given, expected);
});

test("the bundle says the same, in one file that leads nowhere else", async () => {
  const { status, out, err } = await relay(project, "schema", "--bundle", "--out", "wrangler.schema.json");
  assert.deepEqual([status, err], [0, ""]);
  assert.match(out, /#:schema \.\/wrangler\.schema\.json/);
  const references = textIn(project, "wrangler.schema.json").match(/"\$ref": ?"[^"]*"/g);
  assert.deepEqual(references.filter((reference) => !reference.includes('"#/definitions/')), []);
  for (const schema of ["./wrangler.schema.json", "./node_modules/access-relay/build/schema-bundled.json"]) {
    for (const [given, expected] of cases) await expectMarked(given.replace(/"\$schema": "[^"]*"/, `"$schema": "${schema}"`), expected);
  }
  // The package's is the one that this wrangler makes.
  assert.deepEqual(JSON.parse(textIn(project, "node_modules/access-relay/build/schema-bundled.json")), JSON.parse(textIn(project, "wrangler.schema.json")));
});

test("it completes keys and values, and says what a key is for", async () => {
  const at = async (given, ask) => {
    const { languages, document, parsed } = opened(given.replace("^", ""));
    return languages[ask](document, document.positionAt(given.indexOf("^")), parsed);
  };
  const labels = async (given) => (await at(given, "doComplete")).items.map(({ label }) => label);
  for (const schema of ["./node_modules/access-relay/build/schema.json", "./node_modules/access-relay/build/schema-bundled.json"]) {
    const with_ = (route, more) => text(checked, route, more).replace(/"\$schema": "[^"]*"/, `"$schema": "${schema}"`);
    assert.ok((await labels(with_(', "^"'))).includes("foreign_requests"));
    // It also proposes true, false and null wherever a schema lists values.
    const choices = await labels(with_(', "foreign_requests": ^'));
    assert.deepEqual(choices.filter((label) => label.startsWith('"')).sort(), ['"all"', '"navigations"', '"none"']);
    assert.ok((await labels(with_("", ', "^"'))).includes("health_path"));
    // A key of wrangler's own.
    assert.ok((await labels(with_("").replace('"name"', '"^": 1, "name"'))).includes("compatibility_flags"));
    const { contents } = await at(with_(', "tim^eout_ms": 5'), "doHover");
    const said = contents.join("\n").replace(/\\(?=[^\w\s]|_)/g, "");
    assert.match(said, /^routes\[\]\.timeout_ms\n[^]*milliseconds to begin its answer[^]* Default: `30000`\. See [^]*configuration\.md#where-it-leads\.$/);
  }
});

test("in TOML, Taplo marks what VS Code marks in JSON", async () => {
  const folder = makeFolder();
  cpSync(packages, join(folder, "node_modules"), { recursive: true });
  await relay(folder, "init", "--toml", "--issuer", "https://acme.cloudflareaccess.com", "--audience", AUD, "http://127.0.0.1:9", "http://127.0.0.1:8");
  const sound = textIn(folder, "wrangler.toml");
  assert.match(sound, /^#:schema \.\/node_modules\/access-relay\/build\/schema-bundled\.json\n/);
  /** What Taplo says of each text, in one run, for it takes seconds to start. */
  const lint = async (texts, below = ".") => {
    mkdirSync(join(folder, below), { recursive: true });
    const files = texts.map((text, index) => join(folder, below, `${index}.toml`));
    texts.forEach((text, index) => writeFileSync(files[index], text));
    // It looks for no settings, and asks no catalog on the network.
    const words = [join(root, "node_modules", "@taplo", "cli", "dist", "cli.js"), "lint", "--no-auto-config", "--colors", "never", ...files];
    const said = await new Promise((resolve) => execFile(process.execPath, words, { cwd: folder, encoding: "utf8" }, (_, out, err) => resolve(out + err)));
    const found = [...said.matchAll(/^error: (.*)\n *┌─ (.*?):\d/gm)];
    return files.map((file) => found.filter(([, , at]) => at === file).map(([, message]) => message).join("\n"));
  };
  const wrong = [
    [sound.replace('path = "/api"', 'path = "api"'), /"api" does not match/],
    [sound.replace("[[vars.RELAY.routes]]", "[[vars.RELAY.routes]]\nretry = 1"), /'retry' was unexpected/],
    [sound.replace("[[vars.RELAY.routes]]", '[[vars.RELAY.routes]]\ncredentials = "none"'), /not allowed for "none"/],
    [sound.replace(/^audience.*$/m, ""), /"audience" is a required property/],
    // What wrangler's own schema knows.
    [sound.replace(/^name = .*$/m, "name = 5"), /5 is not of type "string"/],
    [sound.replace(/^name = /m, "nmae = "), /'nmae' was unexpected/],
  ];
  const [ofSound, ...ofWrong] = await lint([sound, ...wrong.map(([text]) => text)]);
  assert.equal(ofSound, "");
  wrong.forEach(([text, expected], index) => assert.match(ofWrong[index], expected, text));
  // In a workspace, the package lies further up.
  const deeper = sound.replace("./node_modules", "../../node_modules");
  const [ofDeeper, ofMisspelt] = await lint([deeper, deeper.replace(/^name = /m, "nmae = ")], "packages/app");
  assert.equal(ofDeeper, "");
  assert.match(ofMisspelt, /'nmae' was unexpected/);
});

test("the templates name a schema that npm brings, and only their placeholders are marked", async () => {
  for (const [form, file] of Object.entries(wranglerFiles)) {
    const [, named] = textIn(join(root, "templates", form), file).match(/(?:#:schema |"\$schema": ")([^"\n]+)/);
    assert.ok(existsSync(join(project, named)), named);
    if (file.endsWith(".jsonc")) {
      const found = await marked(textIn(join(root, "templates", form), file));
      assert.equal(found.length, 3, found.join("\n"));
      assert.ok(found.every((line) => /^"[^"]*<.*>/.test(line)), found.join("\n"));
    }
  }
});

test("without --bundle, the schema leads to wrangler's own from where it lies", async () => {
  const deep = join(project, "packages", "app");
  mkdirSync(deep, { recursive: true });
  const leads = (text) => JSON.parse(text).allOf[0].$ref;
  assert.equal(leads((await relay(project, "schema")).out), "./node_modules/wrangler/config-schema.json");
  assert.equal(leads((await relay(deep, "schema")).out), "../../node_modules/wrangler/config-schema.json");
  assert.equal((await relay(project, "schema", "--out", "packages/app/s.json")).status, 0);
  assert.equal(leads(textIn(deep, "s.json")), "../../node_modules/wrangler/config-schema.json");
  // In a folder that has none, as npm would put it there.
  const bare = makeFolder({ "wrangler.toml": "name = 1\n" });
  assert.equal(leads((await relay(bare, "schema")).out), "./node_modules/wrangler/config-schema.json");
  for (const [words, expected] of [
    [["--bundle"], /found no node_modules\/wrangler\/config-schema\.json here or above; install wrangler first/],
    [["--out", "wrangler.toml"], /wrangler\.toml is there, and is no schema that this command wrote/],
    [["x.json"], /write --out x\.json/],
  ]) {
    const { status, out, err } = await relay(bare, "schema", ...words);
    assert.deepEqual([status, out], [2, ""]);
    assert.match(err, expected);
  }
  assert.equal(textIn(bare, "wrangler.toml"), "name = 1\n");
  // Its own it writes anew.
  for (let time = 0; time < 2; time += 1) assert.equal((await relay(bare, "schema", "--out", "s.json")).status, 0);
});

async function expectMarked(given, expected) {
  const found = await marked(given);
  assert.equal(found.length, expected.length, `${given}\n${found.join("\n")}`);
  for (const pattern of expected) assert.ok(found.some((line) => pattern.test(line)), `${pattern}: ${found.join("\n")}`);
}
