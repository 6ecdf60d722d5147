// What pages of other origins can read, or have the API do, without CORS: scripts, images, frames, links and their like.
//
// Each kind is tried in each engine four times: for an answer that is there (200) and one that is not (404), without the relay
// (`/unguarded`) and with it. Without the relay, the request reaches the API with the person's cookie, and the page learns
// what the table says: so it is the relay that stops it, not the browser. With the relay, the request arrives with that
// cookie as well and is refused, the API is not asked, and 200 and 404 look alike.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test as plain } from "node:test";
import { ATTEMPTS_SERVER, installAttempts } from "../support/attempts.mjs";
import { logIn } from "../support/browser.mjs";
import { inEachEngine } from "../support/engines.mjs";
import { startSite, UNGUARDED } from "../support/site.mjs";

const person = "ada@example.com";
const SCRIPT = ["text/javascript", 'self.said = "secret"'];
const IMAGE = ["image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg" width="31" height="17"/>'];
const SOUND = ["audio/wav", aSecondOfSilence()];
const STYLE = ["text/css", ":root { --said:secret }"];
const PAGE = ["text/html", "<!doctype html><title>hello</title><iframe></iframe><iframe></iframe>"];

/**
 * What the API answers, what a page learns without the relay of a 200 and of a 404, and what it learns with the relay, of either: in
 * Chromium, and below in the engines that do otherwise.
 */
const KINDS = {
  script: [SCRIPT, "load secret", "error", "error"],
  stylesheet: [STYLE, "load secret", "error", "error"],
  image: [IMAGE, "load 31 wide", "error", "error"],
  video: [SOUND, "loadedmetadata 1 s", "error", "error"],
  audio: [SOUND, "loadedmetadata 1 s", "error", "error"],
  object: [PAGE, "load 2 frames", "error", "error"],
  embed: [PAGE, "load 2 frames", "load 0 frames", "load 0 frames"],
  iframe: [PAGE, "load 2 frames", "load 0 frames", "load 0 frames"],
  "form in a frame": [PAGE, "load 2 frames", "load 0 frames", "load 0 frames"],
  prefetch: [SCRIPT, "load", "error", "error"],
  preload: [IMAGE, "load", "error", "error"],
  fetch: [SCRIPT, "opaque", "opaque", "opaque"],
  "fetch out of the cache": [SCRIPT, "opaque", "opaque", "opaque"],
  importScripts: [SCRIPT, "load secret", "NetworkError", "NetworkError"],
  "service worker": [SCRIPT, "load secret", "error", "error"],
  "redirected script": [SCRIPT, "load secret", "error", "error"],
  "redirected image": [IMAGE, "load 31 wide", "error", "error"],
  "redirected iframe": [PAGE, "load 2 frames", "load 0 frames", "load 0 frames"],
  // The browser shows a page none of these, but it sends them.
  module: [SCRIPT, "error", "error", "error"],
  font: [SCRIPT, "NetworkError", "NetworkError", "NetworkError"],
  beacon: [SCRIPT, "nothing", "nothing", "nothing"],
  ping: [SCRIPT, "nothing", "nothing", "nothing"],
};

const OTHERWISE = {
  Chromium: {},
  Firefox: {
    embed: [PAGE, "load 2 frames", "nothing", "nothing"],
    // It shows the JSON of a refusal as a tree, and does not tell the page that the frame has loaded.
    iframe: [PAGE, "load 2 frames", "load 0 frames", "nothing"],
    "form in a frame": [PAGE, "load 2 frames", "load 0 frames", "nothing"],
    "redirected iframe": [PAGE, "load 2 frames", "load 0 frames", "nothing"],
    prefetch: [SCRIPT, "load", "load", "load"],
    preload: [IMAGE, "load", "load", "load"],
  },
  WebKit: { object: [PAGE, "load 2 frames", "nothing", "nothing"] },
};

/** What an engine does not send. */
const NOT_SENT = { Chromium: [], Firefox: ["ping"], WebKit: ["prefetch"] };

/** What it sends without cookies. */
const WITHOUT_COOKIE = { Chromium: ["font"], Firefox: ["font"], WebKit: [] };

/** What tells a page the exact length of the body, by Resource Timing: the API permits it, and Chromium does. */
const TIMED = ["script", "stylesheet", "image", "video", "audio", "object", "embed", "iframe", "prefetch", "preload", "fetch", "fetch out of the cache"];

/** What a route with `foreign_requests = "all"` refuses all the same: it has an origin. */
const NAMES_ITS_ORIGIN = { Chromium: ["module", "font", "beacon", "ping"], Firefox: ["module", "font", "beacon"], WebKit: ["module", "beacon", "ping"] };

inEachEngine("What a foreign page can have sent", ({ engine, launch, tls, test: noted, note }) => {
  const kinds = Object.entries({ ...KINDS, ...OTHERWISE[engine] });
  const learns = Object.fromEntries(kinds);
  let site;
  before(async () => {
    site = await startSite({ "/api": {}, "/closed": { foreign_requests: "none" }, "/open": { foreign_requests: "all" } }, { tls, script: `(${installAttempts})()` });
    Object.assign(site.pages.answers, ATTEMPTS_SERVER);
  });
  after(() => site?.stop());

  for (const [foreign, title] of [["evil", "another site"], ["sibling", "another host of the same site"]]) {
    let browser, page;
    const test = (what, body) => noted(`${title}: ${what}`, body);
    describe(title, () => {
      before(async () => {
        browser = await launch();
        page = browser.page;
        await logIn(page, site.own, person);
      });
      after(() => browser?.close());
      beforeEach(() => {
        site.forget();
        site.api.answer = answer;
      });

      for (const [kind, [content, found, missing, refused]] of kinds) {
        plain(`gets nothing by ${kind}`, async () => {
          const cookie = !WITHOUT_COOKIE[engine].includes(kind);
          if (NOT_SENT[engine].includes(kind)) {
            assert.equal(await attempt(kind, UNGUARDED, "found"), undefined);
            return note(`\`${kind}\``, "not sent");
          }
          const bytes = [];
          for (const [state, learnt] of [["found", found], ["missing", missing]]) {
            const without = await attempt(kind, UNGUARDED, state);
            assert.deepEqual([without.learnt, without.reachedTheApi, without.cookie], [learnt, true, cookie], `without the relay: ${state}`);
            bytes.push(without.bytes);
          }
          assert.equal(bytes[0], engine === "Chromium" && (TIMED.includes(kind) || ["beacon", "ping"].includes(kind)) ? content[1].length : 0);
          for (const state of ["found", "missing"]) {
            assert.deepEqual(await attempt(kind, "/api", state), { learnt: refused, bytes: 0, status: 403, cookie, reachedTheApi: false });
          }
          const tells = found !== missing || bytes[0] !== bytes[1];
          note(`\`${kind}\``, `${cookie ? "with" : "without"} the login; tells ${tells ? "200 from 404" : "nothing"}`);
        });
      }

      test("a link, a form and a window lead to the API, and a window tells how many frames there are", async () => {
        for (const way of ["link", "form", "redirect"]) {
          await page.goto(site[foreign]);
          await leadThere(way, `/api/iframe/${way}`);
          await page.waitForURL(`${site.own}/api/iframe/${way}*`);
          assert.equal(await page.title(), "hello", way);
          const [request] = site.api.requests.splice(0);
          assert.equal(request.headers["x-forwarded-email"], person, way);
        }
        await page.goto(site[foreign]);
        // Of a window that it has opened, a page can count the frames, whatever is in it: the API's to prevent, by
        // `Cross-Origin-Opener-Policy`, which passes the relay.
        for (const [path, policy, learnt] of [
          ["/api/iframe/found", undefined, "2 frames, SecurityError"],
          ["/api/iframe/missing", undefined, "0 frames, SecurityError"],
          ["/api/iframe/found", "same-origin", "closed"],
          ["/api/iframe/missing", "same-origin", "closed"],
        ]) {
          site.api.answer = (request, response) => {
            if (policy) response.setHeader("cross-origin-opener-policy", policy);
            answer(request, response);
          };
          assert.equal(await openAndLook(path, policy !== undefined), learnt, `${path} ${policy}`);
          assert.deepEqual([...new Set(site.arrived())], [`GET ${path}`]);
          site.api.requests.length = 0;
        }
      });

      test('with `foreign_requests = "none"` not even these do', async () => {
        for (const way of ["link", "form", "redirect"]) {
          await page.goto(site[foreign]);
          await leadThere(way, `/closed/iframe/${way}`);
          await page.waitForURL(`${site.own}/closed/iframe/${way}*`);
          assert.match(await page.evaluate(() => document.body.innerText), /cross_origin_blocked/, way);
        }
        await page.goto(site[foreign]);
        assert.equal(await openAndLook("/closed/iframe/found"), "0 frames, SecurityError");
        assert.equal((await attempt("script", "/closed", "found")).learnt, "error");
        assert.deepEqual(site.arrived(), []);
        // Whoever types the address, or follows a link of the relay's own page, is no foreign page.
        await page.goto(`${site.own}/closed/iframe/found`);
        assert.equal(await page.title(), "hello");
      });

      test('with `foreign_requests = "all"` what has no origin passes, and nothing else', async () => {
        for (const [kind, [, found]] of kinds) {
          if (NOT_SENT[engine].includes(kind)) continue;
          const { learnt, status, reachedTheApi } = await attempt(kind, "/open", "found");
          const refused = NAMES_ITS_ORIGIN[engine].includes(kind);
          assert.deepEqual([status, reachedTheApi], refused ? [403, false] : [200, true], kind);
          if (!refused) assert.equal(learnt, found, kind);
        }
      });

      test("nothing comes out of the browser's cache", async () => {
        // Pages of one site share it; then not even a request comes of it, and Cross-Origin-Resource-Policy is all there is. The
        // image is an SVG, which could be framed as a document: it varies by who asks, and so it is asked for.
        const asks = foreign === "sibling" ? "same-site" : "cross-site";
        const keeps = async (kind, route) => {
          const { learnt, asked } = await attemptAtWhatIsKept(kind, route);
          // WebKit asks anew only if the page runs in another process; then it does so for a page of the same site, too.
          return { learnt, asked: engine === "WebKit" ? asked.slice(0, 1) : asked };
        };
        const again = (status) => (engine === "WebKit" || foreign === "sibling" ? [] : [`${asks} ${status}`]);
        for (const kind of ["script", "stylesheet", "image", "video", "fetch", "fetch out of the cache", "importScripts", "service worker"]) {
          const [, found, , refused] = learns[kind];
          assert.deepEqual(await keeps(kind, UNGUARDED), { learnt: found, asked: ["same-origin 200", ...again(200)] }, `${kind} without the relay`);
          const { learnt, asked } = await keeps(kind, "/api");
          const isImage = kind === "image" && engine !== "WebKit";
          assert.deepEqual(asked, ["same-origin 200", ...(isImage ? [`${asks} 403`] : again(403))], kind);
          // An answer out of the cache is no answer to a fetch of this page, and a refusal is one.
          const isKept = kind.startsWith("fetch") && (foreign === "sibling" || engine === "WebKit");
          assert.ok([refused, ...(isKept ? ["TypeError"] : [])].includes(learnt), `${kind}: ${learnt}`);
        }
      });

      test("no frame is filled out of the browser's cache", async () => {
        // No Cross-Origin-Resource-Policy is looked at for a frame.
        const asks = foreign === "sibling" ? "same-site" : "cross-site";
        for (const kind of ["iframe", "object", "embed"]) {
          const [, found, , refused] = learns[kind];
          assert.equal((await attemptAtWhatIsKept(kind, UNGUARDED)).learnt, found, `${kind} without the relay`);
          assert.deepEqual(await attemptAtWhatIsKept(kind, "/api"), { learnt: refused, asked: ["same-origin 200", `${asks} 403`] }, kind);
        }
      });

      test("nothing is prepared for a click that nobody has made", async () => {
        for (const kind of ["speculation rules", "prerender"]) {
          const [without, guarded] = [UNGUARDED, "/api"].map((route) => `${route}/iframe/${encodeURIComponent(kind)}`);
          // Both of one page, so that the second has been asked for, too, when the first has.
          await page.goto(site[foreign]);
          await page.evaluate(([kind, ...urls]) => urls.map((url) => attempts[kind](url)), [kind, site.own + guarded, site.own + without]);
          if (foreign === "evil" || engine !== "Chromium") {
            // Chromium prepares nothing of another site for which it has cookies, and the others nothing at all.
            await new Promise((resolve) => setTimeout(resolve, 300));
            assert.deepEqual([site.witness.requests, site.arrived()], [[], []], kind);
            if (kind === "prerender") return "prepares nothing";
            continue;
          }
          const [request] = await site.witness.seen(without);
          // It says that no page has asked.
          assert.deepEqual([request.headers["sec-fetch-site"], hasLogin(request)], ["none", true], kind);
          assert.deepEqual((await site.witness.seen(guarded)).map(({ status }) => status), [403], kind);
          assert.equal(site.arrived().includes(`GET ${guarded}`), false, kind);
          // Whoever then clicks gets there all the same.
          await leadThere("link", guarded);
          await page.waitForURL(site.own + guarded);
          assert.equal(await page.title(), "hello", kind);
          assert.equal(site.arrived().includes(`GET ${guarded}`), true, kind);
        }
      });

      /** What a page learns of an answer that the relay's own page has got by the same kind, and that the browser may keep. */
      async function attemptAtWhatIsKept(kind, route) {
        const path = `${route}/${encodeURIComponent(kind)}/found`;
        const url = `${site.own}${path}?kept`;
        site.forget();
        site.api.answer = (request, response) => {
          response.setHeader("cache-control", "private, max-age=600");
          answer(request, response);
        };
        // What was shown in a frame is kept apart from what was not.
        const own = ["iframe", "object", "embed"].includes(kind) ? kind : "fetch";
        await page.goto(site.own);
        await page.evaluate(([kind, url]) => attempts[kind](url), [own, url]);
        await page.goto(site[foreign]);
        const learnt = await page.evaluate(([kind, url]) => attempts[kind](url), [kind, url]);
        const asked = (await site.witness.seen(path)).map(({ headers, status }) => `${headers["sec-fetch-site"]} ${status}`);
        return { learnt, asked };
      }

      /** What a page learns by one attempt, and what became of the request; undefined if none was sent. */
      async function attempt(kind, route, state) {
        const path = `${route}/${encodeURIComponent(kind)}/${state}`;
        const url = site.own + path;
        site.api.requests.length = site.witness.requests.length = 0;
        await page.goto(site[foreign]);
        const learnt = await page.evaluate(([kind, url]) => attempts[kind](url), [kind, url]);
        const [request, ...more] = await site.witness.seen(path);
        if (!request) return undefined;
        assert.deepEqual(more, []);
        const bytes = await page.evaluate(async (url) => {
          const entries = () => performance.getEntriesByName(url);
          for (let tries = 0; entries().length === 0 && tries < 5; tries++) await new Promise((resolve) => setTimeout(resolve, 20));
          return Math.max(0, ...entries().map(({ encodedBodySize }) => encodedBodySize));
        }, url);
        return { learnt, bytes, status: request.status, cookie: hasLogin(request), reachedTheApi: site.api.requests.length > 0 };
      }

      /** Has the page's window go there. */
      function leadThere(way, path) {
        return page.evaluate(
          ([way, url]) => {
            if (way === "redirect") location.href = `/hop?${encodeURIComponent(url)}`;
            document.body.innerHTML = way === "form" ? `<form action="${url}"><input name="a" value="1"></form>` : `<a href="${url}">a</a>`;
            if (way === "form") document.forms[0].submit();
            if (way === "link") document.links[0].click();
          },
          [way, site.own + path],
        );
      }

      /** Has the page open a window there; what it can tell of it. */
      async function openAndLook(path, cut) {
        const [popup] = await browser.opening(() => page.evaluate((url) => void (window.opened = window.open(url)), site.own + path));
        await popup.waitForURL(site.own + path);
        const learnt = await page.evaluate(async (cut) => {
          const { opened } = window;
          // The browser tells the opener a little after the window has loaded.
          for (let tries = 0; cut && !opened.closed && tries < 100; tries++) await new Promise((resolve) => setTimeout(resolve, 20));
          if (opened.closed) return "closed";
          try {
            return `${opened.length} frames, ${opened.location.href}`;
          } catch (error) {
            return `${opened.length} frames, ${error.name}`;
          }
        }, cut);
        await popup.close();
        return learnt;
      }
    });
  }
});

function hasLogin({ headers }) {
  return /\bCF_Authorization=\w/.test(headers.cookie);
}

/** The API: `/route/kind/state`. */
function answer({ url }, response) {
  const [, , kind, state] = decodeURIComponent(url.split("?")[0]).split("/");
  response.setHeader("timing-allow-origin", "*");
  if (state === "missing") return response.writeHead(404, { "content-type": "text/plain" }).end("no");
  const [type, body] = KINDS[kind][0];
  response.writeHead(200, { "content-type": type, "content-length": body.length }).end(body);
}

/** A WAVE file: 8000 samples of 8 bits. */
function aSecondOfSilence() {
  const file = Buffer.alloc(44 + 8000, 128);
  file.write("RIFF");
  file.writeUInt32LE(36 + 8000, 4);
  file.write("WAVEfmt ", 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(8000, 24);
  file.writeUInt32LE(8000, 28);
  file.writeUInt16LE(1, 32);
  file.writeUInt16LE(8, 34);
  file.write("data", 36);
  file.writeUInt32LE(8000, 40);
  return file;
}
