// The templates, by the steps of a user: npm installs the package, wrangler bundles it, and the dev servers answer.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { root } from "../../scripts/tools.mjs";
import { startEmulator } from "../support/emulator.mjs";
import { makeFolder } from "../support/processes.mjs";
import { readTemplate, startProject, wranglerFiles } from "../support/project.mjs";
import { sendRaw } from "../support/raw.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { version } from "../support/tarball.mjs";

const WRANGLER = ["--ip", "127.0.0.1", "--inspector-port", "0"];
const VITE = ["--host", "127.0.0.1", "--strictPort"];
const TOKEN = ["https://<team>.cloudflareaccess.com", "<AUD tag of the page>", "https://<API host>"];

/** What differs: the servers, the placeholders, what `/` answers, and what would be deployed. */
const templates = {
  route: { servers: { dev: WRANGLER }, placeholders: [...TOKEN, "<page host>", "<zone>"], page: [404, /"code":"not_found"/], deploy: dryRun },
  assets: { servers: { dev: WRANGLER }, placeholders: [...TOKEN, "<page host>"], page: [200, /<h1>My app<\/h1>/], deploy: dryRun },
  wrap: { servers: { dev: WRANGLER }, placeholders: [...TOKEN, "<page host>"], page: [200, /^Hello from my app/], deploy: dryRun },
  pages: { servers: { dev: WRANGLER }, placeholders: TOKEN, page: [200, /<h1>My app<\/h1>/], deploy: buildFunctions },
  vite: { servers: { dev: VITE, preview: VITE }, placeholders: [...TOKEN, "<page host>"], page: [200, /<h1>My app<\/h1>/], deploy: dryRun },
};

let api, emulator, folder, secrets, values;
before(async () => {
  folder = makeFolder();
  api = await startRecorder();
  emulator = await startEmulator({ api: { backend: api.url } });
  const [issuer, audience, upstream] = TOKEN;
  values = { [issuer]: emulator.issuer, [audience]: emulator.app_aud, [upstream]: emulator.api_local_url, "<page host>": "app.example.com", "<zone>": "example.com" };
  secrets = { CF_ACCESS_CLIENT_ID: emulator.client_id, CF_ACCESS_CLIENT_SECRET: emulator.client_secret };
});
after(() => Promise.all([emulator?.stop(), api?.stop()]));
beforeEach(() => api?.reset());

for (const [template, { servers, page, deploy }] of Object.entries(templates)) {
  test(`templates/${template}`, async (t) => {
    const project = startProject(template, folder);
    project.fillIn(values, secrets);
    assert.doesNotMatch(await project.install(join(folder, "npm-cache")), /install-scripts|EBADENGINE/, "npm warns of nothing");
    await t.test("the Wasm would be deployed as it is, and no secret", () => deploy(project));
    if (readTemplate(template, "package.json").includes('"typecheck"')) {
      await t.test("its types fit those that wrangler makes", () => project.script("typecheck"));
      await t.test("and a table of another shape does not", async () => {
        const file = wranglerFiles[template];
        project.change(file, /("?path"?)( =|:) "\/api"/, "$1$2 5");
        await assert.rejects(project.script("typecheck"), /RELAY[^]*Type 'number' is not assignable to type 'string'/);
        project.fillIn(values, secrets);
      });
    }
    for (const [script, args] of Object.entries(servers)) {
      await t.test(`npm run ${script}`, async (t) => {
        const server = await project.serve(script, args);
        t.after(server.stop);
        await expectDoor(server, page);
        assert.ok(!server.output().includes(emulator.client_secret), "the secret is not printed");
      });
    }
    if (template === "pages") {
      await t.test("as long as the placeholders stand, it serves nothing", async (t) => {
        project.fillIn({}, secrets);
        const server = await project.serve("dev", WRANGLER);
        t.after(server.stop);
        const answer = await call(server, "/api/x", { "cf-access-jwt-assertion": await emulator.mint() });
        assert.deepEqual([answer.status, answer.problem.code], [500, "misconfigured"]);
        assert.equal(api.requests.length, 0);
        const unnamed = () => ["access.issuer", "access.audience[0]", "routes[0].upstream"].filter((key) => !server.output().includes(`${key}: found `));
        for (let tries = 0; unnamed().length > 0 && tries < 50; tries++) await new Promise((resolve) => setTimeout(resolve, 100));
        assert.deepEqual(unnamed(), [], "the log names every value that is still to be written");
      });
    }
  });
}

