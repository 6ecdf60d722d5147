// What several files of tests/workerd/ set up: an API that a test tells what to answer, Access in front, and the relay between them.
// All of it ends after the last test of the file, and before each test the API forgets what came.

import { after, beforeEach } from "node:test";
import { startEmulator } from "./emulator.mjs";
import { audience, startIssuer } from "./issuer.mjs";
import { sendRaw } from "./raw.mjs";
import { startRecorder } from "./recorder.mjs";
import { startRelay } from "./workerd.mjs";

// With capitals, as Access's newer secrets have them: names of headers come in lower case.
export const SECRET = "cfast_5eC4e7C0" + "5eC4e7C0".repeat(4);
export const secrets = { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: SECRET };

/** An issuer in this process, and routes of every kind. `send` writes a request to the relay, as `sendTo` does. */
export async function startWithIssuer() {
  let api, issuer, relay;
  after(() => Promise.all([relay?.stop(), issuer?.stop(), api?.stop()]));
  beforeEach(() => api.reset());
  [api, issuer] = await Promise.all([startRecorder(), startIssuer()]);
  relay = await startRelay({
    relay: {
      access: { issuer: issuer.url, audience: [audience] },
      routes: [
        { path: "/api", upstream: api.url, strip_prefix: true, request_cookies: ["theme"], response_cookies: ["session"] },
        { path: "/whole", upstream: api.url, credentials: "caller-token", callback_paths: ["/whole/auth/callback"] },
        { path: "/open", upstream: api.url, foreign_requests: "all", documents: "allow" },
        { path: "/none", upstream: api.url, foreign_requests: "none" },
        { path: "/preflights", upstream: api.url, cors: { allowed_origins: ["https://admin.example.com"], allow_credentials: true, preflight: "upstream" } },
      ],
    },
    secrets,
  });
  const token = issuer.token();
  return {
    api,
    issuer,
    relay,
    token,
    /** The line that lets a person in. */
    login: `Cf-Access-Jwt-Assertion: ${token}`,
    send: (method, path, lines, rest) => sendTo(relay.port, method, path, lines, rest),
  };
}

/** The emulator as Access, a CORS policy, and a line of the log for each request. `call` fetches from the relay in a person's name. */
export async function startWithEmulator() {
  let api, emulator, relay;
  after(() => Promise.all([relay?.stop(), emulator?.stop(), api?.stop()]));
  beforeEach(() => api.reset());
  api = await startRecorder();
  emulator = await startEmulator();
  const token = await emulator.mint({ email: "ada@example.com", sub: "ada-1" });
  relay = await startRelay({
    relay: {
      access: { issuer: emulator.issuer, audience: [emulator.app_aud] },
      routes: [
        { path: "/api", upstream: `${api.url}/base`, response_cookies: ["theme"] },
        { path: "/stripped", upstream: `${api.url}/v1`, strip_prefix: true, request_cookies: ["theme"] },
        { path: "/own", upstream: api.url, credentials: "caller-token", request_cookies: ["*"] },
        { path: "/slow", upstream: api.url, timeout_ms: 300 },
        { path: "/gone", upstream: "http://127.0.0.1:9" },
      ],
      cors: { allowed_origins: ["https://admin.example.com"], allowed_methods: ["PUT"], allowed_headers: ["content-type"], exposed_headers: ["x-total"], allow_credentials: true, max_age: 60 },
      log: "requests",
    },
    secrets: { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: "s3cr3t-value" },
  });
  const call = (path, { headers = {}, ...rest } = {}) =>
    fetch(relay.url + path, { redirect: "manual", headers: { "cf-access-jwt-assertion": token, ...headers }, ...rest });
  return { api, emulator, relay, token, call };
}

/** A request as it is written; its answer, with the headers by name. */
export async function sendTo(port, method, path, lines = [], { body = "" } = {}) {
  const head = [`${method} ${path} HTTP/1.1`, "Host: app.example.com", "Connection: close", ...lines, "", body].join("\r\n");
  const { headers: found, ...answer } = await sendRaw(port, head);
  const headers = {};
  for (const line of found) {
    const [, name, value] = line.match(/^([^:]+): ?(.*)$/);
    headers[name.toLowerCase()] = headers[name.toLowerCase()] === undefined ? value : `${headers[name.toLowerCase()]}, ${value}`;
  }
  return { ...answer, headers, code: answer.body.match(/"code":"(\w+)"/)?.[1] };
}
