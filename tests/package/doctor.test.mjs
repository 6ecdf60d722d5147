// `access-relay doctor`, as it ships: set-ups with exactly one thing wrong, each in front of the emulator and the relay that ships; and
// hosts that lie, which never get a credential.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, test } from "node:test";
import { startEmulator } from "../support/emulator.mjs";
import { makeKey, makeToken } from "../support/issuer.mjs";
import { makeFolder } from "../support/processes.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { nodeOfUsers, unpack } from "../support/unpacked.mjs";
import { startRelay } from "../support/workerd.mjs";

const unpacked = unpack();
const OTHER_AUD = "0e7e".repeat(16);

/** Servers of a test's own, until it has used them. */
async function withServers(use) {
  const [page, api] = await Promise.all([startRecorder(), startRecorder()]);
  try {
    return await use(page, api);
  } finally {
    await Promise.all([page.stop(), api.stop()]);
  }
}

/** The command in a folder: `{ status, out, err }`. Nothing of the environment's own is a secret of a set-up. */
const doctor = (folder, words, { env = {}, input = "" } = {}) =>
  new Promise((resolve) => {
    const variables = { ...process.env, CF_ACCESS_CLIENT_ID: undefined, CF_ACCESS_CLIENT_SECRET: undefined, NO_COLOR: "1", ...env };
    const child = execFile(nodeOfUsers, [join(unpacked, "cli", "main.mjs"), "doctor", ...words], { cwd: folder, env: variables, encoding: "utf8" }, (error, out, err) =>
      resolve({ status: error ? error.code : 0, out, err }),
    );
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });

/**
 * A page, a relay and an API behind the emulator. `settings` are the emulator's; `file` changes RELAY as it stands in the wrangler file, `deployed`
 * as it is deployed, and `both` both of them; without `routed`, the page's server answers at the relay's path.
 */
const withSetUp = ({ settings = {}, both = () => {}, file = () => {}, deployed = () => {}, secrets = {}, stored, around = {}, routed = true }, use) => withServers(async (page, api) => {
  const emulator = await startEmulator(settings);
  const table = (...changes) => {
    const relay = { access: { issuer: emulator.issuer, audience: [emulator.app_aud] }, routes: [{ path: "/api", upstream: emulator.api_local_url }] };
    for (const change of changes) change(relay, emulator, api);
    return relay;
  };
  const own = { CF_ACCESS_CLIENT_ID: emulator.client_id, CF_ACCESS_CLIENT_SECRET: emulator.client_secret, ...secrets };
  const relay = await startRelay({ relay: table(both, deployed), secrets: Object.fromEntries(Object.entries(own).filter(([name, value]) => value !== undefined && !stored?.[name])), stored });
  try {
    await emulator.control("/backends", { app: [{ path: "/api", to: routed ? relay.url : page.url }, { path: "/healthz", to: relay.url }, { path: "/", to: page.url }], api: api.url });
    const wrangler = { name: "x", main: "x.js", compatibility_date: "2026-10-20", workers_dev: false, preview_urls: false, ...around, vars: { RELAY: table(both, file) } };
    return await use({ emulator, page, api, folder: makeFolder({ "wrangler.json": JSON.stringify(wrangler) }), env: { CF_ACCESS_CLIENT_ID: emulator.client_id, CF_ACCESS_CLIENT_SECRET: emulator.client_secret } });
  } finally {
    await Promise.all([emulator.stop(), relay.stop()]);
  }
});

const cors = (relay) => (relay.cors = { allowed_origins: ["https://admin.example.com"] });
const health = (relay) => (relay.health_path = "/healthz");
const linked = (relay) => (relay.routes[0].credentials = "caller-token");
const bypass = { app: { bypass: ["/api", "/healthz"] } };
const control = (handle, body) => ({ emulator }) => emulator.control(handle, body);

