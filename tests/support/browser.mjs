// What tests do in a browser, whichever it is.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { launchChromium } from "./engines/chromium.mjs";
import { startTls } from "./tls.mjs";

export { launchChromium as launchBrowser };

/** Logs in through the emulator's form; ends on the page that the login was for. */
export async function logIn(page, address, email = "ada@example.com") {
  await page.goto(address);
  await fillLoginForm(page, email);
  await page.waitForURL(`${address}/`);
}

/** Sends the emulator's login form, which must be what the page shows. */
export async function fillLoginForm(page, email) {
  await page.fill("input[type=email]", email);
  await page.click("button.go");
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

/**
 * A server of blank pages, whatever the host and the path: the origins that a test needs. `answers` has other answers by path, and
 * `script` runs in each blank page before anything else. With `tls`, browsers get it by https; `url` is http all the same.
 */
export async function startPages({ tls = false, script = "" } = {}) {
  const answers = {};
  const server = createServer((request, response) => {
    request.resume();
    const answer = answers[request.url.split("?")[0]] ?? blank;
    answer(request, response);
  });
  const blank = (_, response) => response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page(script));
  await new Promise((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  const { port } = server.address();
  const front = tls ? await startTls(port) : undefined;
  return {
    url: `http://127.0.0.1:${port}`,
    answers,
    /** The origin of a page on this host, which must be one below `localhost`. */
    origin: (host) => (front ? `https://${host}:${front.port}` : `http://${host}:${port}`),
    async stop() {
      await front?.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A blank page with a script. */
function page(script) {
  return `<!doctype html><title>blank</title><link rel="icon" href="data:,"><script>${script}</script><body>`;
}
