// Forms: an identity provider's reaches the paths that are made for it, and the page's own reach them all.

import assert from "node:assert/strict";
import { after, before, beforeEach } from "node:test";
import { installAttempts } from "../support/attempts.mjs";
import { logIn } from "../support/browser.mjs";
import { inEachEngine } from "../support/engines.mjs";
import { startSite, UNGUARDED } from "../support/site.mjs";

const person = "ada@example.com";

/** Pages of an identity provider, and the origin that the browser names for a form of theirs. */
const PROVIDERS = {
  "another site": ["evil", "/", "its own"],
  "the same site, on another host": ["sibling", "/", "its own"],
  "another site, with no-referrer": ["evil", "/no-referrer", "null"],
  "another site, in a sandbox": ["evil", "/sandboxed", "null"],
  "a data: URL": [undefined, "data:text/html,<!doctype html><title>blank</title><body>", "null"],
};

inEachEngine("Forms", ({ engine, launch, tls, test }) => {
  let browser, page, site;

  before(async () => {
    site = await startSite({ "/api": { callback_paths: ["/api/callback"] } }, { tls, script: `(${installAttempts})()` });
    Object.assign(site.pages.answers, {
      "/no-referrer": blankWith({ "referrer-policy": "no-referrer" }),
      "/sandboxed": blankWith({ "content-security-policy": "sandbox allow-forms allow-scripts" }),
      "/bounce": ({ url }, response) => response.writeHead(307, { location: decodeURIComponent(url.split("?")[1]) }).end(),
    });
    // A data: URL is of no network, and the servers here are on this machine: its frames would not be let at them.
    browser = await launch({ args: ["--disable-features=LocalNetworkAccessChecks"] });
    page = browser.page;
    await logIn(page, site.own, person);
  });
  after(async () => {
    await browser?.close();
    await site?.stop();
  });
  beforeEach(() => site.forget());

  for (const [name, [host, path, origin]] of Object.entries(PROVIDERS)) {
    const open = async () => {
      // In WebKit a data: URL takes over the sandbox of the document before it, as a document of the API has one.
      if (!host) await page.goto(site.own);
      await page.goto(host ? site[host] + path : path);
    };
    const fromOrigin = () => (origin === "null" ? "null" : site[host]);

    test(`a callback takes the form of a page of ${name}, and no other path does`, async () => {
      await open();
      assert.equal((await submit("/api/callback")).status, 200);
      const [request] = site.api.requests;
      assert.deepEqual(
        [request.method, request.url, request.headers.origin, request.headers["x-forwarded-email"], request.body.toString()],
        ["POST", "/api/callback", fromOrigin(), person, "code=1"],
      );

      site.forget();
      for (const other of ["/api/callback/", "/api/callback/x", "/api/callbacks", "/api/other", "/api"]) {
        await open();
        assert.equal((await submit(other)).status, 403, other);
      }
      assert.deepEqual(site.arrived(), []);
      await open();
      await submit(`${UNGUARDED}/other`);
      assertArrivedWithCookie(`POST ${UNGUARDED}/other`, fromOrigin());
    });

    test(`a callback takes no form of a page of ${name} in a frame`, async () => {
      await open();
      assert.equal((await submit("/api/callback", { inFrame: true })).status, 403);
      assert.deepEqual(site.arrived(), []);
      await submit(`${UNGUARDED}/callback`, { inFrame: true });
      assertArrivedWithCookie(`POST ${UNGUARDED}/callback`, fromOrigin());
    });
  }

  test("a callback takes a form that another site passes on", async () => {
    await page.goto(site.own);
    const through = (path) => `${site.evil}/bounce?${encodeURIComponent(site.own + path)}`;
    assert.equal((await submit("/api/callback", { action: through("/api/callback") })).status, 200);
    assert.equal(site.api.requests[0].headers.origin, "null");
    site.forget();
    await page.goto(site.own);
    assert.equal((await submit("/api/other", { action: through("/api/other") })).status, 403);
    assert.deepEqual(site.arrived(), []);
  });

  test("a callback takes nothing else of a foreign page", async () => {
    for (const foreign of ["evil", "sibling"]) {
      await page.goto(site[foreign]);
      // Firefox sends no ping.
      const kinds = ["beacon", "ping", "script", "image", "iframe", "fetch"].filter((kind) => engine !== "Firefox" || kind !== "ping");
      for (const kind of kinds) {
        await page.evaluate(([kind, url]) => attempts[kind](url), [kind, `${site.own}/api/callback`]);
      }
      assert.deepEqual((await site.witness.seen("/api/callback", kinds.length)).map(({ status }) => status), kinds.map(() => 403), foreign);
      assert.deepEqual(site.arrived(), []);
      site.forget();
    }
  });

  test("a form of the relay's own page works, also in a new window and in a frame", async () => {
    await page.goto(site.own);
    const [opened] = await browser.opening(() => submit("/api/new-window", { target: "_blank" }));
    await opened.waitForURL(`${site.own}/api/new-window`);
    assert.match(await opened.evaluate(() => document.body.innerText), /^hello/);
    await opened.close();
    assert.equal((await submit("/api/frame", { inFrame: true })).status, 200);
    await page.goto(site.own);
    assert.equal((await submit("/api/here")).status, 200);
    assert.deepEqual(site.arrived(), ["POST /api/new-window", "POST /api/frame", "POST /api/here"]);
    for (const { headers, body } of site.api.requests) assert.deepEqual([headers["x-forwarded-email"], body.toString()], [person, "code=1"]);
  });

  /** Has the page submit a form; what became of it. */
  async function submit(path, { inFrame = false, target = inFrame ? "frame" : "", action = site.own + path } = {}) {
    await page.evaluate(
      ([action, target]) => {
        document.body.innerHTML = `<iframe name="frame"></iframe><form method="post" action="${action}" target="${target}"><input name="code" value="1"></form>`;
        document.forms[0].submit();
      },
      [action, target],
    );
    if (target === "") await page.waitForURL(site.own + path);
    const [request] = await site.witness.seen(path);
    return request;
  }

  function assertArrivedWithCookie(expected, origin) {
    assert.deepEqual(site.arrived(), [expected]);
    const [{ headers }] = site.api.requests;
    assert.equal(headers.origin, origin);
    assert.match(headers.cookie, /\bCF_Authorization=\w/);
  }
});

function blankWith(headers) {
  return (_, response) => response.writeHead(200, { "content-type": "text/html", ...headers }).end("<!doctype html><title>blank</title><body>");
}
