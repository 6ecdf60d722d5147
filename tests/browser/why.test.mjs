// "Why was I blocked?", the demo's view of the CORS decision, in the set-up of `npm start`.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { fillLoginForm, launchBrowser, logIn, startPages } from "../support/browser.mjs";
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

const listedOrigins = 'allowed_origins = ["https://admin.example.com", "https://*.preview.example.com", "http://localhost:*"]';

/** What "Why was I blocked?" says of its presets: the step that fails, the line that would let it pass, the relay's code. */
const presets = [
  { preset: "allowed", verdict: "Allowed: the browser sends the call" },
  {
    preset: "origin",
    verdict: "Blocked: the origin is not allowed here",
    step: "origin",
    line: `${listedOrigins.slice(0, -1)}, "https://shop.example.net"]`,
    code: "origin_not_allowed",
  },
  {
    preset: "apex",
    verdict: "Blocked: the origin is not allowed here",
    step: "origin",
    line: `${listedOrigins.slice(0, -1)}, "https://preview.example.com"]`,
    code: "origin_not_allowed",
  },
  {
    preset: "method",
    verdict: "Blocked: the method is not listed",
    step: "method",
    line: 'allowed_methods = ["PUT", "DELETE", "PATCH"]',
    code: "method_not_allowed",
  },
  {
    preset: "header",
    verdict: "Blocked: a header is not listed",
    step: "headers",
    line: 'allowed_headers = ["content-type", "x-custom", "x-api-key"]',
    code: "header_not_allowed",
  },
  {
    preset: "excluded",
    verdict: "Blocked: the origin is not allowed here",
    step: "origin",
    line: "excluded_paths = []",
    code: "origin_not_allowed",
  },
  { preset: "simple", verdict: "Allowed: no preflight, and the page may read the answer", skipped: ["method", "headers", "max-age"] },
  {
    preset: "own",
    verdict: "Allowed: the same origin, so CORS has no say",
    skipped: ["origin", "credentials", "method", "headers", "max-age"],
    asks: false,
  },
];

for (const { preset, verdict, step, line, code, skipped = [], asks = true } of presets) {
  test(`"Why was I blocked?" explains its preset "${preset}", and the API is not asked`, async () => {
    await openWhy();
    const before = setUp.output().length;
    await page.getByTestId(`preset-${preset}`).click();
    await verdictIs(verdict);
    assert.deepEqual(await stepStates(), expectedStates(step, skipped));
    assert.deepEqual(await page.getByTestId("suggestion").allInnerTexts(), line ? [line] : []);
    assert.equal(await page.getByTestId("console").isVisible(), Boolean(step));
    if (code) assert.equal(await page.getByTestId("code").innerText(), code);
    assert.equal(await page.getByTestId("answer").isVisible(), asks);
    if (asks) await relayAnsweredByItself(before, code);
    assert.ok(!(await page.getByTestId("steps").innerText()).includes("No cookie is sent")); // The presets send them.
  });
}

test("\"Why was I blocked?\" takes a call of one's own, and says what no browser would send", async () => {
  await openWhy();
  const cases = [
    [{ origin: "https://admin.example.com/" }, "Origin: a browser sends https://admin.example.com."],
    [{ method: "TRACE" }, "Method: browsers let no page send TRACE."],
    [{ headers: "Cookie" }, "Headers: browsers let no page set cookie."],
    [{ path: "/other" }, "path: expected /api or a plain path below it, of up to 200 characters"],
    [{ method: "put", headers: "X-Custom,  accept" }, "Allowed: the browser sends the call"],
  ];
  for (const [call, verdict] of cases) {
    await ask({ origin: "https://admin.example.com", method: "PUT", path: "/api/notes", headers: "", ...call });
    await verdictIs(verdict);
  }
  // No line of configuration helps these, and none is named.
  const hopeless = [
    [{ method: "patch" }, /write PATCH/],
    [{ origin: "null" }, /sandboxed/],
    [{ origin: "http://shop.example.net" }, /https/],
  ];
  for (const [call, note] of hopeless) {
    await ask({ origin: "https://admin.example.com", method: "PUT", path: "/api/notes", headers: "", ...call });
    await page.locator(".fix").filter({ hasText: note }).waitFor();
    assert.equal(await page.getByTestId("suggestion").count(), 0);
  }
});

