// Two people at one browser, one after the other: what it has kept for the first is not for the second.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach } from "node:test";
import { logIn } from "../support/browser.mjs";
import { inEachEngine } from "../support/engines.mjs";
import { startSite, UNGUARDED } from "../support/site.mjs";

const [ada, grace] = ["ada@example.com", "grace@example.com"];

inEachEngine("Two people at one browser", ({ launch, tls, test }) => {
  let browser, page, site;

  before(async () => {
    site = await startSite({ "/api": {} }, { tls });
  });
  after(() => site?.stop());
  beforeEach(async () => {
    site.forget();
    browser = await launch();
    page = browser.page;
  });
  afterEach(() => browser?.close());

  test("an answer that varies by person is kept for that person alone", async () => {
    serve("X-Forwarded-Email");
    await logIn(page, site.own, ada);
    assert.equal(await read("/api/me"), `1 for ${ada}`);
    assert.equal(await read("/api/me"), `1 for ${ada}`, "out of the cache");
    assert.equal(site.api.requests.length, 1);

    await logOut();
    assert.equal(await read("/api/me"), 401, "nobody is logged in");
    await logIn(page, site.own, grace);
    assert.equal(await read("/api/me"), `2 for ${grace}`);
    assert.equal(await read("/api/me"), `2 for ${grace}`, "out of the cache");
    assert.equal(site.api.requests.length, 2);

    await logOut();
    await logIn(page, site.own, ada);
    assert.equal(await read("/api/me"), `3 for ${ada}`);
  });

  test("without the relay, the next person gets what was kept for the first", async () => {
    serve("X-Forwarded-Email");
    await logIn(page, site.own, ada);
    assert.equal(await read(`${UNGUARDED}/me`), "1 for undefined");
    await logOut();
    await logIn(page, site.own, grace);
    assert.equal(await read(`${UNGUARDED}/me`), "1 for undefined", "out of the cache");
  });

  /** The API: an answer with a number, and the person whom the relay names. */
  function serve(vary) {
    let count = 0;
    site.api.answer = ({ headers }, response) =>
      response
        .writeHead(200, { "content-type": "text/plain", "cache-control": "private, max-age=60", vary })
        .end(`${++count} for ${headers["x-forwarded-email"]}`);
  }

  /** What a page of the app gets: the text, or the status of a refusal. */
  async function read(path) {
    return page.evaluate(async (path) => {
      const answer = await fetch(path);
      return answer.ok ? answer.text() : answer.status;
    }, path);
  }

  async function logOut() {
    await page.goto(`${site.own}/cdn-cgi/access/logout`);
  }
});
