// What pages of other origins can read, or have the API do, without CORS: scripts, images, frames, links and their like.
//
// Each kind is tried four times: for an answer that is there (200) and one that is not (404), without the relay
// (`/unguarded`) and with it. Without the relay, the request reaches the API with the person's cookie, and the page learns
// what the table says: so it is the relay that stops it, not the browser. With the relay, the request arrives with that
// cookie as well and is refused, the API is not asked, and 200 and 404 look alike.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { ATTEMPTS_SERVER, installAttempts } from "../support/attempts.mjs";
import { launchBrowser, logIn } from "../support/browser.mjs";
import { startSite, UNGUARDED } from "../support/site.mjs";

const person = "ada@example.com";
const SCRIPT = ["text/javascript", 'self.said = "secret"'];
const IMAGE = ["image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg" width="31" height="17"/>'];
const SOUND = ["audio/wav", aSecondOfSilence()];
const STYLE = ["text/css", ":root { --said:secret }"];
const PAGE = ["text/html", "<!doctype html><title>hello</title><iframe></iframe><iframe></iframe>"];

/** What the API answers, what a page learns without the relay of a 200 and of a 404, and what it learns with the relay. */
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

/** Those that the browser itself sends without cookies. */
const WITHOUT_COOKIE = ["font"];

/** Those of which a page learns the exact length of the body, by Resource Timing: the API permits it. */
const TIMED = ["script", "stylesheet", "image", "video", "audio", "object", "embed", "iframe", "prefetch", "preload", "fetch", "fetch out of the cache"];

let site;
before(async () => {
  site = await startSite({ "/api": {}, "/closed": { foreign_requests: "none" }, "/open": { foreign_requests: "all" } });
  Object.assign(site.pages.answers, ATTEMPTS_SERVER);
});
after(() => site?.stop());

for (const foreign of ["evil", "sibling"]) {
  describe(`a page of ${foreign === "evil" ? "another site" : "the same site, on another host"}`, () => {
    let browser, page;
    before(async () => {
      browser = await launchBrowser();
      page = browser.page;
      await browser.context.addInitScript(installAttempts);
      await logIn(page, site.own, person);
    });
    after(() => browser?.close());
    beforeEach(() => {
      site.forget();
      site.api.answer = answer;
    });

    for (const [kind, [content, found, missing, refused]] of Object.entries(KINDS)) {
      test(`gets nothing by ${kind}`, async () => {
        for (const [state, learnt] of [["found", found], ["missing", missing]]) {
          const without = await attempt(kind, UNGUARDED, state);
          assert.equal(without.learnt, learnt, `without the relay: ${state}`);
          assert.equal(without.reachedTheApi, true);
          assert.equal(without.cookie, !WITHOUT_COOKIE.includes(kind));
          if (state === "found" && TIMED.includes(kind)) assert.equal(without.bytes, content[1].length);
        }
        for (const state of ["found", "missing"]) {
          assert.deepEqual(await attempt(kind, "/api", state), {
            learnt: refused,
            bytes: 0,
            status: 403,
            cookie: !WITHOUT_COOKIE.includes(kind),
            reachedTheApi: false,
          });
        }
      });
    }

    test("has a person follow a link, send a form or open a window: that reaches the API, and tells how many frames there are", async () => {
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

    test('gets not even a followed link through, where foreign_requests is "none"', async () => {
      for (const way of ["link", "form", "redirect"]) {
        await page.goto(site[foreign]);
        await leadThere(way, `/closed/iframe/${way}`);
        await page.waitForURL(`${site.own}/closed/iframe/${way}*`);
        assert.equal(JSON.parse(await page.locator("body").innerText()).code, "cross_origin_blocked", way);
      }
      await page.goto(site[foreign]);
      assert.equal(await openAndLook("/closed/iframe/found"), "0 frames, SecurityError");
      assert.equal((await attempt("script", "/closed", "found")).learnt, "error");
      assert.deepEqual(site.arrived(), []);
      // Whoever types the address, or follows a link of the relay's own page, is no foreign page.
      await page.goto(`${site.own}/closed/iframe/found`);
      assert.equal(await page.title(), "hello");
    });

    test('loads scripts, images and frames, and nothing that changes something, where foreign_requests is "all"', async () => {
      for (const kind of Object.keys(KINDS).filter((kind) => !["module", "font", "beacon", "ping"].includes(kind))) {
        const [, found] = KINDS[kind];
        const { learnt, reachedTheApi } = await attempt(kind, "/open", "found");
        assert.deepEqual([learnt, reachedTheApi], [found, true], kind);
      }
      for (const kind of ["module", "font", "beacon", "ping"]) assert.equal((await attempt(kind, "/open", "found")).status, 403, kind);
    });

    test("gets nothing out of the browser's cache", async () => {
      // Pages of one site share it; then not even a request comes of it, and Cross-Origin-Resource-Policy is all there is. The
      // image is an SVG, which could be framed as a document: it varies by who asks, and so it is asked for.
      const shares = foreign === "sibling";
      for (const kind of ["script", "stylesheet", "image", "video", "fetch", "fetch out of the cache", "importScripts", "service worker"]) {
        const [, found, , refused] = KINDS[kind];
        assert.deepEqual(
          await attemptAtWhatIsKept(kind, UNGUARDED),
          { learnt: found, asked: shares ? ["same-origin 200"] : ["same-origin 200", "cross-site 200"] },
          `${kind} without the relay`,
        );
        assert.deepEqual(
          await attemptAtWhatIsKept(kind, "/api"),
          shares
            ? { learnt: kind.startsWith("fetch") ? "TypeError" : refused, asked: ["same-origin 200", ...(kind === "image" ? ["same-site 403"] : [])] }
            : { learnt: refused, asked: ["same-origin 200", "cross-site 403"] },
          kind,
        );
      }
    });

    test("gets no frame filled out of the browser's cache", async () => {
      // No Cross-Origin-Resource-Policy is looked at for a frame.
      const site = foreign === "sibling" ? "same-site" : "cross-site";
      for (const kind of ["iframe", "object", "embed"]) {
        const [, found, , refused] = KINDS[kind];
        assert.equal((await attemptAtWhatIsKept(kind, UNGUARDED)).learnt, found, `${kind} without the relay`);
        assert.deepEqual(await attemptAtWhatIsKept(kind, "/api"), { learnt: refused, asked: ["same-origin 200", `${site} 403`] }, kind);
      }
    });

    test("has nothing prepared for a click that nobody has made", async () => {
      for (const kind of ["speculation rules", "prerender"]) {
        const [without, guarded] = [UNGUARDED, "/api"].map((route) => `${route}/iframe/${encodeURIComponent(kind)}`);
        // Both of one page, so that the second has been asked for, too, when the first has.
        await page.goto(site[foreign]);
        await page.evaluate(([kind, ...urls]) => urls.map((url) => attempts[kind](url)), [kind, site.own + guarded, site.own + without]);
        if (foreign === "evil") {
          // Chromium prepares nothing of another site for which it has cookies.
          await page.waitForTimeout(300);
          assert.deepEqual([site.witness.requests, site.arrived()], [[], []], kind);
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

    /** What a page learns by one attempt, and what became of the request. */
    async function attempt(kind, route, state) {
      const path = `${route}/${encodeURIComponent(kind)}/${state}`;
      const url = site.own + path;
      site.api.requests.length = site.witness.requests.length = 0;
      await page.goto(site[foreign]);
      const learnt = await page.evaluate(([kind, url]) => attempts[kind](url), [kind, url]);
      const [request, ...more] = await site.witness.seen(path);
      assert.ok(request, `the browser sends ${kind} to ${path}`);
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
      const [popup, opened] = await Promise.all([
        browser.context.waitForEvent("page"),
        page.evaluateHandle((url) => window.open(url), site.own + path),
      ]);
      await popup.waitForURL(site.own + path);
      await popup.waitForLoadState();
      const learnt = await opened.evaluate(async (opened, cut) => {
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
