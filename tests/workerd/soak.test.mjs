// A short run of what `npm run soak` does for longer, and proof that it would tell.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzzRequests } from "../../soak/grammar.mjs";
import { KINDS } from "../../soak/kinds.mjs";
import { soak } from "../../soak/traffic.mjs";
import { faultsOfMemory, watchLog } from "../../soak/watch.mjs";
import { audience } from "../support/issuer.mjs";

test("traffic while things break: every answer is accounted for", async () => {
  const { outcomes, wrong, requests, phases, fetchesOfKeys, brokenOff, memory } = await soak(10);
  assert.deepEqual(wrong.slice(0, 10), []);
  // Each kind was sent, and each kind of weather was felt.
  const seen = Object.keys(outcomes);
  for (const [, kind] of KINDS) assert.ok(seen.some((name) => name.startsWith(`${kind}: `)), `nothing was sent as ${kind}`);
  for (const outcome of ["200", "204", "500", "broken", "502 upstream_unreachable", "502 upstream_access_denied", "504 upstream_timeout", "401 unauthenticated", "403 cross_origin_blocked"]) {
    assert.ok(seen.some((name) => name.endsWith(`: ${outcome}`)), `nothing came to ${outcome}: ${seen.join(", ")}`);
  }
  assert.ok(requests > 500 && phases > 14 && fetchesOfKeys <= phases && brokenOff > 0, `${requests} requests, ${phases} spells, ${fetchesOfKeys} fetches, ${brokenOff} uploads broke off`);
  for (const name of ["tokens", "platform"]) assert.ok(memory[name].length > 10 && memory[name].every((mebibytes) => mebibytes > 10), `${name}: ${memory[name]}`);
});

