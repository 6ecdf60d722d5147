// The main job as a person sees it: `npm start`, a browser, a login, the same calls both ways, Ctrl-C.
//
// It is the real thing with its real ports: the emulator, the demo, and the relay in `wrangler dev`. It builds the
// Worker anew, so no test that runs the build may run at the same time: `node --test --test-concurrency=1`.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { fillLoginForm, launchBrowser, logIn, startPages } from "../support/browser.mjs";
import { root } from "../../scripts/tools.mjs";

const address = "http://app.example.localhost:8700";
const handles = "http://127.0.0.1:8703";
const ports = [8700, 8701, 8702, 8703, 8704, 8705, 8706];
const person = "ada@example.com";
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

test("logging in leads back to the page, which knows the person", async () => {
  await page.goto(address);
  assert.equal(new URL(page.url()).origin, "http://127.0.0.1:8702");
  await fillLoginForm(page, "Grace.Hopper@example.com");
  await page.waitForURL(`${address}/`);
  await page.getByTestId("logout").waitFor();
  assert.equal(await page.getByTestId("person").innerText(), "Grace.Hopper@example.com");
});

test("the browser blocks the direct call, and the relayed one shows whom the API saw", async () => {
  const consoleSays = watchConsole();
  await logIn(page, address, person);
  await outcome("direct-whoami", "failed");
  await consoleSays(/^Access to fetch at 'http:\/\/api\.example\.localhost:8701\/.* has been blocked by CORS policy/);
  assert.match(await page.getByTestId("direct-whoami").innerText(), /Blocked by the browser/);
  await outcome("relay-whoami", "ok");
  const shown = await page.getByTestId("relay-whoami").innerText();
  assert.match(shown, /200 OK/);
  assert.ok(shown.includes(person) && shown.includes(serviceToken().id), shown);
});

for (const [name, method] of [["post", "POST"], ["delete", "DELETE"]]) {
  test(`the browser blocks the direct ${method} by its preflight, and the relayed one works`, async () => {
    const consoleSays = watchConsole();
    await logIn(page, address, person);
    await page.getByTestId(`run-${name}`).click();
    await outcome(`direct-${name}`, "failed");
    await consoleSays(/8701\/api\/notes.* has been blocked by CORS policy: Response to preflight request/);
    await outcome(`relay-${name}`, "ok");
    assert.ok((await page.getByTestId(`relay-${name}`).innerText()).includes(person));
  });
}

test("a download streams through the relay, whole", async () => {
  await logIn(page, address, person);
  await page.getByTestId("run-download").click();
  await outcome("direct-download", "failed");
  await outcome("relay-download", "ok");
  assert.match(await page.getByTestId("relay-download").innerText(), /20\.0 MB/);
});

test("no cookie of the API reaches the browser", async () => {
  // The API does set cookies, on every such answer.
  const direct = await fetch("http://127.0.0.1:8706/api/whoami");
  assert.deepEqual(direct.headers.getSetCookie().map(nameOf), ["api_session", "api_affinity"]);
  const answers = [];
  page.on("response", (response) => answers.push(response));
  await logIn(page, address, person);
  await runAll();
  const setters = [];
  for (const answer of answers) {
    const { origin, pathname } = new URL(answer.url());
    const cookies = (await answer.headersArray()).filter(({ name }) => name.toLowerCase() === "set-cookie");
    if (origin === address) setters.push(...cookies.map(({ value }) => [pathname, nameOf(value)]));
  }
  assert.ok(answers.filter((answer) => answer.url().startsWith(`${address}/api/`)).length >= 5);
  assert.deepEqual(setters, [["/", "CF_AppSession"], ["/cdn-cgi/access/authorized", "CF_Authorization"]]);
  const held = (await browser.context.cookies(address)).map(({ name }) => name);
  assert.deepEqual(held.sort(), ["CF_AppSession", "CF_Authorization"]);
  assert.equal(await page.evaluate(() => document.cookie), "");
  assert.equal(await page.getByTestId("cookies-verdict").getAttribute("data-state"), "ok");
});

test("the service token is nowhere in the browser's sight", async () => {
  const seen = await watchEverything();
  await logIn(page, address, person);
  await runAll();
  const bodies = await seen.bodies();
  const kept = await page.evaluate(() => [document.documentElement.outerHTML, ...[localStorage, sessionStorage].map((store) => JSON.stringify({ ...store }))]);
  const headers = seen.headers.join("\n");
  // Everything was watched: the login's cookie, the preflights, the API's answers.
  for (const [what, text] of [["CF_Authorization=", headers], ["Access-Control-Request-Method", headers], ["X-Seen-As", headers], ['"forwarded_email"', bodies], [person, kept[0]]]) {
    assert.ok(text.toLowerCase().includes(what.toLowerCase()), `${what} was not seen`);
  }
  const { id, secret } = serviceToken();
  for (const text of [headers, bodies, ...kept]) assert.ok(!text.includes(secret), `the secret was seen: ${around(text, secret)}`);
  // The ID is no secret, and the demo's API tells whom it saw. It is a credential's half in headers alone.
  assert.ok(!headers.includes(id), `the ID was seen in a header: ${around(headers, id)}`);
  assert.ok(!/cf-access-client-/i.test(headers), `a header of the service token was seen: ${around(headers.toLowerCase(), "cf-access-client-")}`);
});

test("an expired session is a 401 that the page can read, and logging in again goes on", async () => {
  await logIn(page, address, person);
  await outcome("relay-whoami", "ok");
  assert.ok(!(await page.getByTestId("session-ended").isVisible()));
  const handle = await fetch(`${handles}/expire-sessions`, { method: "POST" });
  assert.equal(handle.status, 200);
  const answer = await page.evaluate(async () => {
    const answer = await fetch("/api/whoami", { headers: { "X-Requested-With": "XMLHttpRequest" } });
    return { status: answer.status, redirected: answer.redirected, body: await answer.json() };
  });
  assert.deepEqual([answer.status, answer.redirected, answer.body.status], [401, false, 401]);
  await page.getByTestId("run-whoami").click();
  await outcome("relay-whoami", "failed");
  await page.getByTestId("session-ended").waitFor();
  await page.getByTestId("reload").click();
  await fillLoginForm(page, person);
  await page.waitForURL(`${address}/`);
  await outcome("relay-whoami", "ok");
  assert.ok(!(await page.getByTestId("session-ended").isVisible()));
});

test("nothing overflows on a small screen", async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  const width = () => page.evaluate(() => [innerWidth, Math.max(innerWidth, document.documentElement.scrollWidth)]);
  await page.goto(address);
  assert.deepEqual(await width(), [390, 390], "the login");
  await fillLoginForm(page, "grace.brewster.hopper@engineering.example.com");
  await page.waitForURL(`${address}/`);
  await runAll();
  assert.deepEqual(await width(), [390, 390], "the page");
  await fetch(`${handles}/expire-sessions`, { method: "POST" });
  await page.getByTestId("run-whoami").click();
  await page.getByTestId("session-ended").waitFor();
  assert.deepEqual(await width(), [390, 390], "the page when the session has ended");
});

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

