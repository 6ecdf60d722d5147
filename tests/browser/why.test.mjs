// "Why was I blocked?" in the set-up of `npm start`: with the live policy, the running relay to compare with, and three things to break.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { fillLoginForm, launchBrowser, logIn, obstacles, startPages } from "../support/browser.mjs";
import { address, handles, person, startEverything } from "../support/demo.mjs";

let browser, page, setUp;

before(async () => {
  setUp = await startEverything();
});
after(() => setUp?.stop());
beforeEach(async () => {
  browser = await launchBrowser();
  page = browser.page;
});
afterEach(() => browser?.close());

const PASSES = "It passes, and whoever asks can read the answer";
const listedOrigins = 'allowed_origins = ["https://admin.example.com", "https://*.preview.example.com", "http://localhost:*"]';

/** What the page says of its presets: the key that decides, the line that would let it pass; whether a preflight is asked. */
const presets = [
  { preset: "allowed", verdict: PASSES },
  { preset: "origin", code: "origin_not_allowed", key: "cors.allowed_origins", line: `${listedOrigins.slice(0, -1)}, "https://shop.example.net"]` },
  { preset: "apex", code: "origin_not_allowed", key: "cors.allowed_origins", line: `${listedOrigins.slice(0, -1)}, "https://preview.example.com"]` },
  { preset: "method", code: "method_not_allowed", key: "cors.allowed_methods", line: 'allowed_methods = ["PUT", "DELETE", "PATCH"]' },
  { preset: "header", code: "header_not_allowed", key: "cors.allowed_headers", line: 'allowed_headers = ["content-type", "x-custom", "x-api-key"]' },
  { preset: "excluded", code: "origin_not_allowed", key: "cors.excluded_paths" },
  { preset: "simple", verdict: PASSES, asks: false },
  { preset: "own", verdict: PASSES, asks: false },
];

test("each preset is decided by the live policy, and the running relay answers the same, without the API", async () => {
  await openWhy();
  for (const { preset, code, verdict = `Blocked at the preflight: ${code}`, key, line, asks = true } of presets) {
    const before = setUp.output().length;
    await page.getByTestId(`preset-${preset}`).click();
    await page.locator(`#decision[aria-busy=false] [role=status]`).filter({ hasText: verdict }).waitFor();
    const compare = page.getByTestId("compare");
    assert.equal(await compare.isEnabled(), asks, preset);
    if (key) assert.match(await page.locator(".box[data-state=refused] .key").innerText(), new RegExp(`^${key}\\s+demo/wrangler\\.toml:\\d+:\\d+$`));
    const lines = await page.locator(".changes dd code").allInnerTexts();
    if (line) {
      assert.ok(lines.includes(line), `${preset}: ${lines}`);
      assert.equal(await page.locator(".changes dt code").first().innerText(), "vars.RELAY.cors");
    }
    if (!asks) continue;
    await compare.click();
    await shows("compared", (text) => text.startsWith("The running relay answers the same: 204"), `the same answer (${preset})`);
    await relayAnsweredByItself(before, code);
  }
});

test("where the relay answers otherwise than the policy that is shown, the page says so", async () => {
  await openWhy();
  const policy = await page.locator("#config").inputValue();
  await page.getByTestId("preset-method").click();
  await page.locator("#decision[data-state=failed][aria-busy=false]").waitFor();
  await page.locator("#config").fill(policy.replace('["PUT", "DELETE"]', '["PUT", "DELETE", "PATCH"]'));
  await page.getByRole("button", { name: "Decide it" }).click();
  await page.locator("#decision[data-state=ok]").waitFor();
  await page.getByTestId("compare").click();
  await shows("compared", (text) => text.startsWith("The running relay answers otherwise.") && text.includes("PATCH"), "another answer");
});