/** Each with exactly one thing wrong, or none: what it is, the set-up, and the codes of what is told besides (`unknown`: cannot tell). */
const setUps = [
  { name: "all is well", code: null },
  { name: "all is well, and strangers pass to the relay", code: null, settings: bypass },
  { name: "all is well, and the path with a Bypass policy is an application of its own", code: null, settings: { app: { ...bypass.app, bypass_aud: OTHER_AUD } } },
  { name: "all is well in the older mode", code: null, settings: { api: { strict: false } } },
  { name: "all is well in the older mode, with an Allow policy at the API", code: null, settings: { api: { strict: false, allow_policy: true } } },
  { name: "all is well with Managed OAuth at the API", code: null, settings: { api: { managed_oauth: true } } },
  { name: "all is well with Managed OAuth at the page", code: null, settings: { app: { managed_oauth: true } } },
  { name: "all is well with a custom deny URL at the API", code: null, settings: { api: { custom_deny_url: "https://www.example.com/denied" } } },
  { name: "all is well with a CORS policy, and preflights pass", code: null, both: cors, settings: { app: { bypass_options: true } } },
  { name: "all is well with a linked app token", code: null, both: linked, settings: { api: { linked_app_token: true } } },
  { name: "all is well with a health path", code: null, both: health, settings: bypass },
  { name: "all is well, and workers.dev is shut", code: null, settings: { workers_dev: { port: 0, open: false } }, door: true },
  { name: "all is well, and the secrets are in a Secrets Store", code: null, stored: true },
  { name: "Access does not answer for its signed word", code: null, settings: { app: { metadata: false }, api: { metadata: false } }, unknown: ["page_application", "issuer", "audience", "api_open", "service_token", "caller"] },

  { name: "no application covers the page", code: "page_application", settings: { app: { bypass: ["/"] } } },
  { name: "another team in the file", code: "issuer", both: (relay) => (relay.access.issuer = relay.access.issuer.replace("127.0.0.1", "localhost")), as: "nobody" },
  { name: "the API's AUD tag", code: "audience", both: (relay, { api_aud }) => (relay.access.audience = [api_aud]), as: "nobody" },
  { name: "an AUD tag of nobody", code: "audience", both: (relay) => (relay.access.audience = [OTHER_AUD]), as: "nobody" },
  { name: "an AUD tag of nobody, where strangers pass", code: "audience", both: (relay) => (relay.access.audience = [OTHER_AUD]), settings: bypass, as: "program" },
  { name: "the team's keys are gone", code: "keys", first: control("/cloudflare-error", { listener: "team", error: 404 }), as: "nobody", unknown: ["metadata"] },
  { name: "the team cannot be reached", code: null, first: control("/drop-connections", { listener: "team", on: true }), as: "nobody", unknown: ["metadata", "keys"] },
  { name: "an application of its own at the path", code: "other_application", settings: { app: { paths: [{ path: "/api", aud: OTHER_AUD }] } }, as: "program" },
  { name: "an application below the path alone", code: "other_application", both: (relay) => relay.access.audience.push(OTHER_AUD), settings: { app: { paths: [{ path: "/api/*", aud: OTHER_AUD }] } }, as: "program" },
  { name: "a Bypass policy below the path alone", code: "path_uneven", settings: { app: { bypass: ["/api/*"] } } },
  { name: "no Allow policy at the page", code: "expired_session", settings: { app: { allow_policy: false } } },
  { name: "no application covers the API", code: "api_open", both: (relay, _, api) => (relay.routes[0].upstream = api.url) },
  { name: "the API's application lets everybody pass", code: "api_open", settings: { api: { bypass: true } } },
  { name: "page and API are one application", code: "same_application", settings: { api: { aud: OTHER_AUD }, app: { aud: OTHER_AUD } } },

  { name: "a secret is missing", code: "misconfigured", secrets: { CF_ACCESS_CLIENT_SECRET: undefined } },
  { name: "a secret is missing, and strangers see it", code: "misconfigured", secrets: { CF_ACCESS_CLIENT_SECRET: undefined }, settings: bypass },
  { name: "the deployed configuration is broken", code: "misconfigured", deployed: (relay) => (relay.routes = []), settings: bypass, as: "nobody" },
  { name: "no route leads to the relay", code: "not_routed", routed: false, settings: bypass },
  { name: "no route leads to the relay, behind Access", code: "not_routed", routed: false },
  { name: "another path is deployed", code: "relay", deployed: (relay) => (relay.routes[0].path = "/other"), settings: bypass, as: "nobody" },
  { name: "the Worker throws", code: "cloudflare_error", settings: bypass, first: control("/cloudflare-error", { listener: "app", error: 1101 }) },
  { name: "the Worker throws, behind Access", code: "cloudflare_error", first: control("/cloudflare-error", { listener: "app", error: 1101 }) },
  { name: "the API's tunnel is down", code: "cloudflare_error", first: control("/cloudflare-error", { listener: "api", error: 1033 }), as: "program" },

  { name: "preflights stop at Access", code: "preflight", both: cors },
  { name: "another CORS policy is deployed", code: "preflight", file: cors, settings: bypass },
  { name: "more origins are deployed than the file has", code: "preflight", deployed: (relay) => (relay.cors = { allowed_origins: ["*"] }), settings: bypass },

  { name: "the API's policy does not include the token", code: "service_token", first: control("/refuse-service-token", { on: true }), as: "program" },
  { name: "the API's policy does not include the token, in the older mode", code: "service_token", settings: { api: { strict: false } }, first: control("/refuse-service-token", { on: true }), as: "program" },
  { name: "the API's policy does not include the token, in the older mode with logins", code: "service_token", settings: { api: { strict: false, allow_policy: true } }, first: control("/refuse-service-token", { on: true }), as: "program" },
  { name: "the API's policy does not include the token, with a custom deny URL", code: "service_token", settings: { api: { custom_deny_url: "https://www.example.com/denied" } }, first: control("/refuse-service-token", { on: true }), as: "program" },
  { name: "a wrong secret", code: "service_token", env: { CF_ACCESS_CLIENT_SECRET: "d00d".repeat(16) }, as: "program" },
  { name: "the Worker has another secret", code: "upstream_access_denied", secrets: { CF_ACCESS_CLIENT_SECRET: "d00d".repeat(16) } },
  { name: "another AUD tag is deployed", code: "caller", deployed: (relay) => (relay.access.audience = [OTHER_AUD]) },
  { name: "no linked app token rule", code: "linked_app_token", both: linked },
  { name: "the API does not answer the relay", code: "upstream", deployed: (relay) => (relay.routes[0].upstream = "http://127.0.0.1:1") },
  { name: "the Secrets Store has nothing", code: "secrets_store", stored: "nothing" },
  { name: "the relay finds itself ill", code: "health", both: health, settings: bypass, first: control("/refuse-service-token", { on: true }), as: "nobody" },
  { name: "workers.dev is open", code: "door", settings: { workers_dev: { port: 0, open: true } }, door: true },
];

