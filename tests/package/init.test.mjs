// `access-relay init`, as it ships: what it sees of the emulator and of others, what it writes, and what it leaves alone.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { startEmulator } from "../support/emulator.mjs";
import { makeFolder } from "../support/processes.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { commandOf, filesOf, textIn, unpack } from "../support/unpacked.mjs";

const unpacked = unpack();
const relay = commandOf(unpacked);

let emulator, server;
before(async () => ([emulator, server] = await Promise.all([startEmulator(), startRecorder()])));
after(() => Promise.all([emulator?.stop(), server?.stop()]));
afterEach(() => server.reset());

const json = async (folder, ...words) => {
  const { status, out, err } = await relay(folder, "init", ...words, "--json");
  assert.equal(err, "");
  return { status, ...JSON.parse(out) };
};

/** An emulator of its own for a test. */
async function withEmulator(settings, use) {
  const own = await startEmulator(settings);
  try {
    await use(own);
  } finally {
    await own.stop();
  }
}

test("two protected addresses become a project that check finds sound", async () => {
  const folder = makeFolder();
  const { status, out, err } = await relay(folder, "init", emulator.app_local_url, emulator.api_local_url);
  assert.equal(status, 0, out + err);
  assert.match(out, /The form is route: the page is served from elsewhere\.\n/);
  assert.match(out, new RegExp(`page  ${emulator.app_local_url}/\\n +Access application app\\.example\\.localhost of ${emulator.issuer} \\(signed by Access\\), AUD tag ${emulator.app_aud}\\n`));
  assert.match(out, /Written: wrangler\.toml, package\.json, \.gitignore, \.dev\.vars\.example\n/);
  assert.match(out, /Two commands remain:\n {2}npm install\n {2}npm run dev .*\n\/api\/notes on the page leads to http:\S+\/api\/notes\. If the API has no \/api, write strip_prefix = true into the route\.\n/);
  assert.match(err, /^(warning: this is Node 2[01]\..*\n)?warning: routes: the page is on this machine, so there are none; add them before you deploy\n$/);

  assert.deepEqual(filesOf(folder), [".dev.vars.example", ".gitignore", "package.json", "wrangler.toml"]);
  const wrangler = textIn(folder, "wrangler.toml");
  for (const line of [`issuer = "${emulator.issuer}"`, `audience = ["${emulator.app_aud}"]`, `upstream = "${emulator.api_local_url}"`]) assert.ok(wrangler.includes(`${line}\n`), wrangler);
  assert.ok(!wrangler.includes(emulator.client_secret) && !wrangler.includes("<"), wrangler);
  assert.deepEqual((await relay(folder, "check")).status, 0);

  const about = JSON.parse(textIn(folder, "package.json"));
  assert.match(about.dependencies["access-relay"], /^\^\d/);
  assert.deepEqual(Object.keys(about.scripts).sort(), ["check", "deploy", "dev", "secrets"]);
  assert.match(textIn(folder, ".gitignore"), /^\.dev\.vars\*$/m);
  assert.ok(textIn(folder, ".dev.vars.example").split("\n").every((line) => line === "" || line.startsWith("#")));
});

test("names below localhost are this machine, as in a browser", async () => {
  const { status, seen } = await json(makeFolder(), emulator.app_url, emulator.api_url);
  assert.equal(status, 0);
  assert.match(seen[0].application, /\(signed by Access\)/);
});

test("every form can be written, as TOML and as JSON, and check finds each sound", async () => {
  for (const form of ["route", "assets", "wrap", "pages", "vite"]) {
    for (const [flag, file] of [["--toml", "wrangler.toml"], ["--jsonc", "wrangler.jsonc"]]) {
      const folder = makeFolder();
      const { status, written, unfinished } = await json(folder, "--form", form, flag, emulator.app_local_url, emulator.api_local_url);
      assert.deepEqual([status, unfinished], [0, false], form);
      const template = filesOf(join(unpacked, "templates", form)).filter((name) => !/^(README\.md|wrangler\..*)$/.test(name));
      assert.deepEqual(filesOf(folder), [...new Set([...template, ".gitignore", file])].sort(), form);
      assert.deepEqual(written.toSorted(), filesOf(folder));
      assert.equal((await relay(folder, "check")).status, 0, form);
    }
  }
});

