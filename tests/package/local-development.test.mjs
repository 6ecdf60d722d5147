// docs/local-development.md, followed step by step: its files, in a project that has the package, and its commands. Only the
// example hosts become the emulator's and a recorder's.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { root } from "../../scripts/tools.mjs";
import { startEmulator } from "../support/emulator.mjs";
import { fill, readGuide } from "../support/guide.mjs";
import { makeFolder } from "../support/processes.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { tarball } from "../support/tarball.mjs";
import { openTerminal } from "../support/terminal.mjs";

const VITE = "8.3.8";
const WRANGLER = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).devDependencies.wrangler;
const service = { id: "0123.access", secret: "cfast_5eC4e7C0" + "5eC4e7C0".repeat(4) };
const email = "ada@example.com";

const guide = readGuide("local-development.md");
const secrets = { "<Client ID>": service.id, "<Client Secret>": service.secret };
/** No inspector and no keys to press, and any free port. */
const QUIET = "--port 0 --inspector-port 0 --show-interactive-dev-session=false";

let folder, terminal, emulator, api, token;

before(async () => {
  folder = makeFolder();
  mkdirSync(join(folder, "programs"));
  terminal = openTerminal(folder, { programs: join(folder, "programs") });
  [api, emulator] = await Promise.all([startRecorder(), startEmulator()]);
  api.upgrade = acceptSocket;
  api.answer = (_, response) => response.writeHead(200, { "content-type": "text/plain", "set-cookie": "api_session=1" }).end("hello");
  token = await emulator.mint({ email });

  write("package.json", JSON.stringify({ name: "my-app", private: true, type: "module" }));
  await terminal.run(`npm install --prefer-offline --no-audit --no-fund '${tarball()}' wrangler@${WRANGLER} vite@${VITE}`);
  const examples = {
    "https://acme.cloudflareaccess.com": emulator.issuer,
    "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2": emulator.app_aud,
    "https://api.example.com": api.url,
  };
  write("wrangler.toml", fill(guide("Local development").files["wrangler.toml"], examples));
  write("index.html", "<!doctype html><title>my page</title>");
  // What stands for cloudflared knows the page's application only, and prints the token without a line's end, as cloudflared does.
  write("programs/cloudflared", `#!/bin/sh\n[ "$*" = "access token --app=https://app.example.com" ] && printf %s '${token}'\n`);
  chmodSync(join(folder, "programs", "cloudflared"), 0o755);
});
after(() => Promise.all([emulator?.stop(), api?.stop()]));
beforeEach(() => api.requests.splice(0));

test("against the real API, with a token of one's own, and behind Vite", async (t) => {
  const { files, commands } = guide("Against the real API");
  write(".dev.vars", fill(files[".dev.vars"], secrets));
  const relay = await serve(t, `${commands[0]} ${QUIET}`);
  const at = { port: relay.port, path: "/api/notes" };

  await t.test("nobody is let in", async () => {
    refused(await ask(at), 401, "unauthenticated");
    refused(await ask({ ...at, headers: { "cf-access-token": token } }), 401, "unauthenticated");
  });

  await t.test("a program sends the token in the header", async () => {
    forwarded(await ask({ ...at, headers: { "cf-access-jwt-assertion": token } }), { email });
  });

  await t.test("a browser sends the cookie that its console has set", async () => {
    const line = readFileSync(join(root, "docs", "local-development.md"), "utf8").match(/^document\.cookie = "(\w+)=<token>; path=\/; SameSite=Strict"$/m);
    const host = `localhost:${relay.port}`;
    const cookie = `theme=dark; ${line[1]}=${token}`;
    const seen = forwarded(await ask({ ...at, method: "POST", headers: { host, origin: `http://${host}`, cookie } }), { email });
    const { origin, "x-forwarded-proto": scheme } = seen;
    assert.deepEqual({ origin, scheme }, { origin: "http://app.example.com", scheme: "http" });
  });

  await t.test("it listens on this machine only", async () => {
    const others = Object.values(networkInterfaces()).flat().filter(({ internal, family }) => !internal && family === "IPv4");
    for (const { address } of others) assert.equal(await accepts(address, relay.port), false, address);
    assert.equal(await accepts("127.0.0.1", relay.port), true);
  });

  await behindVite(t, relay);

  await t.test(".dev.vars is read at the start", async () => {
    write(".dev.vars", openVars());
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    refused(await ask(at), 401, "unauthenticated");
  });
});