const broken = [
  { what: "session", code: "access::session_expired", title: "The session of Access has ended while the page was open" },
  { what: "token", code: "access::service_token_refused", title: "Access has refused a service token" },
  { what: "policy", code: "relay::preflight_refused", title: "The relay's CORS policy refuses what the preflight asks" },
];
for (const { what, code, title } of broken) {
  test(`with the ${what} broken by its button, the page says what it was, and works again afterwards`, async () => {
    await openWhy();
    await page.getByTestId(`break-${what}`).click();
    await page.locator("#findings[data-state=failed] [role=status]").filter({ hasText: title }).waitFor();
    const codes = await page.locator("#findings .cause").evaluateAll((causes) => causes.map(({ dataset }) => dataset.code));
    assert.deepEqual(codes, [code]);
    if (what === "policy") assert.match(await page.locator(".changes").innerText(), /allowed_headers = \["content-type", "x-custom", "x-forgotten"\]/);
    if (what === "session") {
      await page.getByTestId("reload").click();
      await fillLoginForm(page, person);
      await page.waitForURL(`${address}/why/`);
    }
    const answer = await page.evaluate(() => fetch("/api/notes").then(({ status }) => status));
    assert.equal(answer, 200);
  });
}

test("the page has the words that the browser's console says to the same call", async () => {
  const pages = await startPages();
  try {
    const origin = pages.origin("localhost");
    const calls = [
      { origin, method: "PATCH", path: "/api/notes", headers: ["content-type"] },
      { origin, method: "PUT", path: "/api/notes", headers: ["content-type", "x-api-key"] },
      { origin, method: "PUT", path: "/api/admin/users", headers: [] },
      { origin: pages.origin("127.0.0.1"), method: "GET", path: "/api/notes", headers: ["x-api-key"] },
    ];
    const said = [];
    for (const call of calls) said.push(await consoleOf(call));
    await openWhy();
    for (const [index, { origin, method, path, headers }] of calls.entries()) {
      const written = { asked: `http://app.localhost:8704${path}`, origin, method, headers: headers.map((name) => `${name}: ${valueOf(name)}`).join("\n") };
      for (const [id, value] of Object.entries(written)) await page.locator(`#${id}`).fill(value);
      await page.evaluate(() => (document.querySelector("#decision").dataset.state = "idle"));
      await page.getByRole("button", { name: "Decide it" }).click();
      await page.locator("#decision[data-state=failed]").waitFor();
      assert.equal(await page.getByRole("group", { name: "What the console says" }).innerText(), said[index]);
    }
  } finally {
    await pages.stop();
  }
});

test("the demo's server asks nothing but preflights below /api, and breaks nothing but what it names", async () => {
  const call = { origin: "https://admin.example.com", method: "PUT", path: "/api/notes", headers: [] };
  const status = async (path, body, type = "application/json") => {
    const answer = await fetch(`http://127.0.0.1:8705/why/${path}`, { method: "POST", headers: { "content-type": type }, body });
    return answer.status;
  };
  assert.equal(await status("ask", JSON.stringify(call)), 200);
  assert.equal(await status("ask", JSON.stringify(call), "text/plain"), 415);
  assert.equal(await status("ask", "x".repeat(5_001)), 413);
  const bad = [
    ...["https://a.example\r\nX-Evil: 1", "", 1, "x".repeat(321)].map((origin) => ({ origin })),
    ...["PUT /x", "", null, "x".repeat(65)].map((method) => ({ method })),
    ...["/", "/apix", "/api/../x", "/api/%2e%2e/x", "/api?x", "//api", "http://example.com/api"].map((path) => ({ path })),
    ...["x", ["a\nb"], ["a,b"], [""], Array(31).fill("x")].map((headers) => ({ headers })),
    { path: `/api/${"x".repeat(200)}` },
    { other: 1 },
  ];
  for (const part of bad) assert.equal(await status("ask", JSON.stringify({ ...call, ...part })), 400, JSON.stringify(part));
  for (const body of ["", "null", "[]", "{", "7"]) assert.equal(await status("ask", body), 400, body);
  for (const body of ["", "null", '"keys"', '"../rotate-keys"', "{}"]) assert.equal(await status("break", body), 400, body);
  assert.equal(await status("break", '"session"', "text/plain"), 415);
  assert.equal((await fetch("http://127.0.0.1:8705/why", { redirect: "manual" })).headers.get("location"), "/why/");
});