describe("exactly one thing is wrong", { concurrency: 3 }, () => {
  for (const { name, code, as = "both", door = false, stored, first, unknown = [], env: changed = {}, ...setUp } of setUps) {
    test(`${code ?? "nothing"} is wrong: ${name}`, async () => {
      const bindings = [{ binding: "CF_ACCESS_CLIENT_SECRET", store_id: "x", secret_name: "y" }];
      const storage = stored === undefined ? {} : { around: { secrets_store_secrets: bindings }, stored: { CF_ACCESS_CLIENT_SECRET: stored === true ? `return ${JSON.stringify("c0ffee00".repeat(8))};` : `throw new Error("no such secret");` } };
      await withSetUp({ ...setUp, ...storage }, async ({ emulator, page, api, folder, env }) => {
        await first?.({ emulator });
        const token = await emulator.mint();
        const asPerson = as === "both" || as === "person" ? { words: ["--token-from", "-"], input: token } : { words: [] };
        const asProgram = as === "both" || as === "program" ? { ...env, ...changed } : {};
        const words = [emulator.app_local_url, ...asPerson.words, ...(door ? ["--door", emulator.workers_dev_url] : [])];
        const { status, out, err } = await doctor(folder, [...words, "--json"], { env: asProgram, input: asPerson.input });
        assert.equal(err, "");
        const report = JSON.parse(out);
        const of = (state) => [...new Set(report.checks.filter((check) => check.state === state).map((check) => check.code.replace("doctor::", "")))];
        assert.deepEqual(of("wrong"), code === null ? [] : [code], out);
        assert.equal(report.first?.code, code === null ? undefined : `doctor::${code}`);
        assert.equal(status, code === null ? 0 : 1);
        for (const code of unknown) assert.ok(of("cannot tell").includes(code), `${code}: ${out}`);
        assert.ok(report.asked <= 40, out);
        for (const secret of [token, emulator.client_secret, changed.CF_ACCESS_CLIENT_SECRET, ...Object.values(setUp.secrets ?? {})].filter(Boolean)) assert.ok(!out.includes(secret), "a secret");
        // Nothing reached the page's server or the API that could change something, or that no `doctor` sent.
        for (const { method, headers } of [...page.requests, ...api.requests]) {
          assert.ok(["GET", "HEAD", "OPTIONS"].includes(method), method);
          assert.ok(setUp.both || !Object.values(headers).some((value) => `${value}`.includes(emulator.client_secret)), "the secret, at a server");
        }
      });
    });
  }
});

