// Nothing on the path of a request may panic; should it happen all the same, the next request is served.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { audience, startIssuer } from "../support/issuer.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { startRelay } from "../support/workerd.mjs";

let api, issuer, relay, known;

/** The script that ships, with a trap in three of its calls out of the Wasm: where a request says so. */
function sabotage(script) {
  const traps = 'import trapModule from "./trap.wasm";const trap=new WebAssembly.Instance(trapModule).exports.trap;';
  const at = (name) => new RegExp(`(__wbg_${name}_\\w+:function\\((\\w)(?:,(\\w))?[^)]*\\)\\{)`);
  const [head, send, edited] = [at("head"), at("send"), at("edited")];
  for (const call of [head, send, edited]) assert.match(script, call);
  return traps + script
    .replace(head, (start, _, first, second) => `${start}if(${second}.url.endsWith("?before"))trap();`)
    .replace(send, (start, _, first, second) => `${start}if(${second}.url.endsWith("?later"))trap();`)
    .replace(edited, (start, _, first) => `${start}if(${first}.headers.has("x-trap"))trap();`);
}

before(async () => {
  api = await startRecorder();
  api.answer = (request, response) => {
    const answer = () => response.writeHead(200, request.url.endsWith("?after") ? { "x-trap": "1" } : {}).end("hello");
    request.url.endsWith("?slow") ? setTimeout(answer, 500) : answer();
  };
  issuer = await startIssuer();
  known = issuer.token();
  relay = await startRelay({
    relay: { access: { issuer: issuer.url, audience: [audience] }, routes: [{ path: "/api", upstream: api.url }] },
    secrets: { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: "s3cr3t-value" },
    sabotage,
  });
});
after(() => Promise.all([relay?.stop(), issuer?.stop(), api?.stop()]));

const status = (path, token = known) =>
  fetch(relay.url + path, { headers: { "cf-access-jwt-assertion": token }, signal: AbortSignal.timeout(5_000) }).then((answer) => answer.status);

for (const [when, query, called, token] of [
  ["before the call to the API", "before", 0],
  ["after the call to the API", "after", 1],
  // The Wasm goes on by itself there, when a promise has settled.
  ["after a signature was verified", "later", 0, () => issuer.token({ never: "seen" })],
]) {
  test(`a panic ${when} is an error of that request, and the next one is served`, async () => {
    assert.equal(await status("/api"), 200);
    const api_calls = api.requests.length;
    assert.equal(await status(`/api?${query}`, token?.()), 500);
    assert.equal(api.requests.length - api_calls, called);
    assert.equal(await status("/api"), 200);
    assert.equal(api.requests.at(-1).headers["cf-access-client-secret"], "s3cr3t-value");
  });
}

test("a request under way while another one panics is answered, with an error where its state is gone", async () => {
  const slow = status("/api?slow");
  while (!api.requests.at(-1)?.url.endsWith("?slow")) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(await status("/api?before"), 500);
  assert.equal(await status("/api"), 200);
  assert.ok([200, 500].includes(await slow), "it must not hang");
});

test("a panic of Rust itself says where it was", async () => {
  // The randomness for a trace is asked for while a cell is borrowed: a call back into the relay finds it so.
  const reentering = `
const { Instance } = WebAssembly;
WebAssembly.Instance = function (module, imports) {
  const functions = imports["./index_bg.js"];
  const name = Object.keys(functions).find((name) => name.startsWith("__wbg_getRandomValues"));
  const given = functions[name];
  let [again, instance] = [true];
  functions[name] = (...values) => {
    if (again) { again = false; instance.exports.relay(...globalThis.current); }
    return given(...values);
  };
  return (instance = new Instance(module, imports));
};
`;
  const broken = await startRelay({
    relay: { access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: api.url }] },
    secrets: { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: "s3cr3t-value" },
    sabotage: (script) => {
      const entry = /fetch\((\w+),(\w+)\)\{/;
      assert.match(script, entry);
      return reentering + script.replace(entry, "$&globalThis.current=[$1,$2];");
    },
  });
  try {
    assert.equal((await fetch(`${broken.url}/api`)).status, 500);
    for (let tries = 0; tries < 100 && !broken.output().includes("panicked"); tries++) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.match(broken.output(), /panicked at \S+\.rs:\d+:\d+:\s+RefCell already borrowed/);
  } finally {
    await broken.stop();
  }
});