test("\"Why was I blocked?\" has the words that the browser's console says to the same call", async () => {
  const pages = await startPages();
  try {
    const origin = pages.origin("localhost");
    const calls = [
      { origin, method: "PATCH", path: "/api/notes", headers: "content-type" },
      { origin, method: "PUT", path: "/api/notes", headers: "content-type, x-api-key" },
      { origin, method: "PUT", path: "/api/admin/users", headers: "" },
      { origin: pages.origin("127.0.0.1"), method: "GET", path: "/api/notes", headers: "" },
    ];
    const said = [];
    for (const call of calls) said.push(await consoleOf(call));
    await openWhy();
    for (const [index, call] of calls.entries()) {
      await ask(call);
      await page.locator(".step[data-state=failed]").waitFor();
      await shows("console", (text) => wordsOf(text) === said[index], said[index]);
    }
  } finally {
    await pages.stop();
  }
});

test("the server of \"Why was I blocked?\" asks nothing but preflights below /api", async () => {
  const call = { origin: "https://admin.example.com", method: "PUT", path: "/api/notes", headers: [] };
  const status = async (body, type = "application/json") => {
    const answer = await fetch("http://127.0.0.1:8705/why", { method: "POST", headers: { "content-type": type }, body });
    return answer.status;
  };
  assert.equal(await status(JSON.stringify(call)), 200);
  assert.equal(await status(JSON.stringify(call), "text/plain"), 415);
  assert.equal(await status("x".repeat(5_001)), 413);
  const bad = [
    ...["https://a.example\r\nX-Evil: 1", "", 1, "x".repeat(321)].map((origin) => ({ origin })),
    ...["PUT /x", "", null, "x".repeat(65)].map((method) => ({ method })),
    ...["/", "/apix", "/api/../x", "/api/%2e%2e/x", "/api?x", "//api", "http://example.com/api"].map((path) => ({ path })),
    ...["x", ["a\nb"], ["a,b"], [""], Array(31).fill("x")].map((headers) => ({ headers })),
    { path: `/api/${"x".repeat(200)}` },
    { other: 1 },
  ];
  for (const part of bad) assert.equal(await status(JSON.stringify({ ...call, ...part })), 400, JSON.stringify(part));
  for (const body of ["", "null", "[]", "{", "7"]) assert.equal(await status(body), 400, body);
});

test("\"Why was I blocked?\" says that the session has ended, and goes on after the next login", async () => {
  await openWhy();
  await fetch(`${handles}/expire-sessions`, { method: "POST" });
  await page.getByTestId("preset-allowed").click();
  await verdictIs("Your session ended. Log in again to go on.");
  await page.getByTestId("reload").click();
  await fillLoginForm(page, person);
  await page.waitForURL(`${address}/why`);
  await page.getByTestId("preset-allowed").click();
  await verdictIs("Allowed: the browser sends the call");
});

test("nothing of \"Why was I blocked?\" overflows on a small screen, and the decision comes into view", async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  await openWhy();
  for (const { preset, verdict } of presets) {
    await page.getByTestId(`preset-${preset}`).click();
    await verdictIs(verdict);
    assert.equal(await page.evaluate(() => Math.max(innerWidth, document.documentElement.scrollWidth)), 390, preset);
    const { y } = await page.getByTestId("verdict").boundingBox();
    assert.ok(y >= 0 && y < 844, `${preset}: the verdict is at ${y}`);
  }
});

/** Logs in, and follows the link to "Why was I blocked?". */
async function openWhy() {
  await logIn(page, address, person);
  await page.getByTestId("why").click();
  await page.waitForURL(`${address}/why`);
  await shows("policy", (text) => text.startsWith("[vars.RELAY.cors]"), "the policy");
}

async function ask(call) {
  for (const [name, value] of Object.entries(call)) await page.locator(`[name="${name}"]`).fill(value);
  await page.getByTestId("ask").click();
}

async function verdictIs(verdict) {
  await shows("verdict", (text) => text === verdict, verdict);
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

async function stepStates() {
  const items = await page.locator(".step").evaluateAll((steps) => steps.map((step) => [step.dataset.testid, step.dataset.state]));
  return Object.fromEntries(items);
}

/** All passed, but for the one that failed, those after it, and those that are not needed. */
function expectedStates(failed, skipped) {
  const names = ["preflight", "origin", "credentials", "method", "headers", "max-age"];
  const end = failed ? names.indexOf(failed) : names.length;
  const state = (name, index) => (index > end ? "unreached" : index === end ? "failed" : skipped.includes(name) ? "skipped" : "ok");
  return Object.fromEntries(names.map((name, index) => [`step-${name}`, state(name, index)]));
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
  const names = headers.split(/[\s,]+/).filter((name) => name !== "");
  await page.evaluate(
    ([url, method, names]) => {
      const values = { "content-type": "application/json" };
      fetch(url, { method, credentials: "include", headers: names.map((name) => [name, values[name] ?? "1"]) }).catch(() => {});
    },
    [`http://app.localhost:8704${path}`, method, names],
  );
  return wordsOf((await message).text());
}

function wordsOf(text) {
  return text.split("blocked by CORS policy: ")[1];
}
