// docs/comparison.md: the cells that say [T] are tried here, on Cloudflare's sample Worker, written anew, and on Hono with the
// middleware that its documentation shows, as they come.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { buildSync } from "esbuild";
import { root } from "../../scripts/tools.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { startScript } from "../support/workerd.mjs";

const HONO = `import { Hono } from "hono";
import { cors } from "hono/cors";
import { csrf } from "hono/csrf";
import { proxy } from "hono/proxy";
const app = new Hono();
app.use("*", cors({ origin: ["https://admin.example.com"], credentials: true }));
app.use("*", csrf());
app.all("*", (context) => proxy(Object.assign(new URL(context.req.url), { host: context.env.API_HOST }), { ...context.req, redirect: "manual" }));
export default app;`;

let api, workers;
before(async () => {
  api = await startRecorder();
  api.upgrade = acceptSocket;
  const variables = JSON.stringify({ API_HOST: `127.0.0.1:${api.port}`, CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: "the-secret" });
  const served = (text) => startScript({ "index.js": `import worker from "./worker.js"; export default { fetch: (request, env, ctx) => worker.fetch(request, ${variables}, ctx) };`, "worker.js": text }, { network: true });
  const { outputFiles } = buildSync({ stdin: { contents: HONO, resolveDir: root }, bundle: true, format: "esm", write: false });
  workers = { sample: await served(readFileSync(join(root, "bench", "peers", "sample.mjs"), "utf8")), hono: await served(outputFiles[0].text) };
});
after(() => Promise.all([api?.stop(), ...Object.values(workers ?? {}).map((worker) => worker.stop())]));
beforeEach(() => {
  api.reset();
  api.answer = (_, response) => response.writeHead(200, { "access-control-allow-origin": "https://of-the-api.example", "set-cookie": "session=1" }).end("hello");
});

const foreign = { origin: "https://evil.example", "sec-fetch-site": "cross-site", cookie: "CF_Authorization=the-persons" };
const preflight = (origin) => ["OPTIONS", { origin, "access-control-request-method": "PURGE", "access-control-request-headers": "x-odd" }];

/** What each does: its answer, and what the API got. */
const rows = [
  ["a preflight of an allowed origin", preflight("https://admin.example.com"), { sample: { status: 200, asked: 1 }, hono: { status: 204, asked: 0 } }],
  ["a preflight that asks for too much", preflight("https://admin.example.com"), { sample: { status: 200 }, hono: { status: 204, allowed: "https://admin.example.com", headers: "x-odd" } }],
  ["CORS headers of the API", ["GET", {}], { sample: { allowed: "https://of-the-api.example" }, hono: { allowed: "https://of-the-api.example" } }],
  ["what the caller says for Access or a proxy", ["GET", { "cf-access-jwt-assertion": "forged", "x-forwarded-email": "evil@example.com", cookie: "a=1" }], { sample: { asked: 1, believed: true }, hono: { asked: 1, believed: true } }],
  ["a cookie of the API", ["GET", {}], { sample: { cookies: 0 }, hono: { cookies: 1 } }],
  ["JSON of a foreign page", ["POST", { ...foreign, "content-type": "application/json" }], { sample: { asked: 1 }, hono: { asked: 1 } }],
  ["a form of a foreign page", ["POST", { ...foreign, "content-type": "text/plain" }], { sample: { asked: 1 }, hono: { asked: 0, status: 403 } }],
  ["a script that a foreign page loads", ["GET", { ...foreign, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script" }], { sample: { asked: 1 }, hono: { asked: 1 } }],
  ["a WebSocket", ["GET", { connection: "Upgrade", upgrade: "websocket", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-version": "13" }], { sample: { status: 101 }, hono: { status: 200 } }],
];

for (const [what, [method, headers], expected] of rows) {
  for (const name of ["sample", "hono"]) {
    test(`${name}: ${what}`, async () => {
      const answer = await ask(workers[name].port, method, headers);
      const [got] = api.requests;
      const seen = {
        status: answer.status,
        asked: api.requests.length,
        allowed: answer.headers["access-control-allow-origin"],
        headers: answer.headers["access-control-allow-headers"],
        cookies: (answer.headers["set-cookie"] ?? []).length,
        believed: got?.headers["cf-access-jwt-assertion"] === "forged" && got.headers["x-forwarded-email"] === "evil@example.com" && got.headers.cookie === "a=1",
      };
      for (const [key, value] of Object.entries(expected[name])) assert.equal(seen[key], value, `${key}: ${JSON.stringify(seen)}`);
    });
  }
}

for (const name of ["sample", "hono"]) {
  test(`${name}: a redirect of the API`, async () => {
    const location = `${api.url}/login`;
    api.answer = (_, response) => response.writeHead(302, { location }).end();
    const answer = await ask(workers[name].port, "GET", {});
    assert.deepEqual([answer.status, answer.headers.location], [302, location]);
  });
}

test("docs/comparison.md says so in its cells, and nowhere else", () => {
  const table = readFileSync(join(root, "docs", "comparison.md"), "utf8").split("\n").filter((line) => line.startsWith("| "));
  const marked = table.filter((line) => line.includes("[T]")).map((line) => line.split(" | ")[0].slice(2));
  assert.deepEqual(marked, [
    "answers preflights without the API",
    "refuses a preflight that asks for too much",
    "CORS headers of the real answer",
    "drops what the caller says for Access or a proxy",
    "strips `Set-Cookie`",
    "leads redirects of the API back",
    "keeps foreign pages from writing with the cookie",
    "keeps foreign pages from loading by images, scripts, frames",
    "WebSockets",
  ]);
});

function ask(port, method, headers) {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path: "/api/x", method, headers, agent: false }, (answer) => {
      answer.resume().on("end", () => resolve({ status: answer.statusCode, headers: answer.headers }));
    });
    sent.on("upgrade", (answer, socket) => {
      socket.destroy();
      resolve({ status: answer.statusCode, headers: answer.headers });
    });
    sent.on("error", reject).end();
  });
}

function acceptSocket(incoming, socket) {
  const accept = createHash("sha1").update(`${incoming.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  socket.on("error", () => {}).on("end", () => socket.destroy()).resume();
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
}
