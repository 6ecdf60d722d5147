// Two Workers in real `wrangler dev`: the relay, and an API that a service binding leads to.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "../../scripts/tools.mjs";
import { startEmulator } from "../support/emulator.mjs";
import { makeFolder } from "../support/processes.mjs";
import { openTerminal } from "../support/terminal.mjs";

let emulator;
before(async () => (emulator = await startEmulator()));
after(() => emulator?.stop());

test("a service binding leads to another Worker, and needs no secret", async (t) => {
  const folder = makeFolder({
    "relay/wrangler.toml": `name = "relay"
main = "${join(root, "build", "index.js")}"
compatibility_date = "2026-10-20"
services = [{ binding = "API", service = "api" }]
[vars.RELAY.access]
issuer = "${emulator.issuer}"
audience = ["${emulator.app_aud}"]
[[vars.RELAY.routes]]
path = "/api"
upstream = "http://api.internal"
binding = "API"
credentials = "none"
`,
    "api/wrangler.toml": 'name = "api"\nmain = "index.js"\ncompatibility_date = "2026-10-20"\n',
    "api/index.js": "export default { fetch: ({ url, headers }) => Response.json({ url, headers: Object.fromEntries(headers) }, { headers: { 'set-cookie': 'a=b' } }) };\n",
  });
  const terminal = openTerminal(folder, { programs: join(root, "node_modules", ".bin") });
  const server = await terminal.serve("wrangler dev --config relay/wrangler.toml --config api/wrangler.toml --port 0 --inspector-port 0 --show-interactive-dev-session=false");
  t.after(server.stop);
  const call = (headers) => fetch(`http://127.0.0.1:${server.port}/api/x?y=1`, { headers });
  assert.equal((await call({})).status, 401);
  const answer = await call({ "cf-access-jwt-assertion": await emulator.mint({ email: "ada@example.com" }), cookie: "a=b" });
  assert.deepEqual([answer.status, answer.headers.get("set-cookie")], [200, null]);
  const { url, headers } = await answer.json();
  assert.equal(url, "http://api.internal/api/x?y=1");
  assert.equal(headers["x-forwarded-email"], "ada@example.com");
  for (const name of ["cookie", "cf-access-client-id", "cf-access-client-secret", "cf-access-jwt-assertion"]) assert.equal(headers[name], undefined, name);
});