test("another path is written wherever the path stands, to the letter", async () => {
  const odd = makeFolder();
  await json(odd, "--form", "wrap", "--path", "/x$&y", emulator.app_local_url, emulator.api_local_url);
  assert.ok(textIn(odd, "src/index.ts").includes('pathname === "/x$&y"'), textIn(odd, "src/index.ts"));
  const pages = makeFolder();
  await json(pages, "--form", "pages", "--path", "/inner/door", "--strip-prefix", emulator.app_local_url, emulator.api_local_url);
  assert.ok(existsSync(join(pages, "functions", "inner", "door", "[[path]].ts")));
  assert.match(textIn(pages, "wrangler.toml"), /path = "\/inner\/door"\nupstream = .*\nstrip_prefix = true\n/);
  const wrap = makeFolder();
  await json(wrap, "--form", "wrap", "--path", "/inner", emulator.app_local_url, emulator.api_local_url);
  const script = textIn(wrap, "src/index.ts");
  assert.ok(script.includes('"/inner') && !script.includes("/api"), script);
});

test("without the signed word, the login's redirect tells the AUD tag, and a warning says that it is not signed", async () => {
  await withEmulator({ app: { metadata: false }, api: { metadata: false } }, async ({ app_local_url, api_local_url, app_aud, issuer }) => {
    const found = await json(makeFolder(), app_local_url, api_local_url);
    assert.deepEqual([found.status, found.audience, found.issuer], [0, app_aud, issuer]);
    assert.match(found.seen[0].application, /\(unsigned\)/);
    assert.ok(found.warnings.some((line) => line.startsWith(`access.issuer = ${issuer} and access.audience = ${app_aud} is what an unsigned answer says`)), found.warnings.join("\n"));
  });
});

test("a signed word after a rotation of keys is as good", async () => {
  await withEmulator({}, async (own) => {
    await own.control("/rotate-keys");
    const { warnings, seen } = await json(makeFolder(), own.app_local_url, own.api_local_url);
    assert.match(seen[0].application, /\(signed by Access\)/);
    // Nothing of what was seen: that there are no routes on this machine, and perhaps that this Node is too old for wrangler.
    assert.ok(warnings.every((line) => /^(routes: the page is on this machine|this is Node 2[01])/.test(line)), warnings.join("\n"));
  });
});

test("where Access lets everybody pass, the page's AUD tag is the right one", async () => {
  const path = "1111111111111111111111111111111111111111111111111111111111111111";
  await withEmulator({ app: { bypass: ["/api"], bypass_aud: path } }, async (own) => {
    await own.control("/backends", { app: [{ path: "/", to: server.url }] });
    const { audience, warnings } = await json(makeFolder(), own.app_local_url, own.api_local_url);
    assert.equal(audience, own.app_aud);
    assert.ok(warnings.some((line) => line.includes("/api: Access lets strangers pass here")), warnings.join("\n"));
  });
});

test("an API that everybody can call, and one that is the page's own application, are told of", async () => {
  const open = await json(makeFolder(), emulator.app_local_url, server.url);
  assert.equal(open.status, 1);
  assert.match(open.mistakes.join("\n"), new RegExp(`^${server.url}/api/access-relay-init: no Access application covers the API \\(strangers get 200`));
  const same = await json(makeFolder(), emulator.app_local_url, emulator.app_local_url.replace("127.0.0.1", "localhost"));
  assert.ok(same.warnings.some((line) => line.includes("the API and the page are one Access application")), same.warnings.join("\n"));
});