test("without a credential, in words, one line for each answer, and what to do first at the end", async () => {
  await withSetUp({ both: (relay) => (relay.access.audience = [OTHER_AUD]) }, async ({ emulator, api, folder }) => {
    const { status, out, err } = await doctor(folder, [emulator.app_local_url]);
    assert.deepEqual([status, err], [1, ""]);
    assert.match(out, /\nWRONG +is the AUD tag one of access\.audience\? \(doctor::audience\)\n {2}asked .*\n {2}came .*\n {2}means .*\n {2}do {9}write access\.audience = /);
    assert.match(out, /\n13 questions, 12 requests: \d+ ok, 1 wrong, \d+ cannot tell\nDo this first: write access\.audience = .*\n$/);
    assert.equal(api.requests.length, 0);
    assert.ok(!out.includes("\x1b"));
  });
});

test("a URL alone will do, and names below localhost are this machine", async () => {
  await withSetUp({ settings: bypass }, async ({ emulator, env }) => {
    const empty = makeFolder();
    const { status, out } = await doctor(empty, [`${emulator.app_url}/api`, "--api", emulator.api_url, "--json"], { env });
    const { checks } = JSON.parse(out);
    const state = (code) => checks.find((check) => check.code === `doctor::${code}`)?.state;
    assert.equal(status, 0, out);
    assert.deepEqual(["page_application", "relay", "foreign_origin", "api_open", "service_token"].map(state), Array(5).fill("ok"), out);
  });
});

test("it says what it is, asks one at a time, and follows no redirect", () => withServers(async (page, api) => {
  let [open, most] = [0, 0];
  page.answer = (request, response) => {
    most = Math.max(most, ++open);
    setTimeout(() => {
      open--;
      response.writeHead(302, { location: `${api.url}/elsewhere`, "set-cookie": "a=b" }).end();
    }, 20);
  };
  const { status, out } = await doctor(makeFolder(), [page.url, "--json"]);
  assert.equal(status, 1, out);
  assert.equal(most, 1);
  assert.equal(api.requests.length, 0, "a redirect was followed");
  assert.ok(page.requests.length > 5 && page.requests.length <= 40);
  for (const { method, headers, body } of page.requests) {
    assert.match(headers["user-agent"], /^access-relay\/\d[\w.-]* \(doctor; read-only\)$/);
    assert.ok(["GET", "HEAD", "OPTIONS"].includes(method) && body.length === 0);
    assert.equal(headers.cookie, undefined);
  }
}));

