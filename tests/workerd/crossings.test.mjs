// How often a request crosses the border between JavaScript and Wasm, and by which functions, each named where it first
// appears: docs/performance.md has the table, and this keeps it true. Counts, not times: they are the same on every machine.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "../../scripts/tools.mjs";
import { audience, startIssuer } from "../support/issuer.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { startRelay } from "../support/workerd.mjs";

/** Notes each call in either direction, but those that only get memory for a text. */
const COUNTING = `
globalThis.crossings = [];
const { Instance } = WebAssembly;
WebAssembly.Instance = function (module, imports) {
  const noting = (functions) => Object.fromEntries(Object.entries(functions).map(([name, value]) => {
    if (typeof value !== "function" || /malloc|realloc|free|start|init/.test(name)) return [name, value];
    const short = /closures_+invoke/.test(name) ? "invoke" : name.replace(/^(?:_*(?:wbg|wbindgen)_+)*|_+[0-9a-f]{16}$/g, "");
    return [name, function (...given) { crossings.push(short); return value.apply(this, given); }];
  }));
  return { exports: noting(new Instance(module, Object.fromEntries(Object.entries(imports).map(([name, functions]) => [name, noting(functions)]))).exports) };
};
`;

let api, issuer, relay;

before(async () => {
  issuer = await startIssuer();
  api = await startRecorder();
  relay = await startRelay({
    relay: {
      access: { issuer: issuer.url, audience: [audience] },
      routes: [
        { path: "/api", upstream: api.url },
        { path: "/cors", upstream: api.url, cors: { allowed_origins: ["https://admin.example.com"], allow_credentials: true } },
      ],
    },
    secrets: { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: "s3cr3t-value" },
    before: COUNTING,
    handle: 'if (request.url.endsWith("/crossings")) return Response.json(crossings.splice(0));',
  });
});
after(() => Promise.all([relay?.stop(), api?.stop(), issuer?.stop()]));

const crossings = async () => (await fetch(`${relay.url}/crossings`)).json();

test("crossings are those that docs/performance.md lists", async () => {
  const page = readFileSync(join(root, "docs/performance.md"), "utf8");
  const documented = Object.fromEntries(
    [...page.matchAll(/^\| (.+?) \| (\d+) \| (.+?) \|$/gm)].map(([, work, count, names]) => [work, [Number(count), names]]),
  );
  const good = issuer.token();
  const assertion = (token) => ({ "cf-access-jwt-assertion": token, "cf-connecting-ip": "203.0.113.7", "sec-fetch-site": "same-origin" });
  const origin = { origin: "https://admin.example.com" };
  const preflight = { ...origin, "access-control-request-method": "GET" };
  const works = [
    ["a relayed GET, warm", "/api/x", { headers: assertion(good) }, 200],
    ["a token never seen", "/api/x", { headers: assertion(issuer.token({ email: "grace@example.com" })) }, 200],
    ["the same of another origin that may", "/cors/x", { headers: { ...assertion(good), ...origin } }, 200],
    ["a text that is no token", "/api/x", { headers: assertion("x") }, 401],
    ["an allowed preflight", "/cors/x", { method: "OPTIONS", headers: preflight }, 204],
    ["a refused preflight", "/cors/x", { method: "OPTIONS", headers: { ...preflight, origin: "https://evil.example" } }, 403],
  ];
  // What the first requests do once: configuration, keys, a pool of randomness, the token; last, what is measured first: the
  // edits of an answer cross where they are not those of the answer before.
  for (const [, path, init] of works.slice(0, 3).reverse()) await fetch(relay.url + path, init);
  const measured = {};
  for (const [work, path, init, status] of works) {
    if (work === "a token never seen") init.headers["cf-access-jwt-assertion"] = issuer.token({ email: "joan@example.com" });
    await crossings();
    assert.equal((await fetch(relay.url + path, init)).status, status, work);
    const names = await crossings();
    measured[work] = [names.length, [...new Set(names)].join(", ")];
  }
  assert.deepEqual(Object.fromEntries(works.map(([work]) => [work, documented[work]])), measured);
});