test("a page without Access leaves placeholders, which check refuses", async () => {
  const folder = makeFolder();
  const { status, issuer, audience, unfinished, mistakes } = await json(folder, server.url, emulator.api_local_url);
  assert.deepEqual([status, issuer, audience, unfinished], [1, null, null, true]);
  assert.match(mistakes.join("\n"), /no Access application covers the page/);
  assert.match(textIn(folder, "wrangler.toml"), /issuer = "https:\/\/<team>\.cloudflareaccess\.com"\naudience = \["<AUD tag of the page>"\]/);
  assert.equal((await relay(folder, "check")).status, 1);
  // A second time, the placeholders are still what is left.
  const again = await json(folder, server.url, emulator.api_local_url);
  assert.deepEqual([again.written, again.left.length], [[], 1]);
  assert.match(again.left[0], /^Mend wrangler\.toml:\n[^]*vars\.RELAY\.access\.issuer[^]*vars\.RELAY\.access\.audience/);
  // Said on the command line, they are taken.
  const said = makeFolder();
  const AUD = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";
  assert.deepEqual((await json(said, server.url, emulator.api_local_url, "--issuer", "https://acme.cloudflareaccess.com", "--audience", AUD)).left, []);
  assert.equal((await relay(said, "check")).status, 0);
  // What check refuses is not called done.
  const wrong = await json(makeFolder(), server.url, emulator.api_local_url, "--issuer", "acme.cloudflareaccess.com", "--audience", AUD);
  assert.deepEqual([wrong.status, wrong.unfinished, wrong.left.length], [1, false, 1]);
  assert.match(wrong.left[0], /^Mend wrangler\.toml:\n {5}vars\.RELAY\.access\.issuer: found "acme\.cloudflareaccess\.com"/);
  // What it warns of is told, too.
  const odd = await json(makeFolder(), emulator.app_local_url, emulator.api_local_url, "--issuer", "https://login.example.com");
  assert.ok(odd.warnings.some((line) => line.startsWith('--issuer: found "https://login.example.com", but')), odd.warnings.join("\n"));
  assert.ok(odd.warnings.some((line) => line.startsWith("wrangler.toml: vars.RELAY.access.issuer: found")), odd.warnings.join("\n"));
});

test("a word that Access has not signed is not believed, whoever sends it", async () => {
  const claims = (host) => ({ omit: ["iss", "exp", "email", "sub", "nbf", "identity_nonce", "country"], aud: "2".repeat(64), type: "match", extra: { hostname: host, auth_domain: new URL(emulator.issuer).host, app_hostname: host } });
  for (const [token, reason] of [
    [await emulator.mint({ ...claims("127.0.0.1"), signed_by: "nobody" }), "its signature does not hold"],
    [await emulator.mint(claims("other.example.com")), "it is about"],
    [await emulator.mint({ ...claims("127.0.0.1"), kid: "unknown" }), "no key of that name"],
    [await emulator.mint({ ...claims("127.0.0.1"), extra: { ...claims("127.0.0.1").extra, auth_domain: "127.0.0.1:9" } }), "nothing listens there"],
    ["x.y.z", "not a JWT"],
  ]) {
    server.answer = (request, response) => response.writeHead(200, { "cf-access-metadata": token }).end();
    const { status, issuer, audience, warnings } = await json(makeFolder(), server.url, emulator.api_local_url);
    assert.deepEqual([status, issuer, audience], [1, null, null], reason);
    assert.ok(warnings.some((line) => line.includes("is not its own word, and was not used") && line.includes(reason)), `${reason}: ${warnings.join("\n")}`);
  }
  // And the same that is signed is.
  const good = await emulator.mint(claims("127.0.0.1"));
  server.answer = (request, response) => response.writeHead(200, { "cf-access-metadata": good }).end();
  assert.equal((await json(makeFolder(), server.url, emulator.api_local_url)).audience, "2".repeat(64));
});

test("what a folder or a link stands in the way of is said in one line, and nothing is written", async () => {
  const words = [emulator.app_local_url, emulator.api_local_url];
  for (const [files, name] of [[{ "package.json/x": "" }, "package.json"], [{ ".gitignore/x": "" }, ".gitignore"], [{ ".dev.vars.example/x": "" }, ".dev.vars.example"], [{ "wrangler.toml/x": "" }, "wrangler.toml"]]) {
    const folder = makeFolder(files);
    const { status, err } = await relay(folder, "init", ...words, "--form", "route", "--yes");
    assert.equal(status, 2, err);
    assert.match(err.trim().split("\n").at(-1), new RegExp(`${name.replaceAll(".", "\\.")}: cannot .*\\(EISDIR\\)$`));
    assert.deepEqual(filesOf(folder), Object.keys(files));
  }
  const { status, err } = await relay(makeFolder({ file: "" }), "init", ...words, "--directory", "file");
  assert.equal(status, 2, err);
  // A link that leads nowhere yet is no new file.
  const [folder, elsewhere] = [makeFolder(), makeFolder()];
  symlinkSync(join(elsewhere, "target"), join(folder, "wrangler.toml"));
  assert.equal((await relay(folder, "init", ...words)).status, 2);
  assert.deepEqual(filesOf(elsewhere), []);
});