test("no host that is unprotected, or lies, gets the service token or a person's", async () => {
  await withSetUp({}, async ({ emulator, page, api, env }) => {
    const now = Math.floor(Date.now() / 1000);
    const team = emulator.issuer.slice("http://".length);
    const { keys } = await (await fetch(`${emulator.issuer}/cdn-cgi/access/certs`)).json();
    const [stranger, known] = [makeKey(), { ...makeKey(), kid: keys[0].kid }];
    const word = (key, change) => makeToken(key, emulator.issuer, { type: "match", hostname: "127.0.0.1", auth_domain: team, aud: emulator.api_aud, app_hostname: "x", iat: now, ...change });
    const genuine = (change) => emulator.mint({ type: "match", iat: now, extra: { hostname: "127.0.0.1", auth_domain: team, aud: emulator.api_aud, app_hostname: "x", ...change }, ...(change.iat ? { iat: change.iat } : {}) });
    const words = {
      none: undefined,
      "no token": "x.y.z",
      "of a key that the team does not have": word(stranger, {}),
      "of another key under the team's name": word(known, {}),
      "about another host": await genuine({ hostname: "other.example.com" }),
      "too old": await genuine({ iat: now - 24 * 3600 - 60 }),
      "from the future": await genuine({ iat: now + 3600 }),
      "of no match": await genuine({ type: "app" }),
      "of a team that is none": await genuine({ auth_domain: "evil.example" }),
    };
    for (const [name, token] of Object.entries(words)) {
      for (const status of [200, 302, 403]) {
        const liar = (_, response) =>
          response
            .writeHead(status, { "cf-access-aud": emulator.api_aud, "cf-access-domain": "x", location: `${emulator.issuer}/cdn-cgi/access/login/x?kid=${emulator.api_aud}`, ...(token && { "cf-access-metadata": token }) })
            .end("hello");
        [page.answer, api.answer] = [liar, liar];
        const person = await emulator.mint({ aud: [emulator.api_aud] });
        const { out } = await doctor(makeFolder(), [`${page.url}/api`, "--api", api.url, "--token-from", "-", "--json"], { env, input: person });
        const { checks } = JSON.parse(out);
        assert.ok(checks.every(({ code, state }) => !["doctor::service_token", "doctor::caller"].includes(code) || state === "cannot tell"), `${name}: ${out}`);
        assert.ok(page.requests.length > 0 && api.requests.length > 0);
        for (const { method, url, headers } of [...page.requests, ...api.requests]) {
          const all = JSON.stringify([method, url, headers]);
          for (const secret of [env.CF_ACCESS_CLIENT_ID, env.CF_ACCESS_CLIENT_SECRET, person]) assert.ok(!all.includes(secret), `${name}, ${status}: ${all}`);
        }
        [page, api].forEach((server) => server.reset());
      }
    }
  });
});

test("whatever the plan says, the edge sends no credential without a word that it has checked", async () => {
  const { askerWith } = await import(join(unpacked, "cli", "doctor.mjs"));
  await withSetUp({}, async ({ emulator, page, api, env }) => {
    const now = Math.floor(Date.now() / 1000);
    const person = await emulator.mint();
    const ask = { method: "GET", headers: [], body: false };
    const url = `${emulator.api_local_url}/x`;
    const wordAsk = { ...ask, id: "api0.word", method: "HEAD", url, headers: [["cf-access-metadata-request", "true"]], with: "nothing" };
    const names = ["CF_ACCESS_CLIENT_ID", "CF_ACCESS_CLIENT_SECRET"];
    const asker = askerWith(env, person, now, () => {});
    const { metadata } = await asker(wordAsk);
    assert.equal(metadata.unproven, null);
    const proof = { url, token: metadata.token };
    const refused = [
      [askerWith(env, person, now, () => {}), url, { service: { names, proof } }],
      [asker, url, { service: { names, proof: { ...proof, token: person } } }],
      [asker, `${url}/y`, { service: { names, proof } }],
      [asker, `${api.url}/x`, { service: { names, proof } }],
      [asker, `${api.url}/x`, { person: { proof } }],
      [asker, `${api.url}/x`, { person: { proof: { ...proof, url: `${api.url}/x` } } }],
    ];
    for (const [asker, url, along] of refused) {
      const before = (await emulator.stats()).api_requests;
      const { failed } = await asker({ ...ask, id: "x", url, with: along });
      assert.match(failed, /^not sent: /);
      assert.deepEqual([api.requests.length, (await emulator.stats()).api_requests], [0, before]);
    }
    assert.equal((await asker({ ...ask, id: "api0.service", url, with: { service: { names, proof } } })).status, 200);
    assert.match((await asker({ ...ask, id: "x", method: "DELETE", url, with: "nothing" })).failed, /never sent/);
    // An API that writes its request into its answer does not get a secret into the report.
    api.answer = (request, response) => response.writeHead(200, { "x-echo": person }).end(env.CF_ACCESS_CLIENT_SECRET);
    const echoed = await asker({ ...ask, body: true, id: "api0.service", url, with: { service: { names, proof } } });
    assert.deepEqual([echoed.body, echoed.headers["x-echo"]], ["(not shown)", "(not shown)"]);
  });
});

