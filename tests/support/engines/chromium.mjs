// Chromium, headless, with a fresh profile for each start.

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium as playwright } from "playwright-core";
import { installBrowser } from "../../../scripts/tools.mjs";

const QUIET = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const executablePath = installBrowser();

/**
 * Starts it, with `args` beside its own. Its `page` is Playwright's, and has besides what the pages of the other engines have
 * (webdriver.mjs): `frame()`; so has the browser `opening()`, `cookies()`, `console()` and `version`.
 */
export async function launchChromium({ args = [] } = {}) {
  const profile = mkdtempSync(join(tmpdir(), "access-relay-browser-"));
  // Debian's Chromium blocks third parties' cookies, and every Chromium does in the contexts that Playwright makes by
  // default, as in Incognito. Chrome's default, the harder one for the relay, is a preference of a profile on disk.
  mkdirSync(join(profile, "Default"));
  writeFileSync(join(profile, "Default", "Preferences"), JSON.stringify({ profile: { cookie_controls_mode: 0 } }));
  // The browser's own sandbox does not work for root, and for root alone it is left out.
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const options = { executablePath, args: [...QUIET, ...sandbox, ...args] };
  const context = await playwright.launchPersistentContext(profile, options);
  const page = withFrames(context.pages()[0]);
  const downloads = join(profile, "Downloads");
  const saveFrom = (page) => page.on("download", (download) => download.saveAs(join(downloads, download.suggestedFilename())));
  saveFrom(page);
  context.on("page", saveFrom);
  let said = [];
  context.on("console", (message) => said.push(message.text()));
  return {
    context,
    page,
    version: `Chromium ${context.browser().version()}`,
    /** The next window that is opened while `act` runs, and what that returns. */
    async opening(act) {
      const [opened, returned] = await Promise.all([context.waitForEvent("page"), act()]);
      return [withFrames(opened), returned];
    },
    /** The cookies that the browser has for the page that is open. */
    cookies: () => context.cookies(page.url()),
    /** What the console has said since the last question. */
    console() {
      const lines = said;
      said = [];
      return lines;
    },
    /** The folder of what was downloaded. */
    downloads,
    async close() {
      await context.close();
      // Its last processes may still be writing.
      await rm(profile, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

function withFrames(page) {
  return Object.assign(page, {
    /** The document of the page's frame with this number, whichever element holds it. */
    frame: (number) => page.mainFrame().childFrames()[number],
  });
}
