// Requests as they are written, byte for byte: where odd targets lead, and what odd requests get.

import assert from "node:assert/strict";
import { test } from "node:test";
import { getRaw, sendRaw } from "../support/raw.mjs";
import { startWithEmulator } from "../support/setup.mjs";

const { api, relay, token } = await startWithEmulator();

test("no target changes the host or climbs, and an id with %2f passes as it is", async () => {
  const send = (target) => getRaw(relay.port, target, [`Cf-Access-Jwt-Assertion: ${token}`]);
  for (const [target, expected] of [
    ["/stripped/projects/a%2Fb", "/v1/projects/a%2Fb"], ["/stripped//evil.example/x", "/v1//evil.example/x"], ["/stripped/@evil.example", "/v1/@evil.example"],
    ["/stripped/a%0Ab%09c%0D", "/v1/a%0Ab%09c%0D"],
    ["/stripped", "/v1"], ["/stripped?x=../y", "/v1?x=../y"], ["/str%69pped/x", "/v1/x"], ["http://evil.example/stripped/x", "/v1/x"],
  ]) {
    api.reset();
    assert.equal((await send(target)).status, 200, target);
    assert.deepEqual(api.requests.map((seen) => [seen.url, seen.headers.host]), [[expected, `127.0.0.1:${api.port}`]], target);
  }
  api.reset();
  for (const target of [
    "/stripped/../x", "/stripped/%2e%2e/x", "/stripped/.%2E/x", "/stripped/..%2fx", "/stripped/a%2f..%2fb", "/stripped/..%5cx", "/stripped/..;/x",
    "/stripped\\..\\x", "/stripped/..\\x", "/stripped/%00", "/stripped/x%01", "/stripped/.%0a./x", "/stripped/./x", "*", "/../stripped/x",
  ]) {
    const answer = await send(target);
    assert.ok([400, 404].includes(answer.status), `${target}: ${answer.status}`);
    assert.match(answer.body, /"code":"(bad_path|not_found)"/, target);
  }
  for (const target of ["/apiary", "/", "/API", "/cdn-cgi/access/logout"]) assert.equal((await send(target)).status, 404, target);
  assert.equal(api.requests.length, 0);
});

test("odd but lawful requests never become a 500 of ours", async () => {
  const head = (lines) => [...lines, "Host: app.example.com", "Connection: close", `Cf-Access-Jwt-Assertion: ${token}`, "", ""].join("\r\n");
  for (const lines of [
    ["GET /api/x HTTP/1.1", "X-Bytes: caf\xe9"], ["GET /api/x HTTP/1.1", "X-Empty:"], ["GET /api/x HTTP/1.1", "Cookie:"],
    ["GET /api/x HTTP/1.1", "Upgrade: h2c"], ["GET /api/x HTTP/1.1", "Content-Length: 0"], ["HEAD /api/x HTTP/1.1", "Content-Length: 0"],
    ["PROPFIND /api/x HTTP/1.1"], ["DELETE /api/x HTTP/1.1", "Content-Length: 0"], ["GET /api/x HTTP/1.1", ...Array.from({ length: 100 }, (_, index) => `X-${index}: ${index}`)],
    [`GET /api/${"x".repeat(6000)} HTTP/1.1`], ["GET /api/x HTTP/1.1", "Traceparent: \xff"],
  ]) {
    const answer = await sendRaw(relay.port, head(lines));
    assert.equal(answer.status, 200, lines.join(" ").slice(0, 80));
  }
  assert.equal((await sendRaw(relay.port, head(["GET /api/x HTTP/1.1", "Origin: \xff"]))).status, 403);
  const withBody = await sendRaw(relay.port, head(["GET /api/x HTTP/1.1", "Content-Length: 2"]) + "{}");
  assert.deepEqual([withBody.status, api.requests.at(-1).method], [200, "GET"]);
});
