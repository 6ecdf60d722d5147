// What each engine's console says of a blocked request: `access-relay har` finds the cause in it, and `access-relay explain` says it
// beforehand, word for word.

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { buildCompanion } from "../../scripts/companion.mjs";
import { startPages } from "../support/browser.mjs";
import { inEachEngine } from "../support/engines.mjs";
import { until } from "../support/engines/webdriver.mjs";
import { freePort } from "../support/processes.mjs";
import { startTls } from "../support/tls.mjs";
import { startRelay } from "../support/workerd.mjs";

const login = "https://acme.cloudflareaccess.com/cdn-cgi/access/login/api.example.com";
const include = { credentials: "include" };
const json = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };

/** The answers to a call and to its preflight, what is called, and the cause that `har` finds. `origin` is the page's. */
const ANSWERS = {
  "no CORS header": { code: "cors::no_headers" },
  // Chromium's console tells no status, and of an answer that redirects not where to.
  "no CORS header on an error": { answer: [500], code: "cors::error_answer", inChromium: "cors::no_headers" },
  "another origin": { answer: [200, { origin: "https://other.example" }], code: "cors::no_headers" },
  "`*` with credentials": { init: include, answer: [200, { origin: "*" }], code: "cors::credentials" },
  "no `Access-Control-Allow-Credentials`": { init: include, answer: [200, { origin: true }], code: "cors::credentials" },
  "a preflight gets a bare 403": { init: json, preflight: [403], code: "cors::preflight_unanswered" },
  "a preflight gets a 403 with CORS headers": { init: json, preflight: [403, { origin: true, headers: "content-type" }], code: "cors::preflight_unanswered" },
  "a preflight is redirected": { init: json, preflight: [302, { location: login }], code: "cors::preflight_unanswered", inFirefox: "cors::redirected" },
  "a preflight's answer lacks the method": { init: { method: "PATCH" }, preflight: [204, { origin: true }], code: "cors::preflight_unanswered" },
  "a preflight's answer lacks a header": { init: { headers: { "x-api-key": "1" } }, preflight: [204, { origin: true }], code: "cors::preflight_unanswered" },
  "a redirect to the login page": { answer: [302, { location: login }], code: "cors::redirected", inChromium: "cors::no_headers", inWebKit: "access::direct_call" },
  "nobody listens": { nobody: true, code: "network::no_answer" },
};

/** Requests of foreign pages to the relay, which has no policy for `evil`, and one for `listed`. */
const RELAYED = {
  "the relay: an origin that is not listed": { host: "evil.localhost" },
  "the relay: a method that is not listed": { host: "listed.localhost", method: "BREW" },
  "the relay: a header that is not listed": { host: "listed.localhost", method: "PUT", headers: { "x-other": "1" } },
};

let companion;
before(async () => {
  await buildCompanion();
  companion = await import("../../cli/companion.mjs");
});

inEachEngine("What the console says", ({ engine, launch, tls, test }) => {
  let browser, front, page, pages, policy, relay;
  before(async () => {
    pages = await startPages({ tls });
    policy = {
      access: { dangerously_allow_anyone: true },
      routes: [{ path: "/api", upstream: "http://127.0.0.1:9", cors: { allowed_origins: [pages.origin("listed.localhost")], allowed_methods: ["PUT"], allow_credentials: true } }],
      debug: true,
    };
    const secrets = { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: "s3cr3t-value" };
    relay = await startRelay({ relay: policy, secrets, tls });
    front = tls ? await startTls(relay.port) : undefined;
    browser = await launch();
    page = browser.page;
  });
  after(async () => {
    await browser?.close();
    await front?.stop();
    await relay?.stop();
    await pages?.stop();
  });

  for (const [name, { init = {}, answer = [200], preflight = [404], nobody = false, ...found }] of Object.entries(ANSWERS)) {
    test(name, async () => {
      const own = pages.origin("app.localhost");
      const url = nobody ? `${tls ? "https" : "http"}://127.0.0.1:${await freePort()}/x` : `${pages.origin("api.localhost")}/${encodeURIComponent(name.replaceAll("`", ""))}`;
      pages.answers[new URL(url).pathname] = ({ method }, response) => {
        const [status, { origin, headers, location } = {}] = method === "OPTIONS" ? preflight : answer;
        if (origin) response.setHeader("access-control-allow-origin", origin === true ? own : origin);
        if (headers) response.setHeader("access-control-allow-headers", headers);
        if (location) response.setHeader("location", location);
        response.writeHead(status, { "content-type": "text/plain" }).end("hello");
      };
      if (nobody && engine === "WebKit") {
        assert.deepEqual(await saidOf(own, url, init, { says: false }), []);
        return "nothing";
      }
      const said = await saidOf(own, url, init);
      const { report } = companion.harReport(companion.recordingOf(0), said.join("\n"));
      const code = found[`in${engine}`] ?? found.code;
      assert.deepEqual(report.causes.map((cause) => cause.code), [code], said.join("\n"));
      return shown(said, url, own);
    });
  }

  for (const [name, { host, method = "GET", headers = {} }] of Object.entries(RELAYED)) {
    test(name, async () => {
      const own = pages.origin(host);
      const url = `${new URL(own).protocol}//relay.localhost:${front?.port ?? relay.port}/api/x`;
      const said = await saidOf(own, url, { method, headers, credentials: "include" });
      const question = { url, method, headers: Object.entries(headers).map((pair) => pair.join(": ")), as: [`page:${own}`], now: 0 };
      const { explanation } = companion.explain(question, "wrangler.json", JSON.stringify({ vars: { RELAY: policy } }), { verify: () => false });
      const words = explanation.browser.console[engine.toLowerCase()];
      for (const line of words.split("\n")) assert.ok(said.some((text) => text.includes(line)), `${line}\n${said.join("\n")}`);
      return shown(said, url, own);
    });
  }

  /** What the console says of a page's call that fails. */
  async function saidOf(own, url, init, { says = true } = {}) {
    await page.goto(own);
    await browser.console();
    assert.equal(await page.evaluate(([url, init]) => fetch(url, init).then(() => "answered", () => "blocked"), [url, init]), "blocked");
    const said = [];
    if (says) await until(async () => said.push(...(await browser.console())) > 0, "the console says nothing");
    // There may be a second line.
    await new Promise((resolve) => setTimeout(resolve, 100));
    said.push(...(await browser.console()));
    return said;
  }

  /** The console's first message, as the documentation has it: without what goes before the reason, and without ports. */
  function shown([first], url, own) {
    const words = first.replace(/^CONSOLE \w+( \w+)? |^\[JavaScript Error: "|"\]$/g, "");
    const reason = words.split(" has been blocked by CORS policy: ").at(-1).replace(/^Cross-Origin Request Blocked: .*(?=\(Reason: )/, "");
    return `\`${reason.replaceAll(url, "<URL>").replaceAll(own, "<origin>").replaceAll(login, "<login>")}\``;
  }
});
