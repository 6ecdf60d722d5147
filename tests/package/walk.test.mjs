// The first minute of a user: from an empty folder and empty caches to an answer, with the registry of npm and nothing else.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startEmulator } from "../support/emulator.mjs";
import { makeFolder } from "../support/processes.mjs";
import { finish, serve } from "../support/project.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { tarball } from "../support/tarball.mjs";

let api, emulator;
before(async () => {
  api = await startRecorder();
  emulator = await startEmulator({ api: { backend: api.url } });
});
after(() => Promise.all([emulator?.stop(), api?.stop()]));

test("npm install, init, npm install, npm run dev", async (t) => {
  const folder = makeFolder({ "project/.keep": "" });
  const project = join(folder, "project");
  const npm = ["--cache", join(folder, "npm-cache"), "--no-audit", "--no-fund"];
  const steps = [];
  const step = async (name, done) => {
    const began = performance.now();
    const result = await done;
    steps.push(`${name} ${((performance.now() - began) / 1000).toFixed(1)} s`);
    return result;
  };

  await step("npm install access-relay", finish("npm", ["install", tarball(), ...npm], project));
  const said = await step("init", finish("npx", ["--offline", "access-relay", "init", emulator.app_local_url, emulator.api_local_url, "--yes"], project));
  assert.match(said, /Written: wrangler\.toml, package\.json, \.gitignore, \.dev\.vars\.example/);
  assert.match(said, /Two commands remain:/);
  await step("npm install", finish("npm", ["install", ...npm], project));
  assert.match(await finish("npm", ["run", "check"], project), /\[vars\.RELAY\] is sound/);
  writeFileSync(join(project, ".dev.vars"), `CF_ACCESS_CLIENT_ID="${emulator.client_id}"\nCF_ACCESS_CLIENT_SECRET="${emulator.client_secret}"\n`);
  const server = await step("wrangler dev", serve("dev", ["--ip", "127.0.0.1", "--inspector-port", "0"], project));
  t.after(server.stop);

  const stranger = await fetch(`${server.url}/api/x`);
  assert.deepEqual([stranger.status, stranger.headers.get("content-type")], [401, "application/problem+json"]);
  assert.equal((await stranger.json()).code, "unauthenticated");
  assert.deepEqual(api.requests, []);

  const answer = await fetch(`${server.url}/api/x`, { headers: { "cf-access-jwt-assertion": await emulator.mint() } });
  assert.deepEqual([answer.status, await answer.text()], [200, "hello"]);
  assert.equal(api.requests.length, 1);
  t.diagnostic(steps.join(", "));
});
