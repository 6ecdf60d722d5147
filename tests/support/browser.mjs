// A real browser: Chromium, headless, with a fresh profile for every test.

import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { installBrowser } from "../../scripts/tools.mjs";

const QUIET = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const executablePath = installBrowser();

/** Starts Chromium with a fresh profile, and `args` beside its own: its context, a page, and `close()`. */
export async function launchBrowser({ args = [] } = {}) {
  const profile = mkdtempSync(join(tmpdir(), "access-relay-browser-"));
  // Debian's Chromium blocks third parties' cookies, and every Chromium does in the contexts that Playwright makes by
  // default, as in Incognito. Chrome's default, the harder one for the relay, is a preference of a profile on disk.
  mkdirSync(join(profile, "Default"));
  writeFileSync(join(profile, "Default", "Preferences"), JSON.stringify({ profile: { cookie_controls_mode: 0 } }));
  // The browser's own sandbox does not work for root, and for root alone it is left out.
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const options = { executablePath, args: [...QUIET, ...sandbox, ...args] };
  const context = await chromium.launchPersistentContext(profile, options);
  return {
    context,
    page: context.pages()[0],
    async close() {
      await context.close();
      // Its last processes may still be writing.
      await rm(profile, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

/** Logs in through the emulator's form; ends on the page that the login was for. */
export async function logIn(page, address, email = "ada@example.com") {
  await page.goto(address);
  await fillLoginForm(page, email);
  await page.waitForURL(`${address}/`);
}

/** Sends the emulator's login form, which must be what the page shows. */
export async function fillLoginForm(page, email) {
  await page.getByLabel("E-mail address").fill(email);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
}

const axe = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");

/** What stands in the way of people who hear a page or use a keyboard (WCAG 2.2 AA, as axe-core checks it), with everything unfolded. */
export async function obstacles(page) {
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
  await page.evaluate(`${axe}; undefined`);
  const { violations, passes } = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  if (passes.length < 20) throw new Error(`axe has checked ${passes.length} rules only`);
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html.slice(0, 120)}`));
}

/** A server of blank pages, whatever the host and the path: the origins that a test needs. `answers` has other answers by path. */
export async function startPages() {
  const answers = {};
  const server = createServer((request, response) => {
    request.resume();
    const answer = answers[request.url.split("?")[0]] ?? blank;
    answer(request, response);
  });
  await new Promise((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  const { port } = server.address();
  return {
    url: `http://127.0.0.1:${port}`,
    answers,
    /** The origin of a page on this host, which must be one below `localhost`. */
    origin: (host) => `http://${host}:${port}`,
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

function blank(_, response) {
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
  response.end('<!doctype html><title>blank</title><link rel="icon" href="data:,">');
}
