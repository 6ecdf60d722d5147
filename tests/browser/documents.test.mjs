// HTML of the API is not the page's own: what the browser shows as a document runs no script, however it gets there.
//
// Each document tries all that it can: it writes into the page's storage, calls the API, and changes its title. The same
// document at a route with `documents = "allow"` manages: so it is the relay that stops it, not the browser.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach } from "node:test";
import { logIn } from "../support/browser.mjs";
import { inEachEngine } from "../support/engines.mjs";
import { until } from "../support/engines/webdriver.mjs";
import { startSite } from "../support/site.mjs";

const SCRIPT = `try { localStorage.ran = "yes" } catch {} fetch("/api/marker").catch(() => {}); document.title = "ran"`;
const DOCUMENTS = {
  HTML: ["text/html; charset=utf-8", `<!doctype html><title>quiet</title><body>hello<script>${SCRIPT}</script>`],
  SVG: ["image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"><title>quiet</title><text y="20">hello</text><script>${SCRIPT}</script></svg>`],
  XHTML: ["application/xhtml+xml", `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>quiet</title></head><body>hello<script>${SCRIPT}</script></body></html>`],
  "XML with a script of XHTML": ["application/xml", `<a>hello<script xmlns="http://www.w3.org/1999/xhtml">${SCRIPT}</script></a>`],
  "HTML without a type": [undefined, `<!doctype html><title>quiet</title><body>hello<script>${SCRIPT}</script>`],
};

inEachEngine("Documents of the API", ({ engine, launch, tls, test }) => {
  let browser, page, site;
  before(async () => {
    site = await startSite({ "/api": {}, "/allowed": { documents: "allow" } }, { tls });
    browser = await launch();
    page = browser.page;
    await logIn(page, site.own);
  });
  after(async () => {
    await browser?.close();
    await site?.stop();
  });
  beforeEach(() => site.forget());

  for (const [name, [type, body]] of Object.entries(DOCUMENTS)) {
    test(`${name} runs no script: opened, in a frame, as an object, embedded, and out of the cache`, async () => {
      for (const [how, show] of Object.entries(WAYS)) {
        for (const [route, origin, ran] of [["/api", "null", false], ["/allowed", site.own, true]]) {
          const path = `${route}/${encodeURIComponent(`${name} ${how}`)}`;
          await page.goto(site.own);
          await page.evaluate(() => localStorage.clear());
          site.forget();
          serve(type, body, how === "fetched, then opened" ? { "cache-control": "private, max-age=600" } : {});
          const shown = await show(path);
          assert.equal(await shown.evaluate(() => window.origin), origin, `${how} ${route}`);
          assert.match(await shown.evaluate(() => document.documentElement.textContent), /hello/);
          if (ran) await site.witness.seen("/api/marker");
          await page.goto(site.own);
          assert.deepEqual(
            { stored: await page.evaluate(() => localStorage.ran === "yes"), called: site.arrived().includes("GET /api/marker") },
            { stored: ran, called: ran },
            `${how} ${route}`,
          );
          const asked = site.arrived().filter((request) => request !== "GET /api/marker");
          // WebKit does not take for a document what a fetch has left in its cache.
          const again = engine === "WebKit" && how === "fetched, then opened";
          assert.deepEqual(asked, Array(again ? 2 : 1).fill(`GET ${path}`), "it was asked for once");
        }
      }
    });
  }

  test("HTML by the last of several types runs no script, fetched, then opened", async () => {
    const [, body] = DOCUMENTS.HTML;
    // Two lines of a header count as one, with a comma, and the last type in it is the document's (Fetch, "extract a MIME type").
    // WebKit goes by the first one where that is plain text.
    const cases = [["text/plain; charset=utf-8", "text/plain"], ["image/png", "text/html"], ["application/json", "text/html"]];
    for (const [first, inWebKit] of cases) {
      const shown = engine === "WebKit" ? inWebKit : "text/html";
      for (const [route, runs] of [["/api", false], ["/allowed", shown === "text/html"]]) {
        await page.goto(site.own);
        await page.evaluate(() => localStorage.clear());
        serve([first, "text/html"], body, { "cache-control": "private, max-age=600" });
        await WAYS["fetched, then opened"](`${route}/${encodeURIComponent(first)}`);
        assert.equal(await page.evaluate(() => document.contentType), shown);
        await page.goto(site.own);
        assert.equal(await page.evaluate(() => localStorage.ran), runs ? "yes" : undefined, `${first} ${route}`);
      }
    }
    return engine === "WebKit" ? "holds; it goes by the first type where that is `text/plain`" : "holds";
  });

  test("HTML runs no script where a service worker of the page has fetched it", async () => {
    const [type, body] = DOCUMENTS.HTML;
    site.pages.answers["/service-worker.js"] = (_, response) =>
      response.writeHead(200, { "content-type": "text/javascript" }).end(`
        oninstall = () => skipWaiting();
        onactivate = (event) => event.waitUntil(clients.claim());
        onfetch = (event) => {
          const { pathname } = new URL(event.request.url);
          if (pathname.endsWith("/as-it-is")) event.respondWith(fetch(event.request));
          if (pathname.endsWith("/by-its-url")) event.respondWith(fetch(event.request.url));
        };
      `);
    await page.goto(site.own);
    await page.evaluate(async () => {
      await navigator.serviceWorker.register("/service-worker.js");
      if (!navigator.serviceWorker.controller) await new Promise((resolve) => (navigator.serviceWorker.oncontrollerchange = resolve));
    });
    for (const how of ["as-it-is", "by-its-url"]) {
      for (const cached of ["no-store", "no-cache", "private, max-age=600"]) {
        for (const [route, ran] of [["/api", undefined], ["/allowed", "yes"]]) {
          await page.goto(site.own);
          await page.evaluate(() => localStorage.clear());
          serve(type, body, { "cache-control": cached });
          await WAYS.opened(`${route}/${encodeURIComponent(cached)}/${how}`);
          await page.goto(site.own);
          assert.equal(await page.evaluate(() => localStorage.ran), ran, `${route} ${how} ${cached}`);
        }
      }
    }
    await page.evaluate(async () => (await navigator.serviceWorker.ready).unregister());
  });

  test("XML is not turned into a page by a style sheet of the API", async () => {
    const sheet = `<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:output method="html"/>
      <xsl:template match="/"><html><head><title>quiet</title></head><body>transformed<script>${SCRIPT}</script></body></html></xsl:template></xsl:stylesheet>`;
    for (const [route, ran] of [["/api", false], ["/allowed", true]]) {
      await page.goto(site.own);
      await page.evaluate(() => localStorage.clear());
      site.forget();
      site.api.answer = ({ url }, response) =>
        url.endsWith("/sheet")
          ? response.writeHead(200, { "content-type": "text/xsl" }).end(sheet)
          : response.writeHead(200, { "content-type": "text/xml" }).end(`<?xml-stylesheet type="text/xsl" href="${route}/sheet"?><a>plain</a>`);
      await page.goto(`${site.own}${route}/xml`);
      assert.equal(await page.title(), ran ? "ran" : "");
      await page.goto(site.own);
      assert.equal(await page.evaluate(() => localStorage.ran), ran ? "yes" : undefined, route);
    }
  });

  test("a document's own policy holds beside it", async () => {
    serve("text/html", `<!doctype html><title>quiet</title><style>body { color: rgb(1, 2, 3) }</style>hello`, { "content-security-policy": "style-src 'none'" });
    await page.goto(`${site.own}/api/policy`);
    assert.deepEqual(await page.evaluate(() => [window.origin, getComputedStyle(document.body).color]), ["null", "rgb(0, 0, 0)"]);
  });

  test("a document's images and styles of the API count as a foreign page's, for it has no origin", async () => {
    const image = '<svg xmlns="http://www.w3.org/2000/svg" width="31" height="17"/>';
    for (const [route, width, asked] of [["/api", 0, false], ["/allowed", 31, true]]) {
      site.forget();
      site.api.answer = ({ url }, response) =>
        url.endsWith("/image")
          ? response.writeHead(200, { "content-type": "image/svg+xml" }).end(image)
          : response.writeHead(200, { "content-type": "text/html" }).end('<!doctype html>hello<img src="image">');
      await page.goto(`${site.own}${route}/report`);
      assert.equal(await page.evaluate(() => document.images[0].naturalWidth), width, route);
      assert.equal(site.arrived().includes(`GET ${route}/image`), asked, route);
    }
  });

  test("a link to a download downloads", async () => {
    for (const [number, attributes] of ["", "download", 'target="_blank"'].entries()) {
      const name = `report-${number}.csv`;
      serve("text/csv", "a,b\n", { "content-disposition": `attachment; filename="${name}"` });
      await page.goto(site.own);
      await page.evaluate(([url, attributes]) => (document.body.innerHTML = `<a href="${url}" ${attributes}>a</a>`), [`${site.own}/api/report`, attributes]);
      await page.evaluate(() => document.links[0].click());
      const file = join(browser.downloads, name);
      assert.equal(await until(() => existsSync(file) && readFileSync(file, "utf8"), `${name} is not downloaded`), "a,b\n");
    }
  });

  test("a PDF opens in the browser's viewer, though it is a document, too", async () => {
    for (const route of ["/api", "/allowed"]) {
      serve("application/pdf", aPage());
      await page.goto(site.own);
      await page.goto(`${site.own}${route}/report.pdf`);
      await until(VIEWERS[engine], `no viewer is shown (${route})`);
    }
  });

  /** Whether the browser's own viewer shows a PDF. */
  const VIEWERS = {
    // An extension, in a frame of the document; in a frame of its own is what draws the pages.
    Chromium: () => page.frames().length === 3 && page.frames()[1].url().startsWith("chrome-extension:"),
    Firefox: () => page.evaluate(() => document.querySelectorAll("#viewer .page").length === 1),
    WebKit: () => page.evaluate(() => document.querySelector("iframe")?.src.startsWith("webkit-pdfjs-viewer:")),
  };

  /** How a document comes to be shown; each returns the frame or page that shows it. */
  const WAYS = {
    async opened(path) {
      await page.evaluate((url) => void (location.href = url), site.own + path);
      await page.waitForURL(site.own + path);
      return page;
    },
    "in a frame": (path) => inside("iframe", "src", path),
    "as an object": (path) => inside("object", "data", path),
    embedded: (path) => inside("embed", "src", path),
    async "fetched, then opened"(path) {
      await page.evaluate(async (url) => (await fetch(url)).text(), site.own + path);
      return WAYS.opened(path);
    },
  };

  async function inside(tag, attribute, path) {
    await page.evaluate(
      ([tag, attribute, url]) =>
        new Promise((resolve) => {
          const element = document.createElement(tag);
          element.addEventListener("load", resolve);
          element.setAttribute(attribute, url);
          document.body.append(element);
        }),
      [tag, attribute, site.own + path],
    );
    return page.frame(0);
  }

  function serve(type, body, headers = {}) {
    site.api.answer = ({ url }, response) => {
      if (url === "/api/marker") return response.writeHead(200, { "content-type": "text/plain" }).end("marked");
      if (type) response.setHeader("content-type", type);
      response.writeHead(200, headers).end(body);
    };
  }
});

/** A PDF with one empty page. */
function aPage() {
  const objects = ["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>", "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 144]>>"];
  return `%PDF-1.4\n${objects.map((object, at) => `${at + 1} 0 obj${object}endobj\n`).join("")}trailer<</Size 4/Root 1 0 R>>\n%%EOF`;
}
