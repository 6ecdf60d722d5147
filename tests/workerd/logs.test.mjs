// How much of the log somebody without a proven name can fill.

import assert from "node:assert/strict";
import { test } from "node:test";
import { audience } from "../support/issuer.mjs";
import { sendMany } from "../support/load.mjs";
import { startRelay } from "../support/workerd.mjs";
import { secrets, startWithIssuer } from "../support/setup.mjs";

const { issuer, token } = await startWithIssuer();

test("whatever somebody without a proven name can cause is under the log's quota", async () => {
  const down = { path: "/down", upstream: "http://127.0.0.1:9" };
  const cors = { allowed_origins: ["https://admin.example.com"], allow_credentials: true, preflight: "upstream" };
  const noisy = await startRelay({
    relay: { access: { issuer: issuer.url, audience: [audience] }, routes: [{ ...down, cors }], health_path: "/healthz" },
    secrets,
  });
  const began = Date.now();
  const many = (count, headers, path, method) => sendMany(noisy.port, () => (count-- > 0 ? headers : undefined), { path, method });
  await many(1_000, { host: "app.example.com" }, "/healthz");
  const health = noisy.output().split("\n").filter((line) => line.includes('"warnings"')).length;
  await many(500, { host: "app.example.com", origin: "https://admin.example.com", "access-control-request-method": "GET" }, "/down/x", "OPTIONS");
  const seconds = Math.ceil((Date.now() - began) / 1000) + 1;
  assert.ok(health >= 1 && health <= seconds, `${health} lines of health in ${seconds} seconds`);
  const refused = (await noisy.records()).filter(({ code }) => code === "upstream_unreachable");
  assert.ok(refused.length > 0 && refused.length <= 20 * seconds, `${refused.length} lines`);
  // Somebody with a name is written down each time.
  const before = (await noisy.records()).length;
  await many(50, { host: "app.example.com", "cf-access-jwt-assertion": token }, "/down/x");
  assert.equal((await noisy.records(before + 50)).filter(({ caller }) => caller === "user").length, 50);
  await noisy.stop();
});