test("Ctrl-C ends all of it", async () => {
  assert.deepEqual(await takenPorts(), ports);
  assert.deepEqual(await setUp.interrupt(), [0, null], setUp.output());
  const deadline = Date.now() + 10_000;
  let taken;
  while ((taken = await takenPorts()).length > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(taken, []);
});

/** `npm start` without npm in between, so that the signal goes where a terminal would send it. */
async function startEverything() {
  const child = spawn(process.execPath, ["scripts/start.mjs"], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "exit");
  // The test runner ends a file that takes too long by a signal; the set-up must not outlive it.
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => child.kill("SIGINT") && process.exit(1));
  let output = "";
  const ready = new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
        const announced = output.indexOf("access-relay is running");
        if (announced >= 0 && output.includes(address, announced)) resolve();
      });
    }
  });
  await Promise.race([ready, exited.then(() => Promise.reject(new Error(`npm start ended before it was ready:\n${output}`)))]);
  const interrupt = () => {
    child.kill("SIGINT");
    return exited;
  };
  return {
    output: () => output,
    interrupt,
    stop: () => (child.exitCode === null && child.signalCode === null ? interrupt() : undefined),
  };
}

async function takenPorts() {
  const free = (port) =>
    new Promise((resolve) => {
      const server = createServer();
      server.once("error", () => resolve(false));
      server.listen({ port, host: "127.0.0.1" }, () => server.close(() => resolve(true)));
    });
  const taken = [];
  for (const port of ports) if (!(await free(port))) taken.push(port);
  return taken;
}

/** The service token that the relay holds, from its own secrets. */
function serviceToken() {
  const secrets = readFileSync(join(root, "demo", ".dev.vars"), "utf8");
  const value = (name) => secrets.match(new RegExp(`^CF_ACCESS_CLIENT_${name}="(.+)"$`, "m"))[1];
  return { id: value("ID"), secret: value("SECRET") };
}

/** Waits until a call has come to this end. */
async function outcome(result, state) {
  const element = page.getByTestId(result);
  await element.and(page.locator(':not([data-state="idle"]):not([data-state="running"])')).waitFor();
  assert.equal(await element.getAttribute("data-state"), state, await element.innerText());
}

/** Every call, both ways. */
async function runAll() {
  await page.getByTestId("run-all").click();
  for (const name of ["whoami", "post", "delete", "download"]) {
    await outcome(`relay-${name}`, "ok");
    await outcome(`direct-${name}`, "failed");
  }
  await page.locator('[data-testid="run-all"]:not([aria-busy])').waitFor();
}

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

/** Collects what the console says; the returned function waits for a message. */
function watchConsole() {
  const said = [];
  page.on("console", (message) => said.push(message.text()));
  return async (pattern) => {
    const deadline = Date.now() + 10_000;
    while (!said.some((text) => pattern.test(text))) {
      assert.ok(Date.now() < deadline, `the console does not say ${pattern}, but:\n${said.join("\n")}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
}

/** Collects all that the browser sends and gets, as its own protocol shows it: raw headers, preflights, blocked answers. */
async function watchEverything() {
  const headers = [];
  const bodies = [];
  const session = await browser.context.newCDPSession(page);
  for (const event of ["requestWillBeSent", "requestWillBeSentExtraInfo", "responseReceived", "responseReceivedExtraInfo"]) {
    session.on(`Network.${event}`, (details) => headers.push(JSON.stringify(details)));
  }
  await session.send("Network.enable");
  page.on("response", (response) => {
    const type = response.headers()["content-type"] ?? "";
    // A redirect, or an answer that the browser blocked, has no body to show.
    if (/text|json|script|svg/.test(type)) bodies.push(response.text().catch(() => ""));
  });
  return { headers, bodies: async () => (await Promise.all(bodies)).join("\n") };
}

/** A cookie's name. */
function nameOf(cookie) {
  return cookie.split("=")[0];
}

/** Where a text was found, for the message. */
function around(text, found) {
  const at = text.indexOf(found);
  return text.slice(Math.max(0, at - 200), at + found.length);
}