// A script around the one that ships, which does one thing wrong: the soak must see each.
const swapped = `return relay.fetch(request, env, ctx).then(async (answer) => {
  if (answer.status !== 200) return answer;
  const [text, other] = [await answer.text(), globalThis.last];
  globalThis.last = text;
  return new Response(other ?? text, answer);
});`;
const buffered = `if (request.body !== null) return (async () => {
  const pieces = [];
  try { for await (const piece of request.body) pieces.push(piece); } catch {}
  const headers = new Headers(request.headers);
  headers.delete("content-length");
  return relay.fetch(new Request(request.url, { method: request.method, headers, body: await new Blob(pieces).arrayBuffer() }), env, ctx);
})();`;
const cut = `if (request.body !== null) return (async () => {
  const body = (await request.arrayBuffer()).slice(0, 50_000);
  const headers = new Headers(request.headers);
  headers.delete("content-length");
  return relay.fetch(new Request(request.url, { method: request.method, headers, body }), env, ctx);
})();`;
const generous = `ctx = { access: { aud: "${audience}", getIdentity: async () => ({ user_uuid: "id-of-eve" }) }, waitUntil() {} };`;
const talkative = `const { BOUND } = env;
env = { ...env, BOUND: { fetch(asked, init) {
  const call = new Request(asked, init);
  call.headers.set("cf-access-client-secret", env.CF_ACCESS_CLIENT_SECRET);
  return BOUND.fetch(call);
} } };`;
const forgetful = "const { set } = Headers.prototype; Headers.prototype.set = function (name, value) { set.call(this, name, String(value).length === 64 ? 'x' : value); };";
for (const [what, broken, ...seen] of [
  ["hands out the answer before", { handle: swapped }, /^known caller: somebody else's answer/, /^bound: somebody else's answer/, /^vouched for: somebody else's answer/],
  ["takes half an upload for a whole one", { handle: buffered }, /^an upload that broke off looked whole to the API/],
  ["cuts uploads", { handle: cut }, /^(large|chunked) upload: another body reached the API/, /^bound, upload: another body reached the API/],
  ["believes that everybody is Eve", { handle: generous }, /^vouched for: the API was told id-of-eve,/, /^vouched for by nobody: /, /^vouched for elsewhere: /],
  ["sends the service token through a binding", { handle: talkative }, /^bound: the bound Worker got cf-access-client-secret, not no credentials/],
  ["has another service token", { before: forgetful }, /^a request reached the API without the one service token/],
  ["logs the service token", { handle: "console.log(env.CF_ACCESS_CLIENT_SECRET);" }, /^the log holds a service token's secret/],
  ["logs callers' tokens", { handle: "console.log(request.headers.get('cookie'));" }, /^the log holds a caller's token/],
]) {
  test(`a relay that ${what} is found out`, async () => {
    const { wrong } = await soak(1, { broken });
    for (const sort of seen) assert.ok(wrong.some((text) => sort.test(text)), `${wrong.length} faults, none of them ${sort}: ${wrong.slice(0, 5).join("\n")}`);
  });
}

test("memory that grows is found out, and memory that levels off is not", () => {
  // What it is at the beginning, and what it gains until a part of the time has passed.
  const samples = (first, gain, part) => Array.from({ length: 200 }, (_, at) => first + gain * Math.min(1, at / 199 / part));
  for (const [first, gain, part, seconds, faults] of [
    [200, 0, 1, 3_600, 0],
    [60, 300, 0.3, 3_600, 0],
    [200, 40, 1, 3_600, 0],
    [400, -200, 1, 3_600, 0],
    [60, 300, 1, 3_600, 1],
    [300, 150, 1, 3_600, 1],
    [60, 300, 1, 60, 0],
  ]) {
    const found = faultsOfMemory({ tokens: samples(200, 0, 1), platform: samples(first, gain, part) }, seconds);
    assert.equal(found.length, faults, `${first} MiB, and ${gain} more in ${part} of ${seconds} seconds: ${found}`);
    if (faults > 0) assert.match(found[0], /^memory of platform grew from \d+ MiB in the fifth tenth to \d+ in the last$/);
  }
});

test("a secret in the log is seen where its pieces meet, too", () => {
  const wrong = [];
  const watch = watchLog(["s3cr3t-value"], (what) => wrong.push(what));
  for (const piece of ["a s3cr3", "x-value\n", "a s3cr", "3t-value", "\n"]) watch(piece);
  assert.deepEqual([...new Set(wrong)], ["the log holds a service token's secret"]);
});

test("requests made up from the grammar of HTTP: no leak, no crash, no answer that nobody documented", async () => {
  const { wrong, sent, forwarded, outcomes } = await fuzzRequests({ requests: 4_000, seed: 17 });
  assert.deepEqual(wrong.slice(0, 10), []);
  assert.ok(sent >= 4_000 && forwarded > 1_000, `${sent} sent, ${forwarded} forwarded`);
  const expected = ["the API's", "preflight", "bad_path", "bad_request", "unauthenticated", "cross_origin_blocked", "not_found", "method_not_forwarded", "loop_detected", "origin_not_allowed", "upstream_access_denied", "upstream_unreachable"];
  for (const outcome of expected) assert.ok(outcomes[outcome] > 0, `nothing came to ${outcome}: ${JSON.stringify(outcomes)}`);
});

// The runtime with one thing less that it does for the script that ships: the judge must see each.
for (const [what, before, seen] of [
  ["looks for secrets in answers", "const { includes } = String.prototype; String.prototype.includes = function (part) { return part.length < 40 && includes.call(this, part); };", /service token's secret is in x-echo/],
  ["removes a header", "Headers.prototype.delete = () => {};", /planted-by-the-caller\d* arrived/],
  ["tells which page asks", "const { get } = Headers.prototype; Headers.prototype.get = function (name) { return name === 'sec-fetch-site' ? null : get.call(this, name); };", /it arrived in place of cross_origin_blocked/],
  ["keeps caches off", "const { set } = Headers.prototype; Headers.prototype.set = function (name, value) { if (name !== 'cdn-cache-control') set.call(this, name, value); };", /comes with cdn-cache-control: /],
]) {
  test(`a relay that no longer ${what} is found out`, async () => {
    const { wrong } = await fuzzRequests({ requests: 600, seed: 17, before });
    assert.ok(wrong.some((text) => seen.test(text)), `${wrong.length} faults, none of them ${seen}: ${wrong.slice(0, 3).join("\n")}`);
  });
}
