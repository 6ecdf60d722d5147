// What becomes of an answer: who may keep it, what an API cannot say in it, and where its URLs lead.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startWithIssuer } from "../support/setup.mjs";

const { api, login, send } = await startWithIssuer();

test("no shared cache may keep what a checked caller got, and answers vary by what browsers send", async () => {
  api.answer = (incoming, response) => response.writeHead(200, JSON.parse(incoming.headers["x-answer"])).end();
  const get = async (answer) => (await send("GET", "/api/x", [login, "Sec-Fetch-Site: same-origin", "Sec-Fetch-Dest: empty", `X-Answer: ${JSON.stringify(answer)}`])).headers;
  assert.equal((await get({ "cache-control": "public, max-age=60" }))["cdn-cache-control"], "no-store");
  assert.equal((await get({ "cache-control": "private", "cloudflare-cdn-cache-control": "max-age=60" }))["cloudflare-cdn-cache-control"], undefined);
  const kept = await get({ "cache-control": "no-store", "content-type": "application/json", etag: '"x"' });
  for (const name of ["cdn-cache-control", "cross-origin-resource-policy", "content-security-policy"]) assert.equal(kept[name], undefined, name);
  assert.equal((await get({ vary: "Accept, X-Forwarded-Email" })).vary, "Accept, Cookie");
  const host = await get({ "strict-transport-security": "max-age=1", nel: "{}", "report-to": "{}", "alt-svc": "h3", "service-worker-allowed": "/", "timing-allow-origin": "*", "set-login": "logged-out", "accept-ch": "x", "x-kept": "1" });
  assert.deepEqual(Object.keys(host).filter((name) => /transport|nel|report|alt-svc|service-worker|timing|login|accept-ch/.test(name)), []);
  assert.equal(host["x-kept"], "1");
});

test("every URL of an answer leads back through the relay", async () => {
  api.answer = (_, response) => {
    const headers = {
      location: "http://app.example.com/jobs/1", "content-location": "/notes/7", "operation-location": `${api.url}/operations/9`,
      link: '</notes?page=2>; rel="next"', refresh: "5; url=/jobs/1", "set-cookie": "session=1; Path=/users",
    };
    response.writeHead(202, headers).end();
  };
  const { headers } = await send("GET", "/api/notes", [login]);
  assert.deepEqual(
    [headers.location, headers["content-location"], headers["operation-location"], headers.link, headers.refresh, headers["set-cookie"]],
    ["/api/jobs/1", "/api/notes/7", "/api/operations/9", '</api/notes?page=2>; rel="next"', "5; url=/api/jobs/1", "session=1; Path=/api/users"],
  );
  assert.equal(api.requests[0].headers["x-forwarded-prefix"], "/api");
});
