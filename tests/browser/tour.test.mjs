// The demo's page in each engine: a login, each call both ways, a session that ends, and "Why was I blocked?". (`npm start` itself is
// demo.test.mjs; here its parts stand on ports of their own, and by https where an engine wants it.)

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before } from "node:test";
import { buildCompanion } from "../../scripts/companion.mjs";
import { buildPage } from "../../scripts/page.mjs";
import { root } from "../../scripts/tools.mjs";
import { fillLoginForm, logIn } from "../support/browser.mjs";
import { startEmulator } from "../support/emulator.mjs";
import { inEachEngine } from "../support/engines.mjs";
import { until } from "../support/engines/webdriver.mjs";
import { begin, freePort } from "../support/processes.mjs";
import { startTls } from "../support/tls.mjs";
import { startRelay } from "../support/workerd.mjs";

const person = "ada@example.com";
const scenarios = ["whoami", "post", "delete", "download"];

/** How the page names an engine, and what its console says of a preflight whose answer lacks the method. */
const CONSOLES = {
  Chromium: ["Chromium", /has been blocked by CORS policy: Method PATCH is not allowed/],
  Firefox: ["Firefox", /Did not find method in CORS header/],
  WebKit: ["Safari", /Method PATCH is not allowed by Access-Control-Allow-Methods\./],
};

before(async () => {
  await buildCompanion();
  await buildPage();
});

inEachEngine("The demo", ({ engine, launch, tls, test }) => {
  let browser, demo, emulator, own, page, relay;
  const fronts = [];

  before(async () => {
    const [app, api, pagePort, apiPort, relayPort] = await Promise.all(Array.from({ length: 5 }, freePort));
    const originOf = async (host, port) => {
      if (!tls) return `http://${host}:${port}`;
      const front = await startTls(port);
      fronts.push(front);
      return `https://${host}:${front.port}`;
    };
    own = await originOf("app.example.localhost", app);
    const direct = await originOf("api.example.localhost", api);
    emulator = await startEmulator({ app: { port: app, origin: own }, api: { port: api, backend: `http://127.0.0.1:${apiPort}` } });
    relay = await startRelay({
      relay: { access: { issuer: emulator.issuer, audience: [emulator.app_aud] }, routes: [{ path: "/api", upstream: `http://127.0.0.1:${api}` }] },
      secrets: Object.fromEntries([...readFileSync(join(root, "demo", ".dev.vars"), "utf8").matchAll(/^(\w+)="(.+)"$/gm)].map(([, name, value]) => [name, value])),
    });
    await emulator.control("/backends", { app: [{ path: "/api", to: relay.url }, { path: "/", to: `http://127.0.0.1:${pagePort}` }] });
    const options = { "page-port": pagePort, "api-port": apiPort, "direct-api": direct, relay: `http://127.0.0.1:${relayPort}`, handles: emulator.control_url };
    demo = begin("node", ["demo/server.mjs", ...Object.entries(options).map(([name, value]) => `--${name}=${value}`)], root);
    await until(() => demo.output().includes("{"), () => `the demo does not start: ${demo.output()}`);
    browser = await launch();
    page = browser.page;
    await logIn(page, own, person);
  });
  after(async () => {
    await browser?.close();
    for (const front of fronts) await front.stop();
    await Promise.all([demo, relay, emulator].map((part) => part?.stop()));
  });

  test("each call is blocked directly, and passes through the relay", async () => {
    await page.click("[data-testid=run-all]");
    for (const name of scenarios) {
      assert.deepEqual([await outcome(`direct-${name}`), await outcome(`relay-${name}`)], ["failed", "ok"], name);
    }
    assert.ok((await textOf("relay-whoami")).includes(person));
    assert.match(await textOf("relay-download"), /20\.0 MB/);
    assert.match((await browser.console()).join("\n"), /CORS|access control checks/);
  });

  test("no cookie of the API is kept", async () => {
    await page.goto(own);
    assert.equal(await outcome("relay-whoami"), "ok");
    assert.deepEqual((await browser.cookies()).map(({ name }) => name).sort(), ["CF_AppSession", "CF_Authorization"]);
    assert.equal(await page.evaluate(() => document.cookie), "");
  });

  test("an event stream arrives piece by piece", async () => {
    await page.goto(own);
    const times = await page.evaluate(async () => {
      const source = new EventSource("/api/events");
      const arrived = [];
      await new Promise((resolve) => {
        source.addEventListener("tick", () => arrived.push(performance.now()) === 3 && resolve());
        source.onerror = resolve;
      });
      source.close();
      return arrived;
    });
    assert.equal(times.length, 3);
    assert.ok(times[2] - times[0] > 200, `within ${times[2] - times[0]} ms`);
  });

  test("a session that has ended is a 401 that the page can read, and the next login goes on", async () => {
    await page.goto(own);
    assert.equal(await outcome("relay-whoami"), "ok");
    await emulator.control("/expire-sessions");
    const answer = await page.evaluate(async () => {
      const { status, redirected } = await fetch("/api/whoami", { headers: { "X-Requested-With": "XMLHttpRequest" } });
      return [status, redirected];
    });
    assert.deepEqual(answer, [401, false]);
    await page.click("[data-testid=run-whoami]");
    assert.equal(await outcome("relay-whoami"), "failed");
    await page.click("[data-testid=reload]");
    await fillLoginForm(page, person);
    await page.waitForURL(`${own}/`);
    assert.equal(await outcome("relay-whoami"), "ok");
  });

  test("“Why was I blocked?” decides, and has the words of the browser's console", async () => {
    await page.goto(`${own}/why/`);
    await until(() => page.evaluate(() => document.getElementById("config").value.includes("[vars.RELAY.cors]")), "the policy is not shown");
    await page.click("[data-testid=preset-method]");
    const [name, words] = CONSOLES[engine];
    const shown = () => page.evaluate(() => document.getElementById("decision").innerText);
    await until(async () => (await shown()).includes("Blocked at the preflight: method_not_allowed"), "nothing is decided");
    assert.match(await shown(), new RegExp(`What the console of ${name} says`));
    assert.match(await shown(), words);
  });

  test("a logout ends it", async () => {
    await page.goto(`${own}/cdn-cgi/access/logout`);
    await page.goto(own);
    assert.equal(new URL(await page.url()).origin, emulator.issuer);
  });

  /** How a call has come out, once it has. */
  async function outcome(result) {
    const state = () => page.evaluate((name) => document.querySelector(`[data-testid=${name}]`)?.dataset.state, result);
    return until(async () => ["idle", "running", undefined].includes(await state()) ? undefined : state(), `${result} does not end`, 30_000);
  }

  const textOf = (name) => page.evaluate((name) => document.querySelector(`[data-testid=${name}]`).innerText, name);
});