test("what every template has", async (t) => {
  const rootDate = readFileSync(join(root, "wrangler.toml"), "utf8").match(/^compatibility_date = "(.+)"$/m)[1];
  assert.deepEqual(readdirSync(join(root, "templates")).toSorted(), Object.keys(templates).toSorted());
  for (const [template, { placeholders }] of Object.entries(templates)) {
    await t.test(template, () => {
      const [configuration, readme, ignored, example] = [wranglerFiles[template], "README.md", ".gitignore", ".dev.vars.example"].map((file) => readTemplate(template, file));
      const { name, private: own, scripts, dependencies, devDependencies, allowScripts, cloudflare } = JSON.parse(readTemplate(template, "package.json"));

      // A deploy button takes what is no comment for a secret, and its value for the one to deploy.
      assert.deepEqual(example.split("\n").filter((line) => line !== "" && !line.startsWith("#")), []);
      for (const secret of ["CF_ACCESS_CLIENT_ID", "CF_ACCESS_CLIENT_SECRET"]) {
        assert.match(example, new RegExp(`^# ${secret}="<`, "m"));
        assert.ok(scripts.secrets.includes(`secret put ${secret}`));
      }
      assert.deepEqual(Object.keys(cloudflare.bindings), ["RELAY", "CF_ACCESS_CLIENT_ID", "CF_ACCESS_CLIENT_SECRET"]);
      for (const line of ["node_modules/", ".wrangler/", ".dev.vars*", "!.dev.vars.example", ".env*", "!.env.example"]) assert.ok(ignored.split("\n").includes(line), line);

      assert.ok(own && name !== "access-relay", "npm installs no package into itself");
      assert.ok(inRange(version, dependencies["access-relay"]), `${dependencies["access-relay"]} takes ${version}`);
      assert.ok(Object.values(devDependencies).every((range) => range.startsWith("^")));
      assert.deepEqual(allowScripts, { esbuild: true, workerd: true });
      assert.equal(scripts.check, "access-relay check");
      assert.match(scripts.deploy, /^access-relay check && /);

      assert.deepEqual([...new Set(configuration.match(/(?:https:\/\/)?<[^>]+>[\w.]*/g))].toSorted(), placeholders.toSorted());
      for (const placeholder of placeholders) assert.ok(readme.includes(placeholder.match(/<.+>/)[0]), `README.md says what to write for ${placeholder}`);
      assert.ok(readme.split("\n").length <= 60, "README.md is one screen");

      // Vite's plugin brings a runtime of its own, which refuses a date that it does not know yet.
      const date = configuration.match(/compatibility_date"?(?: =|:) "(.+)"/)[1];
      assert.ok(template === "vite" ? date <= rootDate : date === rootDate, date);
      // Comments stand on lines of their own, so that what is left is plain JSON.
      if (configuration.startsWith("//")) JSON.parse(configuration.replaceAll(/^ *\/\/.*$/gm, ""));
      else assert.ok(configuration.split("\n").every((line) => line.startsWith("#") || !line.includes("#")));
    });
  }
});

/** The door at /api is open for a person's token only, and nothing else leads to the API. */
async function expectDoor(server, page) {
  const token = await emulator.mint();
  for (const [path, headers] of [["/api/x", {}], ["/api", {}], ["/api/x", { "cf-access-jwt-assertion": `${token}x` }]]) {
    const answer = await call(server, path, headers);
    assert.deepEqual([answer.status, answer.type, answer.problem.code], [401, "application/problem+json", "unauthenticated"]);
  }
  // A link that somebody follows: nothing in front of the relay may take it for the app's own.
  const link = ["GET /api/x HTTP/1.1", `Host: 127.0.0.1:${server.port}`, "Connection: close", "Accept: text/html", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Sec-Fetch-Site: none"];
  assert.equal((await sendRaw(server.port, [...link, "", ""].join("\r\n"))).status, 401);
  for (const path of ["/", "/apiary", "/.dev.vars"]) {
    const answer = await call(server, path, { "cf-access-jwt-assertion": token, accept: "text/html" });
    assert.ok(!answer.text.includes(emulator.client_secret), path);
    if (path !== "/") continue;
    assert.equal(answer.status, page[0]);
    assert.match(answer.text, page[1]);
  }
  assert.deepEqual(api.requests, [], "the API is not called");

  for (const [path, headers] of [["/api/x?y=1", { "cf-access-jwt-assertion": token, cookie: "session=the-callers" }], ["/api", { cookie: `CF_Authorization=${token}` }]]) {
    const answer = await call(server, path, headers, { method: "POST", body: "a body" });
    assert.deepEqual([answer.status, answer.text], [200, "hello"]);
    const [request] = api.requests.splice(0);
    assert.deepEqual([request.method, request.url, request.body.toString()], ["POST", path, "a body"]);
    assert.equal(request.headers.cookie, undefined);
    const [, claims] = request.headers["cf-access-jwt-assertion"].split(".");
    assert.equal(JSON.parse(Buffer.from(claims, "base64url")).common_name, emulator.client_id);
  }
}

async function call(server, path, headers = {}, options = {}) {
  const answer = await fetch(server.url + path, { redirect: "manual", headers, ...options });
  const [type, text] = [answer.headers.get("content-type"), await answer.text()];
  return { status: answer.status, type, text, problem: type === "application/problem+json" ? JSON.parse(text) : {} };
}

/** What `npm run deploy` would upload. */
async function dryRun(project) {
  const said = await project.script("deploy", "--dry-run", "--outdir", "uploaded");
  assert.match(said, /\[vars\.RELAY\] is sound[^]*env\.RELAY/);
  assert.doesNotMatch(said, /env\.CF_ACCESS_CLIENT/);
  expectUploaded(join(project.path, "uploaded"));
}

/** The same for Pages, which has no dry run. */
async function buildFunctions(project) {
  const build = (...args) => project.program("wrangler", "pages", "functions", "build", ...args);
  await build("--outdir", "uploaded");
  expectUploaded(join(project.path, "uploaded"));
  await build("--project-directory", ".", "--build-metadata-path", "metadata.json", "--outfile", "bundle");
  const bundle = readFileSync(join(project.path, "bundle"), "latin1");
  assert.match(bundle, /"bindings":\[\{"name":"RELAY","type":"json","json":\{"access":/);
  assert.ok(!bundle.includes(emulator.client_secret));
}

function expectUploaded(path) {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const wasm = files.filter((file) => file.endsWith(".wasm"));
  assert.equal(wasm.length, 1);
  assert.ok(readFileSync(wasm[0]).equals(readFileSync(join(root, "build", "index_bg.wasm"))));
  for (const file of files) assert.ok(!readFileSync(file, "latin1").includes(emulator.client_secret), file);
}

/** Whether a caret range takes a version: the first number that differs is larger, and a number before it is not 0. */
function inRange(version, range) {
  const [wanted, found] = [range.slice(1), version].map((text) => text.split(".").map(Number));
  const first = wanted.findIndex((number, place) => number !== found[place]);
  return first === -1 || (found[first] > wanted[first] && wanted.slice(0, first).some((number) => number > 0));
}
