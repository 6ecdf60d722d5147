// The emulator's login in a browser that keeps no Secure cookie over http.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fillLoginForm, launchBrowser, startPages } from "../support/browser.mjs";
import { startEmulator } from "../support/emulator.mjs";

// WebKit keeps none on any host; Chromium keeps none on a host that is not below `localhost`.
const hostname = "app.example.test";
let access, browser, pages;

before(async () => {
  pages = await startPages();
  access = await startEmulator({ app: { hostname, backends: [{ path: "/", to: pages.url }] } });
  browser = await launchBrowser({ args: [`--host-resolver-rules=MAP ${hostname} 127.0.0.1`] });
});
after(async () => {
  await browser?.close();
  await access?.stop();
  await pages?.stop();
});

test("a login that comes back without the cookie says why, and what to do", async () => {
  const { page } = browser;
  await page.goto(`${access.app_url}/a?b=1`);
  const notice = page.getByRole("alert");
  await page.getByLabel("E-mail address").waitFor();
  assert.equal(await notice.count(), 0, "a first visit");

  await fillLoginForm(page, "ada@example.com");
  await notice.waitFor();
  assert.equal(new URL(page.url()).origin, access.issuer);
  const said = await notice.innerText();
  for (const words of ["You logged in, but this browser did not keep the cookie.", "refuses such a cookie over http", "Use Chromium or Firefox"]) {
    assert.ok(said.includes(words), said);
  }
  assert.deepEqual((await browser.context.cookies(access.app_url)).map(({ name }) => name), []);

  await page.goto(`${access.app_url}/a?b=1`);
  await page.getByLabel("E-mail address").waitFor();
  assert.equal(await notice.count(), 0, "a visit that follows no login");
});
