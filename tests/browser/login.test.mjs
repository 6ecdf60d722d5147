// The emulator's login in browsers that keep no Secure cookie over http.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fillLoginForm, launchBrowser, startPages } from "../support/browser.mjs";
import { startEmulator } from "../support/emulator.mjs";
import { inEachEngine } from "../support/engines.mjs";
import { until } from "../support/engines/webdriver.mjs";

const notice = ["You logged in, but this browser did not keep the cookie.", "refuses such a cookie over http", "Use Chromium or Firefox"];

async function startLogin(hostname) {
  const pages = await startPages();
  const access = await startEmulator({ app: { hostname, backends: [{ path: "/", to: pages.url }] } });
  return { ...access, stop: () => Promise.all([access.stop(), pages.stop()]) };
}

inEachEngine("The login by http, on a name below `localhost`", ({ engine, launch, test }) => {
  let access, browser, page;
  before(async () => {
    access = await startLogin("app.example.localhost");
    browser = await launch();
    page = browser.page;
  });
  after(async () => {
    await browser?.close();
    await access?.stop();
  });

  test("the `Secure` cookie of the login is kept", async () => {
    await page.goto(`${access.app_url}/a`);
    await fillLoginForm(page, "ada@example.com");
    if (engine !== "WebKit") {
      await page.waitForURL(`${access.app_url}/a`);
      assert.ok((await browser.cookies()).some(({ name }) => name === "CF_Authorization"));
      return "kept";
    }
    const alert = () => page.evaluate(() => document.querySelector("[role=alert]")?.innerText);
    const said = await until(alert, "no notice is shown");
    for (const words of notice) assert.ok(said.includes(words), said);
    return "not kept; the login page says so";
  });
});

// Chromium keeps none on a host that is not below `localhost`.
describe("on another name", () => {
  const hostname = "app.example.test";
  let access, browser;
  before(async () => {
    access = await startLogin(hostname);
    browser = await launchBrowser({ args: [`--host-resolver-rules=MAP ${hostname} 127.0.0.1`] });
  });
  after(async () => {
    await browser?.close();
    await access?.stop();
  });

  test("a login that comes back without the cookie says why, and what to do", async () => {
    const { page } = browser;
    await page.goto(`${access.app_url}/a?b=1`);
    const alert = page.getByRole("alert");
    await page.getByLabel("E-mail address").waitFor();
    assert.equal(await alert.count(), 0, "a first visit");

    await fillLoginForm(page, "ada@example.com");
    await alert.waitFor();
    assert.equal(new URL(page.url()).origin, access.issuer);
    const said = await alert.innerText();
    for (const words of notice) assert.ok(said.includes(words), said);
    assert.deepEqual((await browser.context.cookies(access.app_url)).map(({ name }) => name), []);

    await page.goto(`${access.app_url}/a?b=1`);
    await page.getByLabel("E-mail address").waitFor();
    assert.equal(await alert.count(), 0, "a visit that follows no login");
  });
});
