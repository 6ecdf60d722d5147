// What callers write: whom they cannot speak for, and what of their cookies counts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { sendRaw } from "../support/raw.mjs";
import { startWithIssuer } from "../support/setup.mjs";

const { api, issuer, relay, token, login, send } = await startWithIssuer();

test("names that servers fold into ours do not cross", async () => {
  const bent = [];
  for (const dash of "!#$%&'*+.^_`|~") {
    for (const name of ["X-Forwarded-Email", "Cf-Access-Client-Secret", "X-Real-IP", "Remote-User", "X-HTTP-Method-Override", "Transfer-Encoding", "CF-Connecting-IP"]) {
      bent.push(`${name.replaceAll("-", dash)}: evil`, `${name.replace("-", dash)}: evil`);
    }
  }
  const plain = ["X-Forwarded: evil", "Cookie2: evil", "X-Original-URL: /evil", "X-Auth-Request-User: evil", "X-Webauth-User: evil", "X-Host: evil", "True-Client-IP: evil"];
  const kept = ["X-Custom: 1", "X~Custom: 2", "X-Original-Filename: a.txt"];
  assert.equal((await send("GET", "/api/x", [login, "CF-Connecting-IP: 203.0.113.9", ...bent, ...plain, ...kept])).status, 200);
  const { headers } = api.requests[0];
  assert.deepEqual(Object.entries(headers).filter(([, value]) => value.includes("evil")), []);
  assert.deepEqual([headers["x-custom"], headers["x~custom"], headers["x-original-filename"], headers["x-forwarded-for"]], ["1", "2", "a.txt", "203.0.113.9"]);
});

test("two Cookie lines: neither hides the login, nor rides along", async () => {
  const cookie = `Cookie: CF_Authorization=${token}`;
  for (const [lines, expected] of [
    [["Cookie: theme=dark", "Cookie: sid=SECRET", cookie], undefined], [["Cookie: theme=dark", cookie], undefined],
    [[cookie, "Cookie: theme=dark"], undefined], [["Cookie: theme=dark; sid=SECRET", cookie], "theme=dark"],
  ]) {
    api.reset();
    assert.equal((await send("GET", "/api/x", lines)).status, 200, lines);
    assert.equal(api.requests[0].headers.cookie, expected, lines);
  }
});

test("a junk cookie beside a good one locks nobody out; two good ones of different people do", async () => {
  const eve = issuer.token({ sub: "eve-1" });
  const cookies = (...values) => [`Cookie: ${values.map((value) => `CF_Authorization=${value}`).join("; ")}`];
  for (const junk of ["", "x", "a.b", "a.b.c", `${token}x`]) {
    assert.equal((await send("GET", "/api/x", cookies(junk, token))).status, 200, junk);
    assert.equal((await send("GET", "/api/x", cookies(token, junk))).status, 200, junk);
  }
  assert.equal((await send("GET", "/api/x", cookies(token, issuer.token()))).status, 200, "of one person");
  assert.equal((await send("GET", "/api/x", cookies(token, eve))).status, 401);
  // However many are planted, in however many ways, and without a wait for the issuer.
  const planted = Array.from({ length: 1_000 }, (_, number) => `a.b.${number}`);
  assert.equal((await send("GET", "/api/x", cookies(...planted, token))).status, 200);
  assert.equal((await send("GET", "/api/x", [`Cookie: z=1,CF_Authorization=${planted.slice(0, 20).join(",CF_Authorization=")}; CF_Authorization=${token}`])).status, 200);
  const [fetches, unknown] = [issuer.fetches, issuer.token({}, { ...issuer.keys[0], kid: "made-up" })];
  assert.equal((await send("GET", "/api/x", cookies(unknown, token))).status, 200);
  assert.equal(issuer.fetches, fetches);
  // The route that sends the caller's own token sends the good one.
  api.reset();
  await send("GET", "/whole/x", cookies("a.b.c", token));
  assert.equal(api.requests[0].headers["cf-access-token"], token);
});

test("a Connection header beyond what is read is refused, and nothing of it is cut", async () => {
  const long = `Connection: close, ${"x-a, ".repeat(250)}x-last`;
  const answer = await sendRaw(relay.port, ["GET /api/x HTTP/1.1", "Host: app.example.com", login, long, "X-Last: 1", "", ""].join("\r\n"));
  assert.deepEqual([answer.status, answer.body.match(/"code":"(\w+)"/)?.[1]], [400, "bad_request"]);
  assert.equal(api.requests.length, 0);
});