test("it says that the session has ended, and goes on after the next login", async () => {
  await openWhy();
  await fetch(`${handles}/expire-sessions`, { method: "POST" });
  await page.getByTestId("preset-allowed").click();
  await shows("compared", (text) => text === "Your session ended. Log in again to go on.", "that the session ended");
  await page.getByTestId("reload").click();
  await fillLoginForm(page, person);
  await page.waitForURL(`${address}/why/`);
  await page.getByTestId("preset-allowed").click();
  await page.locator("#decision[data-state=ok]").waitFor();
});

test("what the demo adds has a name, and can be read", async () => {
  await openWhy();
  await page.getByTestId("preset-method").click();
  await page.locator("#decision[data-state=failed]").waitFor();
  await page.getByTestId("compare").click();
  await shows("compared", (text) => text !== "", "an answer");
  assert.deepEqual(await obstacles(page), []);
});

test("nothing of it overflows on a small screen, and the decision comes into view", async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ reducedMotion: "reduce" });
  await openWhy();
  for (const { preset } of presets) {
    await page.evaluate(() => (document.querySelector("#decision").dataset.state = "idle"));
    await page.getByTestId(`preset-${preset}`).click();
    await page.locator("#decision:is([data-state=ok], [data-state=failed])").waitFor();
    assert.equal(await page.evaluate(() => Math.max(innerWidth, document.documentElement.scrollWidth)), 390, preset);
    const { y } = await page.locator("#decision .verdict").boundingBox();
    assert.ok(y >= 0 && y < 844, `${preset}: the verdict is at ${y}`);
  }
});

/** Logs in, and follows the link to "Why was I blocked?". */
async function openWhy() {
  await logIn(page, address, person);
  await page.getByTestId("why").click();
  await page.waitForURL(`${address}/why/`);
  await page.waitForFunction(() => document.getElementById("config").value.includes("[vars.RELAY.cors]"));
}

/** Waits until an element shows what it should; `what` names it. */
async function shows(element, isIt, what) {
  const deadline = Date.now() + 10_000;
  let text;
  while (!isIt((text = await page.getByTestId(element).innerText()))) {
    assert.ok(Date.now() < deadline, `expected ${what}, but ${element} shows: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The relay logs every request, with the API's status where the API was asked. */
async function relayAnsweredByItself(before, code) {
  const lines = () => setUp.output().slice(before).match(/\{"method":"OPTIONS".*\}/g) ?? [];
  const records = () => lines().map((line) => JSON.parse(line));
  const deadline = Date.now() + 10_000;
  while (records().length === 0) {
    assert.ok(Date.now() < deadline, "the relay has logged nothing");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.deepEqual(records().map(({ status, code, upstream_status }) => ({ status, code, upstream_status })), [
    { status: 204, code, upstream_status: undefined },
  ]);
}

/** What the browser's console says when a page of that origin makes the call. Straight to the relay: Access refuses preflights. */
async function consoleOf({ origin, method, path, headers }) {
  await page.goto(origin);
  const message = page.waitForEvent("console", (message) => /blocked by CORS policy/.test(message.text()));
  await page.evaluate(
    ([url, method, headers]) => {
      fetch(url, { method, credentials: "include", headers }).catch(() => {});
    },
    [`http://app.localhost:8704${path}`, method, headers.map((name) => [name, valueOf(name)])],
  );
  return (await message).text();
}

const valueOf = (name) => (name === "content-type" ? "application/json" : "1");
