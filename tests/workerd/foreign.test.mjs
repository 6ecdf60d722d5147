// What pages of other sites make a browser send: links, images, frames, callbacks by form.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startWithIssuer } from "../support/setup.mjs";

const { api, login, send } = await startWithIssuer();

test("reads of foreign pages: what reaches the API, by route", async () => {
  const said = (site, mode, dest) => [login, `Sec-Fetch-Site: ${site}`, `Sec-Fetch-Mode: ${mode}`, `Sec-Fetch-Dest: ${dest}`];
  for (const [path, link, image] of [["/api/x", 200, 403], ["/open/x", 200, 200], ["/none/x", 403, 403]]) {
    for (const site of ["cross-site", "same-site"]) {
      assert.equal((await send("GET", path, said(site, "navigate", "document"))).status, link, path);
      for (const [mode, dest] of [["no-cors", "image"], ["no-cors", "script"], ["navigate", "iframe"], ["no-cors", "empty"]]) {
        assert.equal((await send("GET", path, said(site, mode, dest))).status, image, `${path} ${dest}`);
      }
    }
    assert.equal((await send("GET", path, said("same-origin", "no-cors", "image"))).status, 200, path);
  }
  // A browser that is too old to say so gets an answer that it shows to no other page.
  assert.equal((await send("GET", "/api/x", [login])).headers["cross-origin-resource-policy"], "same-origin");
  assert.equal((await send("GET", "/open/x", [login])).headers["cross-origin-resource-policy"], undefined);
});

test("documents of the API are sandboxed, and a callback by form POST reaches its path alone", async () => {
  api.answer = (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<script>1</script>");
  const document = [login, "Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"];
  assert.equal((await send("GET", "/api/x", document)).headers["content-security-policy"], "sandbox");
  assert.equal((await send("GET", "/open/x", document)).headers["content-security-policy"], undefined);
  api.reset();
  const post = [login, "Origin: null", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Content-Length: 6"];
  assert.equal((await send("POST", "/whole/auth/callback", post, { body: "code=1" })).status, 200);
  assert.equal(api.requests[0].body.toString(), "code=1");
  for (const path of ["/whole/auth", "/whole/auth/callback/x", "/api/auth/callback"]) assert.equal((await send("POST", path, post, { body: "code=1" })).code, "cross_origin_blocked", path);
  assert.equal(api.requests.length, 1);
});