test("answers that are none end it, and the team's keys have to be keys", async () => {
  server.answer = (request, response) => response.socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
  const { status, seen } = await json(makeFolder(), server.url, emulator.api_local_url);
  assert.equal(status, 1);
  assert.match(seen[0].strangers, /strangers get 101/);
  server.answer = (request, response) => response.socket.destroy();
  assert.equal((await json(makeFolder(), server.url, emulator.api_local_url)).status, 2);

  // A team of this machine, whose keys are wherever it says.
  const claims = { omit: ["iss", "exp", "email", "sub", "nbf", "identity_nonce", "country"], aud: "2".repeat(64), type: "match", extra: { hostname: "127.0.0.1", auth_domain: `127.0.0.1:${server.port}`, app_hostname: "x" } };
  const token = await emulator.mint(claims);
  for (const [answer, reason] of [
    [(response) => response.writeHead(404).end(), "answered 404"],
    [(response) => response.writeHead(302, { location: `${emulator.issuer}/cdn-cgi/access/certs` }).end(), "answered 302"],
    [(response) => response.writeHead(200).end("<html>"), "no JSON"],
    [(response) => response.writeHead(200).end("x".repeat(2 * 1024 * 1024)), "answered more than 1048576 bytes"],
    [(response) => fetch(`${emulator.issuer}/cdn-cgi/access/certs`).then(async (keys) => response.writeHead(200).end(await keys.text())), undefined],
  ]) {
    let asked = 0;
    server.answer = (request, response) => {
      if (request.url !== "/cdn-cgi/access/certs") return response.writeHead(200, { "cf-access-metadata": token }).end();
      asked += 1;
      return answer(response);
    };
    const { audience, warnings } = await json(makeFolder(), server.url, emulator.api_local_url);
    assert.equal(audience, reason ? null : "2".repeat(64), reason);
    assert.equal(warnings.some((line) => line.includes(reason ?? "is not its own word")), reason !== undefined, warnings.join("\n"));
    assert.equal(asked, 1, "the keys are asked for once");
  }
});

test("it asks little, follows no redirect, and sends no credential", async () => {
  server.answer = (request, response) => response.writeHead(302, { location: `${server.url}/elsewhere`, "set-cookie": "a=b" }).end();
  await json(makeFolder(), server.url, emulator.api_local_url);
  const asked = server.requests.map(({ method, url }) => `${method} ${url}`).sort();
  assert.deepEqual(asked, ["GET /", "GET /api", "GET /api/access-relay-init", "HEAD /", "HEAD /api", "HEAD /api/access-relay-init"]);
  for (const { headers } of server.requests) {
    assert.deepEqual(Object.keys(headers).filter((name) => !["accept", "cf-access-metadata-request", "connection", "host", "user-agent"].includes(name)), []);
    assert.match(headers["user-agent"], /^access-relay\/\d/);
  }
});

test("what a terminal would obey is shown, not obeyed", async () => {
  const location = `https://acme.cloudflareaccess.com/cdn-cgi/access/login/\x9b31mx?kid=${"2".repeat(64)}`;
  server.answer = (request, response) => {
    response.socket.end(Buffer.from(`HTTP/1.1 302 Found\r\nLocation: ${location}\r\nConnection: close\r\n\r\n`, "latin1"));
  };
  const { out, err } = await relay(makeFolder(), "init", server.url, emulator.api_local_url);
  assert.match(out, /Access application \\u009b31mx of https:\/\/acme/);
  assert.doesNotMatch(out + err, /[\x1b\x9b]/);
});

