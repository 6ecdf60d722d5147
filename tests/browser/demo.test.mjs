// The main job as a person sees it: `npm start`, a browser, a login, the same calls both ways, Ctrl-C.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { root } from "../../scripts/tools.mjs";
import { fillLoginForm, launchBrowser, logIn } from "../support/browser.mjs";
import { address, handles, person, ports, startEverything, takenPorts } from "../support/demo.mjs";

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

test("a login and the demo's own pages leave no error in the console but the blocked calls", async () => {
  const errors = [];
  const blocked = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() !== "error") return;
    const { url } = message.location();
    // What the demo shows: the browser's two lines on each direct call, of which the second has the API's address only.
    if (/^Access to fetch at 'http:\/\/api\.example\.localhost:8701\/.* has been blocked by CORS policy/.test(message.text())) blocked.push(message.text());
    else if (message.text() !== "Failed to load resource: net::ERR_FAILED" || !url.startsWith("http://api.example.localhost:8701/")) errors.push(`${url}: ${message.text()}`);
  });
  await logIn(page, address, person);
  await runAll();
  await page.goto(`${address}/why/`);
  await page.getByTestId("preset-allowed").click();
  await page.locator("#decision[data-state=ok]").waitFor();
  await page.goto(`${address}/cdn-cgi/access/logout`);
  await page.getByRole("link", { name: "Log in again" }).click();
  await page.getByLabel("E-mail address").waitFor();
  assert.deepEqual(errors, []);
  // Whom, post, delete, download.
  assert.ok(blocked.length >= 4, blocked.join("\n"));
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

test("Ctrl-C ends all of it", async () => {
  assert.deepEqual(await takenPorts(), ports);
  assert.deepEqual(await setUp.interrupt(), [0, null], setUp.output());
  const deadline = Date.now() + 10_000;
  let taken;
  while ((taken = await takenPorts()).length > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(taken, []);
});

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