async function behindVite(t, relay) {
  const { files, commands } = guide("Behind `vite dev`");
  const config = fill(files["vite.config.ts"], { "http://127.0.0.1:8787": `http://127.0.0.1:${relay.port}` });
  write("vite.config.ts", config);
  write("api-client.ts", "export const mine = true;\n");
  write("changed.config.ts", fill(config, { "changeOrigin: false": "changeOrigin: true" }));
  write("short.config.ts", `export default { server: { proxy: { "/api/": "http://127.0.0.1:${relay.port}" } } };\n`);
  const start = (line, more = "") => serve(t, `${line} --port 0 --host 127.0.0.1 ${more}`);
  const [withToken, without, changed, short] = await Promise.all([
    start(commands[0]),
    start("npx vite"),
    start(commands[0], "--config changed.config.ts"),
    start("npx vite", "--config short.config.ts"),
  ]);

  /** What a browser sends for a page that Vite serves; `said` is `Sec-Fetch-Site`. */
  const page = ({ port }, { host = "localhost", said = "same-origin", ...rest } = {}) => {
    const [name, origin] = [`${host}:${port}`, `http://${host}:${port}`];
    const { headers, ...more } = rest;
    return ask({ port, path: "/api/notes", ...more, headers: { host: name, origin, ...(said ? { "sec-fetch-site": said } : {}), ...headers } });
  };
  const socket = { headers: { connection: "Upgrade", upgrade: "websocket", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-version": "13" } };
  const post = { method: "POST", body: "hello" };

  await t.test("Vite: calls and WebSockets of its page pass, in one's own name", async () => {
    forwarded(await page(withToken), { email });
    forwarded(await page(withToken, post), { email });
    forwarded(await page(withToken, { ...post, said: "" }), { email });
    forwarded(await page(withToken, { ...socket, said: "" }), { email, status: 101 });
  });

  await t.test("Vite: without a token, the cookie counts", async () => {
    refused(await page(without), 401, "unauthenticated");
    forwarded(await page(without, { ...post, headers: { cookie: `theme=dark; CF_Authorization=${token}` } }), { email });
  });

  await t.test("Vite: a file of the project stays one", async () => {
    const { status, text } = await ask({ port: withToken.port, path: "/api-client.ts", headers: { host: `localhost:${withToken.port}` } });
    assert.match(`${status} ${text}`, /^200 export const mine = true/);
    assert.equal(api.requests.length, 0);
  });

  await t.test("Vite: pages of other origins stay out, though the token is attached", async () => {
    const evil = { headers: { origin: "https://evil.example" }, said: "cross-site" };
    refused(await page(withToken, { ...post, ...evil }), 403, "cross_origin_blocked");
    refused(await page(withToken, evil), 403, "cross_origin_blocked");
  });

  await t.test("Vite: with changeOrigin, only Sec-Fetch-Site lets a call pass", async () => {
    const cookie = `CF_Authorization=${token}`;
    forwarded(await page(changed, post), { email });
    refused(await page(changed, { ...post, said: "" }), 403, "cross_origin_blocked");
    refused(await page(changed, { ...socket, said: "" }), 403, "cross_origin_blocked");
    forwarded(await page(short, { ...post, headers: { cookie } }), { email });
    refused(await page(short, { ...post, headers: { cookie }, said: "" }), 403, "cross_origin_blocked");
  });
}

test("against the real API, as a person of one's choice", async (t) => {
  const { files } = guide("As a person of your choice");
  const deployed = readFileSync(join(folder, "wrangler.toml"), "utf8");
  t.after(() => write("wrangler.toml", deployed));
  write(".dev.vars", fill(files[".dev.vars"], { ...secrets, "https://api.example.com": api.url }));
  const forged = { "mf-access-blob": JSON.stringify({ app_aud: "local", jwt_claims: { user_uuid: "evil", email: "evil@example.com" } }) };
  const told = ({ "x-forwarded-user": user, "x-forwarded-groups": groups, ...rest }) => {
    assert.deepEqual(Object.keys(rest).filter((name) => name.startsWith("mf-")), []);
    return [user, groups];
  };

  await t.test("wrangler plays Access, and says who the person is", async (t) => {
    write("wrangler.toml", deployed + files["wrangler.toml"]);
    const relay = await serve(t, `npx wrangler dev ${QUIET}`);
    for (const headers of [{}, forged, { "x-forwarded-user": "evil", "x-forwarded-groups": "admins" }]) {
      assert.deepEqual(told(forwarded(await ask({ port: relay.port, path: "/api/notes", headers }), { email })), ["ada-1", "engineering"]);
    }
    refused(await ask({ port: relay.port, path: "/api/notes", headers: { origin: "https://evil.example", "sec-fetch-site": "cross-site" } }), 403, "cross_origin_blocked");
  });

  await t.test("without an identity, a program has no name", async (t) => {
    write("wrangler.toml", deployed + files["wrangler.toml"].replace(/^identity.*$/m, ""));
    const relay = await serve(t, `npx wrangler dev ${QUIET}`);
    assert.deepEqual(told(forwarded(await ask({ port: relay.port, path: "/api/notes", headers: forged }), { email: undefined })), [undefined, undefined]);
  });

  await t.test("without access.dev, nobody is let in, whoever writes the header that wrangler has for it", async (t) => {
    write("wrangler.toml", deployed);
    const relay = await serve(t, `npx wrangler dev ${QUIET}`);
    for (const headers of [{}, forged, { "cf-access-jwt-assertion": token }]) refused(await ask({ port: relay.port, path: "/api/notes", headers }), 401, "unauthenticated");
  });

  await t.test("wrangler deploys nothing of it", async () => {
    write("wrangler.toml", deployed + files["wrangler.toml"]);
    assert.doesNotMatch(await terminal.run("npx wrangler deploy --dry-run --outdir dry-run"), /ada-1|ada@example|platform|"local"/);
  });
});

test("against the real API, without a token", async (t) => {
  write(".dev.vars", openVars());
  const relay = await serve(t, `npx wrangler dev --upstream-protocol https ${QUIET}`);
  const at = { port: relay.port, method: "POST", path: "/api/notes" };

  await t.test("everybody on this machine calls, in nobody's name", async () => {
    const host = `localhost:${relay.port}`;
    const seen = forwarded(await ask({ ...at, headers: { host, origin: `http://${host}`, cookie: "theme=dark" } }), { email: undefined });
    const { origin, "x-forwarded-proto": scheme } = seen;
    assert.deepEqual({ origin, scheme }, { origin: "https://app.example.com", scheme: "https" });
  });

  await t.test("pages of other origins stay out, but for one whose host leads here", async () => {
    refused(await ask({ ...at, headers: { origin: "https://evil.example", "sec-fetch-site": "cross-site" } }), 403, "cross_origin_blocked");
    const host = `evil.example:${relay.port}`;
    forwarded(await ask({ ...at, headers: { host, origin: `http://${host}`, "sec-fetch-site": "same-origin" } }), { email: undefined });
  });

  await t.test("$ stands for itself, and \\u0027 for an apostrophe", async () => {
    forwarded(await ask({ ...at, path: "/it's/$HOME" }), { email: undefined });
  });

  await t.test("wrangler deploy takes RELAY from the wrangler file", async () => {
    const output = await terminal.run("npx wrangler deploy --dry-run");
    assert.match(output, /env\.RELAY \(\{"access":\{"issuer":/);
    assert.doesNotMatch(output, /\.dev\.vars|CF_ACCESS_CLIENT_ID/);
  });
});

/** The file that lets everybody in, with one more route. */
function openVars() {
  const text = fill(guide("Without a token").files[".dev.vars"], { ...secrets, "https://api.example.com": api.url });
  return fill(text, { '"routes": [': `"routes": [{ "path": "/it\\u0027s/$HOME", "upstream": "${api.url}" }, ` });
}

test("against the emulator", async (t) => {
  const { files, commands, rows } = guide("Against the emulator");

  await t.test("the values are the emulator's own", () => {
    write("emulator.json", files["emulator.json"]);
    const run = commands.find((line) => line.startsWith("cargo run --package access-emulator -- --settings "));
    assert.ok(run.endsWith("/emulator.json"), run);
    const { status, stdout, stderr } = spawnSync(join(root, "target", "debug", "access-emulator"), ["--settings", join(folder, "emulator.json"), "--print-settings"], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    const settings = JSON.parse(stdout);
    assert.deepEqual([settings.app.port, settings.api.port, settings.team.port, settings.control.port], [8700, 8701, 8702, 8703]);
    assert.deepEqual([settings.app.hostname, settings.app.aud], ["app.example.localhost", emulator.app_aud]);
    assert.deepEqual(settings.service_token, { client_id: emulator.client_id, client_secret: emulator.client_secret });
    assert.deepEqual({ app: { backends: settings.app.backends }, api: { backend: settings.api.backend } }, JSON.parse(files["emulator.json"]));
  });

  write(".dev.vars", fill(files[".dev.vars"], { "http://127.0.0.1:8702": emulator.issuer, "http://127.0.0.1:8701": emulator.api_local_url }));
  for (const value of [emulator.app_aud, emulator.client_id, emulator.client_secret]) assert.ok(files[".dev.vars"].includes(value), value);
  rmSync(join(folder, "vite.config.ts"), { force: true });
  const relay = await serve(t, `npx wrangler dev ${QUIET}`);
  const vite = await serve(t, "npx vite --host 127.0.0.1 --port 0");
  const settings = JSON.parse(fill(files["emulator.json"], { 8787: relay.port, 5173: vite.port, 3000: api.port }));
  await emulator.control("/backends", { app: settings.app.backends, api: settings.api.backend });

  const { port, host } = new URL(emulator.app_url);
  const call = (path, { headers, ...rest } = {}) =>
    ask({ port, path, ...rest, headers: { host, origin: `http://${host}`, "sec-fetch-site": "same-origin", cookie: `theme=dark; CF_Authorization=${token}`, ...headers } });
  const credentials = { id: undefined, secret: undefined };

  await t.test("the emulator serves the page, and the relay's answers", async () => {
    const page = await call("/");
    assert.match(`${page.status} ${page.text}`, /^200 [^]*<title>my page/);
    forwarded(await call("/api/notes", { method: "POST" }), { email, credentials });
  });

  const [, ...asked] = rows;
  const handles = asked.map(([handle, body]) => [handle.match(/^`POST (\/[\w-]+)`$/)[1], body ? JSON.parse(body.slice(1, -1)) : undefined]);
  const bodies = Object.fromEntries(handles);
  const post = (handle, body) => emulator.control(handle, body);
  assert.deepEqual(Object.keys(bodies), ["/expire-sessions", "/rotate-keys", "/refuse-service-token", "/drop-connections"]);

  await t.test("a key rotation is not noticed", async () => {
    await post("/rotate-keys");
    forwarded(await call("/api/notes"), { email, credentials });
    const cookie = `CF_Authorization=${await emulator.mint({ email })}`;
    forwarded(await call("/api/notes", { headers: { cookie } }), { email, credentials });
  });

  await t.test("a refused service token", async () => {
    await post("/refuse-service-token", bodies["/refuse-service-token"]);
    refused(await call("/api/notes"), 502, "upstream_access_denied");
    await post("/refuse-service-token", { on: false });
    forwarded(await call("/api/notes"), { email, credentials });
  });

  await t.test("an API that is gone", async () => {
    await post("/drop-connections", bodies["/drop-connections"]);
    refused(await call("/api/notes"), 502, "upstream_unreachable");
    await post("/drop-connections", { ...bodies["/drop-connections"], on: false });
    forwarded(await call("/api/notes"), { email, credentials });
  });

  await t.test("an expired session", async () => {
    await post("/expire-sessions");
    const readable = await call("/api/notes", { headers: { "x-requested-with": "XMLHttpRequest" } });
    const { status, headers } = await call("/api/notes");
    assert.deepEqual([readable.status, status], [401, 302]);
    assert.ok(headers.location.startsWith(`${emulator.issuer}/cdn-cgi/access/login/`), headers.location);
    assert.equal(api.requests.length, 0);
  });

  await t.test("the emulator takes the commands as curl sends them", async () => {
    const lines = commands.map((line) => line.match(/^curl -X POST http:\/\/127\.0\.0\.1:8703(\/\S+)(?: --data '(.*)')?$/)).filter(Boolean);
    assert.equal(lines.length, 2);
    for (const [, handle, body] of lines) {
      const headers = body ? { "content-type": "application/x-www-form-urlencoded" } : {};
      const { status, text } = await ask({ port: new URL(emulator.control_url).port, method: "POST", path: handle, headers, body });
      assert.equal(`${status} ${text.trim()}`, '200 {"ok":true}', handle);
    }
  });
});

function write(name, text) {
  writeFileSync(join(folder, name), text);
}

/** Starts a server in the project, which ends with the test. */
async function serve(t, line) {
  const server = await terminal.serve(line);
  t.after(server.stop);
  return server;
}

/** A request as a browser writes it, with no header but its own; its answer, also to an upgrade. */
function ask({ port, path, method = "GET", headers = {}, body }) {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, method, headers, agent: false }, async (answer) => {
      let text = "";
      for await (const chunk of answer.setEncoding("utf8")) text += chunk;
      resolve({ status: answer.statusCode, headers: answer.headers, text, code: text.match(/"code":"(\w+)"/)?.[1] });
    });
    sent.on("upgrade", (answer, socket) => {
      socket.destroy();
      resolve({ status: answer.statusCode, headers: answer.headers, text: "" });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** The relay has refused, and the API knows nothing of it. */
function refused({ status, code, text }, expectedStatus, expectedCode) {
  assert.deepEqual({ status, code }, { status: expectedStatus, code: expectedCode }, text);
  assert.equal(api.requests.length, 0, "the API was called");
}

/**
 * The API was called once, with the service token and the caller's name, and without what the caller brought. The answer holds
 * neither the service token nor the API's cookie. Returns the headers that the API got.
 */
function forwarded(answer, { email, status = 200, credentials = service }) {
  assert.equal(answer.status, status, answer.text);
  const [{ headers, raw }, ...more] = api.requests.splice(0);
  assert.equal(more.length, 0, "the API was called once");
  assert.deepEqual([headers["cf-access-client-id"], headers["cf-access-client-secret"]], [credentials.id, credentials.secret]);
  assert.equal(headers["x-forwarded-email"], email);
  assert.equal(headers.cookie, undefined);
  assert.ok(!raw.includes(token), "the caller's token reached the API");
  const seen = JSON.stringify([answer.headers, answer.text]);
  for (const secret of [service.secret, emulator.client_secret]) assert.ok(!seen.includes(secret), seen);
  assert.equal(answer.headers["set-cookie"], undefined);
  return headers;
}

function acceptSocket(incoming, socket) {
  const accept = createHash("sha1").update(`${incoming.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  socket.on("error", () => {}).on("end", () => socket.destroy()).resume();
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
}

/** Whether something takes a connection there. */
function accepts(host, port) {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2_000 });
    const end = (result) => () => {
      socket.destroy();
      resolve(result);
    };
    socket.on("connect", end(true)).on("error", end(false)).on("timeout", end(false));
  });
}