test("an address that does not answer is said to be so, and the rest is written", async () => {
  const folder = makeFolder();
  const { status, warnings, left, unfinished } = await json(folder, emulator.app_local_url, "http://127.0.0.1:9");
  assert.deepEqual(left, ["An address gave no answer. When it does, run the same command with --overwrite."]);
  assert.ok(warnings.some((line) => line.startsWith("http://127.0.0.1:9/api/access-relay-init: no answer: nothing listens there;")), warnings.join("\n"));
  assert.deepEqual([status, unfinished], [2, false]);
  assert.match(textIn(folder, "wrangler.toml"), /upstream = "http:\/\/127\.0\.0\.1:9"/);
});

test("without a terminal it never waits, and says what is missing", async () => {
  for (const [words, expected] of [
    [[], /^PAGE_URL is missing; write both addresses: access-relay init https:/],
    [["https://app.example.com"], /^API_URL is missing/],
    [["https://app.example.com", "https://api.example.com", "x"], /^found 3 addresses/],
    [["ftp://app.example.com", "http://api.example.com"], /^PAGE_URL: found "ftp:.*\nAPI_URL: found "http:.*use https/],
    [["https://app.example.com", "https://app.example.com"], /^API_URL: found .*name the API's own host/],
    [["https://app.example.com", "https://ada:s3cr3t@api.example.com"], /^API_URL: found an address with a user's name \(not shown\)/],
    [["--form", "rute", "https://app.example.com", "https://api.example.com"], /^--form: found "rute"; write one of route, assets, wrap, pages, vite/],
    [["--name", "My App", "https://app.example.com", "https://api.example.com"], /^--name: found "My App"/],
    [["https://app.example.com", "https://api.example.com/?k=s3cr3t"], /^API_URL: found "https:\/\/api\.example\.com\/\?" and more \(not shown\)/],
    [["--form", "vite", "--path", "/", "https://app.example.com", "https://api.example.com"], /^--path: found "\/"; name a path below it/],
    [["--toml", "--jsonc", "https://app.example.com", "https://api.example.com"], /^--jsonc and --toml/],
  ]) {
    const folder = makeFolder();
    const { status, err } = await relay(folder, "init", ...words);
    assert.equal(status, 2, words.join(" "));
    assert.match(err, expected);
    assert.ok(!err.includes("s3cr3t"));
    const told = await relay(folder, "init", ...words, "--json");
    assert.deepEqual([told.status, told.err, JSON.parse(told.out).errors], [2, "", err.trimEnd().split("\n")]);
    assert.deepEqual(filesOf(folder), []);
  }
});

test("no file that is there is written over unless somebody says so", async () => {
  const mine = { "wrangler.toml": 'name = "mine"\n', "package.json": '{ "name": "mine" }\n', ".gitignore": "dist\n", ".dev.vars.example": "# mine\n" };
  const folder = makeFolder(mine);
  const words = [emulator.app_local_url, emulator.api_local_url, "--form", "route"];
  const { status, out } = await relay(folder, "init", ...words);
  assert.equal(status, 1);
  for (const [name, text] of Object.entries(mine)) assert.equal(textIn(folder, name), text, name);
  assert.match(out, /Nothing was written\./);
  assert.match(out, /Left to do by hand:\n {2}1\. Add RELAY to wrangler\.toml, which is there and stays as it is:\n\n {5}# Who may call.*\n {5}\[vars\.RELAY\.access\]\n {5}issuer = "http:/);
  assert.match(out, / 2\. Add to package\.json, or run this again with --yes:\n {5}scripts\.dev: "wrangler dev"\n[^]* {5}dependencies\.access-relay: "\^/);
  assert.match(out, / 3\. Add to \.gitignore, or run this again with --yes:\n {5}\.wrangler\/\n {5}\.dev\.vars\*\n/);

  // --yes adds what is missing, and writes over nothing.
  await relay(folder, "init", ...words, "--yes");
  assert.equal(textIn(folder, "wrangler.toml"), mine["wrangler.toml"]);
  assert.equal(textIn(folder, ".dev.vars.example"), mine[".dev.vars.example"]);
  assert.match(textIn(folder, ".gitignore"), /^dist\n(.*\n)*\.dev\.vars\*\n/);
  const about = JSON.parse(textIn(folder, "package.json"));
  assert.equal(about.name, "mine");
  assert.equal(about.scripts.check, "access-relay check");

  // What init has written itself is its own to write again.
  const again = makeFolder();
  await json(again, emulator.app_local_url, server.url);
  const second = await json(again, emulator.app_local_url, emulator.api_local_url, "--overwrite");
  assert.deepEqual([second.form, second.status, second.left], ["route", 0, []]);
  assert.ok(textIn(again, "wrangler.toml").includes(emulator.api_local_url));

  // Somebody else's wrangler file stays, whatever is said.
  await relay(folder, "init", ...words, "--yes", "--overwrite");
  assert.equal(textIn(folder, "wrangler.toml"), mine["wrangler.toml"]);
  assert.equal(textIn(folder, ".dev.vars.example"), mine[".dev.vars.example"]);
});

test("in a project it proposes the form that fits, adds what is missing, and brings no page", async () => {
  const vite = makeFolder({ "package.json": '{\n  "name": "@acme/shop",\n  "scripts": { "dev": "vite", "deploy": "gh-pages -d dist" },\n  "devDependencies": { "vite": "^8.0.0" }\n}\n', "vite.config.ts": "export default {};\n", "index.html": "<p>mine</p>\n" });
  const found = await json(vite, emulator.app_local_url, emulator.api_local_url, "--yes");
  assert.equal(found.form, "vite");
  assert.ok(found.left.some((line) => line.includes("plugins: [cloudflare()]")), found.left.join("\n"));
  assert.ok(found.left.some((line) => line.startsWith('package.json has a script deploy of its own, which stays: let it begin with "access-relay check &&"') && line.endsWith("npx access-relay check && npx vite build && npx wrangler deploy")), found.left.join("\n"));
  assert.equal(textIn(vite, "index.html"), "<p>mine</p>\n");
  assert.equal(textIn(vite, "vite.config.ts"), "export default {};\n");
  assert.match(textIn(vite, "wrangler.jsonc"), /"name": "acme-shop"/);
  const about = JSON.parse(textIn(vite, "package.json"));
  assert.deepEqual([about.scripts.dev, about.scripts.deploy], ["vite", "gh-pages -d dist"]);
  assert.ok(about.devDependencies["@cloudflare/vite-plugin"]);
  assert.deepEqual(filesOf(vite), [".dev.vars.example", ".gitignore", "index.html", "package.json", "vite.config.ts", "wrangler.jsonc"]);

  const pages = makeFolder({ "wrangler.jsonc": '{ "pages_build_output_dir": "dist" }', "dist/index.html": "" });
  const other = await json(pages, emulator.app_local_url, emulator.api_local_url);
  assert.equal(other.form, "pages");
  assert.ok(existsSync(join(pages, "functions", "api", "[[path]].ts")));
  assert.ok(other.left.some((line) => line.startsWith("Add RELAY to wrangler.jsonc, which is there and stays as it is:\n\n     {\n       \"vars\": {")), other.left.join("\n"));
  assert.equal(textIn(pages, "wrangler.jsonc"), '{ "pages_build_output_dir": "dist" }');

  const broken = makeFolder({ "package.json": "{" });
  assert.deepEqual((await relay(broken, "init", emulator.app_local_url, emulator.api_local_url)).err, "package.json: found no JSON object; mend it first\n");
  for (const [text, expected] of [["[]", "no JSON object"], ["null", "no JSON object"], ['{ "name": 5 }', "something else than a text as name"], ['{ "dependencies": "x" }', "something else than an object as dependencies"], ['{ "scripts": [] }', "something else than an object as scripts"]]) {
    const odd = makeFolder({ "package.json": text });
    const { status, err } = await relay(odd, "init", emulator.app_local_url, emulator.api_local_url);
    assert.deepEqual([status, err], [2, `package.json: found ${expected}; mend it first\n`]);
    assert.deepEqual(filesOf(odd), ["package.json"]);
  }
  const marked = makeFolder({ "package.json": '\ufeff{ "name": "mine", "scripts": {} }' });
  assert.equal((await json(marked, emulator.app_local_url, emulator.api_local_url, "--yes")).status, 0);

  // A second run sees what was done by hand.
  const own = makeFolder({ "wrangler.jsonc": '{ "main": "src/worker.js", "vars": {} }', "src/worker.js": "export default {};" });
  const first = await json(own, emulator.app_local_url, emulator.api_local_url);
  assert.equal(first.form, "wrap");
  assert.ok(first.left.some((line) => line.includes('pathname.startsWith("/api/")) return relay.fetch(request, env, ctx);')), first.left.join("\n"));
  writeFileSync(join(own, "src/worker.js"), 'import relay from "access-relay";');
  writeFileSync(join(own, "wrangler.jsonc"), `{ "main": "src/worker.js", ${first.left[0].slice(first.left[0].indexOf("{") + 1)}`);
  assert.deepEqual((await json(own, emulator.app_local_url, emulator.api_local_url)).left, []);


  const assets = makeFolder({ "public/index.html": "<p>mine</p>" });
  assert.equal((await json(assets, emulator.app_local_url, emulator.api_local_url)).form, "assets");
  assert.match(textIn(assets, "wrangler.jsonc"), /"directory": "public"/);
  assert.equal(textIn(assets, "public/index.html"), "<p>mine</p>");
});

test("on a terminal it asks for what is missing, and takes no for an answer", { skip: process.platform !== "linux" && "a terminal is made with Linux's script(1)" }, async () => {
  /** Types lines at a terminal, each once its question is there. */
  const typed = (folder, words, lines) =>
    new Promise((resolve, reject) => {
      const command = [process.execPath, join(unpacked, "cli", "main.mjs"), "init", ...words].map((word) => `'${word}'`).join(" ");
      const child = execFile("script", ["--quiet", "--return", "--command", command, "/dev/null"], { cwd: folder, timeout: 30_000 }, (error, out) => (error?.killed ? reject(new Error(`it waits:\n${out}`)) : resolve({ status: error?.code ?? 0, out })));
      let [seen, next] = ["", 0];
      child.stdout.on("data", (text) => {
        seen += text;
        const question = lines[next]?.[0];
        if (question?.test(seen)) {
          seen = "";
          child.stdin.write(`${lines[next++][1]}\n`);
        }
      });
    });
  const folder = makeFolder({ ".gitignore": "dist\n" });
  const { status, out } = await typed(folder, [], [
    [/The form \(route: .*\[route\]: /, "rute"],
    [/write one of route, assets, wrap, pages, vite[^]*\[route\]: /, ""],
    [/The page's address.*: /, emulator.app_local_url],
    [/The API's address.*: /, emulator.api_local_url],
    [/\.gitignore is there\. Add \.wrangler\/, .*\? \[Y\/n\]: /, "n"],
  ]);
  assert.equal(status, 1, out);
  assert.equal(textIn(folder, ".gitignore"), "dist\n");
  assert.match(textIn(folder, "wrangler.toml"), new RegExp(`issuer = "${emulator.issuer}"`));

  // What nobody can see from outside is asked for, and may stay open.
  const unknown = makeFolder();
  const open = await typed(unknown, ["--form", "route", server.url, emulator.api_local_url], [
    [/The Access team's address.*: /, "https://acme.cloudflareaccess.com"],
    [/The AUD tag of the page's application.*: /, ""],
  ]);
  assert.equal(open.status, 1, open.out);
  assert.match(textIn(unknown, "wrangler.toml"), /issuer = "https:\/\/acme\.cloudflareaccess\.com"\naudience = \["<AUD tag of the page>"\]/);

  // Whoever leaves has nothing written.
  const left = makeFolder();
  const gone = await typed(left, [], [[/The form .*: /, "\x03"]]);
  assert.equal(gone.status, 130, gone.out);
  assert.match(gone.out, /Nothing was written\./);
  assert.doesNotMatch(gone.out, /\bat .*\.mjs/);
  const ended = await typed(left, [], [[/The form .*: /, "\x04"]]);
  assert.equal(ended.status, 130, ended.out);
  assert.deepEqual(filesOf(left), []);
});