test("cloudflared is asked for a token, and an empty one is none", async () => {
  await withSetUp({}, async ({ emulator, folder }) => {
    const program = (text) => {
      const bin = makeFolder();
      writeFileSync(join(bin, "cloudflared"), `#!/bin/sh\n${text}\n`);
      chmodSync(join(bin, "cloudflared"), 0o755);
      return { env: { PATH: bin + delimiter + process.env.PATH } };
    };
    const words = [emulator.app_local_url, "--token-from", "cloudflared", "--json"];
    const token = await emulator.mint();
    const good = await doctor(folder, words, program(`test "$*" = "access token --app=${emulator.app_local_url}/" && printf %s '${token}'`));
    assert.equal(JSON.parse(good.out).checks.find(({ code }) => code === "doctor::caller").state, "ok", good.out);
    for (const text of ["echo 'Unable to find token' >&2", "exit 1"]) {
      const { status, out } = await doctor(folder, words, program(text));
      assert.deepEqual([status, JSON.parse(out).errors], [2, [`cloudflared has no token that is still good; log in first: cloudflared access login ${emulator.app_local_url}/`]]);
    }
    for (const [input, error] of [["", /the standard input is empty/], ["s3cret", /found no token \(not shown\)/]]) {
      const { status, err } = await doctor(folder, [emulator.app_local_url, "--token-from", "-"], { input });
      assert.equal(status, 2);
      assert.match(err, error);
      assert.ok(!err.includes("s3cret"));
    }
  });
});

test("secrets come out of a file, and a half of a pair is none", async () => {
  await withSetUp({}, async ({ emulator, folder, env }) => {
    const file = (lines) => writeFileSync(join(folder, ".dev.vars"), lines.join("\n"));
    const token = async () => JSON.parse((await doctor(folder, [emulator.app_local_url, "--env-file", ".dev.vars", "--json"])).out).checks.find(({ code }) => code === "doctor::service_token");
    file(["# mine", `CF_ACCESS_CLIENT_ID="${env.CF_ACCESS_CLIENT_ID}"`, `export CF_ACCESS_CLIENT_SECRET=${env.CF_ACCESS_CLIENT_SECRET} # secret`, `RELAY='{`, `}'`]);
    assert.equal((await token()).state, "ok");
    file([`CF_ACCESS_CLIENT_ID='${env.CF_ACCESS_CLIENT_ID}'`]);
    const half = await token();
    assert.deepEqual([half.state, half.means.startsWith("CF_ACCESS_CLIENT_SECRET is not there")], ["cannot tell", true]);
  });
});

test("what cannot be looked at ends with 2", async () => {
  const empty = makeFolder();
  for (const [words, error] of [
    [[], /^found no wrangler\.json/],
    [["https://ada:s3cret@app.example.com"], /leave out the user name/],
    [["a", "b"], /^found 2 addresses/],
    [["http://127.0.0.1:1", "--config", "none"], /^none: cannot be read \(ENOENT\)/],
    [["http://127.0.0.1:1", "--token-from", "me"], /^--token-from: write cloudflared/],
  ]) {
    const { status, out, err } = await doctor(empty, words);
    assert.deepEqual([status, out], [2, ""], err);
    assert.match(err, error);
    assert.ok(!err.includes("s3cret"));
  }
  const gone = await doctor(empty, ["http://127.0.0.1:1"]);
  assert.equal(gone.status, 2);
  assert.match(gone.out, /doctor::unreachable/);
  assert.match(gone.out, /A host gave no answer, so this says nothing of it\.\n$/);
  // What cannot serve is check's to say.
  const unsound = await doctor(makeFolder({ "wrangler.toml": "[vars.RELAY]\nroutes = []\n" }), ["http://127.0.0.1:1"]);
  assert.equal(unsound.status, 1);
  assert.match(unsound.err, /error\[relay::/);
});
