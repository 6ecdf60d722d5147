// The page "Why was I blocked?", as it ships: static files, in real Chromium, from a web server and from a folder.

import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { buildCompanion } from "../../scripts/companion.mjs";
import { PAGE_LIMIT, buildPage, weights } from "../../scripts/page.mjs";
import { root } from "../../scripts/tools.mjs";
import { launchBrowser, obstacles } from "../support/browser.mjs";
import { makeFolder } from "../support/processes.mjs";
import { AUD, large, recordings, wrangler, wranglerJsonc } from "../support/recordings.mjs";

const folder = join(root, "build", "why");
const TYPES = { html: "text/html; charset=utf-8", css: "text/css", js: "text/javascript" };

let browser, page, server, address, companion;

before(async () => {
  await buildCompanion();
  await buildPage();
  companion = await import("../../cli/companion.mjs");
  // No header of ours: the page's own policy has to hold by itself.
  server = createServer((request, response) => {
    const file = new URL(request.url, "http://x").pathname.slice(1) || "index.html";
    response.writeHead(200, { "content-type": TYPES[file.split(".").pop()] });
    response.end(readFileSync(join(folder, file)));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${server.address().port}/`;
});
after(() => server?.close());
beforeEach(async () => {
  browser = await launchBrowser();
  page = browser.page;
});
afterEach(() => browser?.close());

test("what a visitor loads is small", () => {
  const total = weights().reduce((sum, [, size]) => sum + size, 0);
  assert.ok(total <= PAGE_LIMIT, `${total} bytes gzipped, at most ${PAGE_LIMIT}`);
});

for (const from of ["a web server", "a folder"]) {
  test(`from ${from}, it names the cause of each recording, in the words of the command line, and nothing leaves the browser`, async () => {
    const requests = [];
    browser.context.on("request", (request) => requests.push(request.url()));
    const faults = watchFaults();
    await page.goto(from === "a folder" ? pathToFileURL(join(folder, "index.html")).href : address);
    const loaded = 4;
    for (const [code, recording] of Object.entries(recordings)) {
      await choose("#har", "session.har", JSON.stringify(recording));
      await settled("findings", "failed");
      assert.equal(await page.locator("#findings .cause").first().getAttribute("data-code"), code);
      const { report, told } = companion.harReport(recorded(JSON.stringify(recording)), "");
      assert.equal(await toldIn("findings"), told);
      for (const { title, evidence, advice } of report.causes) {
        const shown = await page.locator("#findings").innerText();
        for (const line of [title, ...evidence, ...advice]) assert.ok(shown.includes(line), line);
      }
      // Another recording takes its place, and a stale answer must not count as its own.
      await page.evaluate(() => (document.querySelector("#findings").dataset.state = "idle"));
    }
    const others = requests.filter((url) => !url.startsWith("blob:"));
    assert.equal(others.length, loaded, others.join("\n"));
    assert.deepEqual(faults, []);
  });
}

test("a script in the page could send nothing, either", async () => {
  await page.goto(address);
  const tries = await page.evaluate(async () => {
    const failed = (promise) => promise.then(() => "sent", () => "blocked");
    const image = new Promise((resolve, reject) => Object.assign(new Image(), { onload: resolve, onerror: reject, src: `${location.origin}/style.css?image` }));
    const worker = new Worker(URL.createObjectURL(new Blob([`fetch("${location.origin}/style.css?worker").then(() => postMessage("sent"), () => postMessage("blocked"))`])));
    const fromWorker = new Promise((resolve) => (worker.onmessage = ({ data }) => resolve(data)));
    return [await failed(fetch("/style.css?fetch")), await failed(image), await fromWorker];
  });
  assert.deepEqual(tries, ["blocked", "blocked", "blocked"]);
});

test("one request is drawn box by box, as `access-relay explain` has it, in TOML and in JSON", async () => {
  await page.goto(address);
  const url = "https://app.example.com/api/notes/7";
  const cases = [
    { asked: url, who: "person", question: { url, as: ["person"] } },
    { asked: url, method: "PUT", headers: "content-type: application/json", origin: "https://admin.example.com", question: { url, method: "PUT", headers: ["content-type: application/json"], as: ["page:https://admin.example.com"] } },
    { asked: "curl 'https://app.example.com/api/notes' -H 'accept: application/json' -b 'theme=dark'", question: { line: "curl 'https://app.example.com/api/notes' -H 'accept: application/json' -b 'theme=dark'" } },
    { asked: "https://app.example.com/other", who: "nobody", question: { url: "https://app.example.com/other", as: ["nobody"] } },
  ];
  for (const [name, text] of [["wrangler.toml", wrangler], ["wrangler.jsonc", wranglerJsonc]]) {
    await page.locator("#config").fill(text);
    for (const { question, ...written } of cases) {
      const { explanation, told } = companion.explain({ ...question, now: Math.floor(Date.now() / 1000) }, name, text, { verify: () => false });
      await decide(written);
      await settled("decision", explanation.served ? "ok" : "failed");
      assert.equal(await toldIn("decision"), told);
      const boxes = await page.locator(".box").evaluateAll((boxes) => boxes.map((box) => [box.querySelector("h4").textContent, box.dataset.state, box.querySelector(".key")?.textContent ?? ""]));
      const ways = [explanation.preflight, explanation.request].filter(Boolean);
      const expected = ways.flatMap(({ boxes }) => boxes).map(({ name: box, state, key }) => {
        const place = explanation.places[key];
        return [box, state, state !== "unreached" && key ? `${key}${place ? `${name}:${place.line}:${place.column}` : ""}` : ""];
      });
      assert.deepEqual(boxes, expected);
      // The state is written, too: colours alone tell nothing to many.
      assert.equal(await page.locator(".box .state").count(), boxes.length);
      await page.evaluate(() => (document.querySelector("#decision").dataset.state = "idle"));
    }
  }
});

/** A recording as the command line hands it over. */
function recorded(text) {
  const bytes = Buffer.from(text);
  const recording = companion.recordingOf(bytes.length);
  recording.add(bytes);
  return recording;
}

test("a console's log tells something by itself", async () => {
  await page.goto(address);
  await page.locator("#console").fill("Access to fetch at 'https://api.example.com/x' from origin 'https://app.example.com' has been blocked by CORS policy: No 'Access-Control-Allow-Origin' header is present on the requested resource.");
  await page.getByRole("button", { name: "Look into the recording" }).click();
  await settled("findings", "failed");
  assert.equal(await page.locator("#findings .cause").getAttribute("data-code"), "cors::no_headers");
  assert.equal(await page.getByRole("button", { name: "Save a copy that is safe to share" }).count(), 0);
});

test("an entry of a recording is decided, and a configuration that cannot serve is marked", async () => {
  await page.goto(address);
  const recording = recordings["access::session_expired"];
  await choose("#har", "session.har", JSON.stringify(recording));
  await settled("findings", "failed");
  await page.getByRole("button", { name: "Entry 2, box by box" }).click();
  await verdict("decision", "Paste the configuration first: it decides.");
  assert.equal(await page.evaluate(() => document.activeElement.id), "config");
  await choose("#config-file", "wrangler.jsonc", wranglerJsonc);
  await page.locator("#who").selectOption("person");
  await page.getByRole("button", { name: "Entry 2, box by box" }).click();
  await settled("decision", "ok");
  const question = { har: Buffer.from(JSON.stringify(recording)), entry: 2, as: ["person"], now: 0 };
  assert.equal(await toldIn("decision"), companion.explain(question, "wrangler.jsonc", wranglerJsonc, { verify: () => false }).told);
  await page.locator("#config").fill(wrangler.replace("/api", "api?"));
  await decide({ asked: "https://app.example.com/api/notes" });
  await verdict("decision", "The configuration cannot serve, so every request gets 500 misconfigured");
  assert.match(await page.locator("#decision .body").innerText(), /wrangler\.toml:8:12/);
  await decide({ asked: "curl 'https://app.example.com" });
  await verdict("decision", "It cannot be told");
  assert.match(await page.locator("#decision .body").innerText(), /that nothing closes/);
});

test("the answers of a page and an API, as curl prints them, are judged as `access-relay init` judges them", async () => {
  await page.goto(address);
  const aud = AUD.replace("4714", "9999");
  const login = (host, kid) => `https://acme.cloudflareaccess.com/cdn-cgi/access/login/${host}?kid=${kid}&redirect_url=%2F`;
  const addresses = { page: "https://app.example.com", api: "https://api.example.com" };
  const cases = [
    { page: [302, { location: login("app.example.com", AUD) }], api: [403, { "cf-access-aud": aud, "cf-access-domain": "api.example.com" }] },
    { page: [200, { "content-type": "text/html" }], api: [200, { "content-type": "application/json" }] },
    { page: [302, { location: login("app.example.com", AUD) }], api: [302, { location: login("app.example.com", AUD) }] },
  ];
  for (const answers of cases) {
    const seen = Object.entries(answers).map(([place, [status, headers]]) => ({ place, metadata: null, answer: { status, headers } }));
    const report = companion.judge({ ...addresses, path: "/api" }, seen, Date.now() / 1000);
    for (const [place, [status, headers]] of Object.entries(answers)) {
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
      await page.locator(`#${place}-url`).fill(addresses[place]);
      await page.locator(`#${place}-answer`).fill(`HTTP/1.1 200 Connection established\n\nHTTP/2 ${status} \ndate: now\nset-cookie: CF_AppSession=n1\n${lines.join("\n")}\n\n<html>\nHTTP/ in a body: x`);
    }
    await page.evaluate(() => (document.querySelector("#sights").dataset.state = "idle"));
    await page.getByRole("button", { name: "Judge the answers" }).click();
    await settled("sights", report.mistakes.length + report.warnings.length > 0 ? "failed" : "ok");
    const shown = await page.locator("#sights").innerText();
    const expected = [...report.seen.flatMap(({ application, strangers }) => [application, strangers]), ...report.mistakes, ...report.warnings, report.issuer, report.audience];
    for (const line of expected.filter(Boolean)) assert.ok(shown.includes(line), `${line}\n${shown}`);
  }
  await page.locator("#api-answer").fill("<html>");
  await page.getByRole("button", { name: "Judge the answers" }).click();
  await verdict("sights", "It cannot be told");
});

test("the words of the console are those of the browser, and of the log that was dropped", async () => {
  await page.goto(address);
  await page.locator("#config").fill(wrangler);
  const origin = "https://shop.example.net";
  const words = async (log) => {
    await page.locator("#console").fill(log);
    await decide({ asked: "https://app.example.com/api/notes", method: "PUT", origin });
    await settled("decision", "failed");
    const text = await page.locator("#decision .part").filter({ hasText: "What the console of" }).innerText();
    await page.evaluate(() => (document.querySelector("#decision").dataset.state = "idle"));
    return text;
  };
  assert.match(await words(""), /of Chromium says\s+Access to fetch at 'https:\/\/app\.example\.com\/api\/notes' from origin 'https:\/\/shop\.example\.net' has been blocked by CORS policy: Response to preflight/);
  assert.match(await words("Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at https://x.example/."), /of Firefox says\s+Cross-Origin Request Blocked: .*missing\)\. Status code: 403\./);
  assert.match(await words("Fetch API cannot load https://x.example/ due to access control checks."), /of Safari says\s+Preflight response is not successful\. Status code: 403/);
});

test("a copy that is safe to share is that of the command line", async () => {
  await page.goto(address);
  const bytes = JSON.stringify(recordings["access::session_expired"]);
  await choose("#har", "session.har", bytes);
  await settled("findings", "failed");
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save a copy that is safe to share" }).click();
  const saved = await download;
  assert.equal(saved.suggestedFilename(), "session.redacted.har");
  const text = readFileSync(await saved.path(), "utf8");
  assert.equal(text, companion.harRedacted(recorded(bytes)));
  assert.ok(!text.includes("eyJhbGciOi"));
});

test("a HAR, a log and a configuration dropped at once are taken for what they are", async () => {
  await page.goto(address);
  const data = await page.evaluateHandle((files) => {
    const dropped = new DataTransfer();
    for (const [name, text] of files) dropped.items.add(new File([text], name));
    return dropped;
  }, [["wrangler.toml", wrangler], ["console.txt", "Mixed Content: the page requested http://x.example/"], ["a.har", JSON.stringify(recordings["page::html"])]]);
  await page.dispatchEvent("body", "drop", { dataTransfer: data });
  await settled("findings", "failed");
  const codes = await page.locator("#findings .cause").evaluateAll((causes) => causes.map(({ dataset }) => dataset.code));
  assert.deepEqual(codes, ["browser::mixed_content", "page::html"]);
  assert.equal(await page.locator("#config").inputValue(), wrangler);
});

test("a file that is no recording is told to be none, and the page goes on", async () => {
  await page.goto(address);
  for (const text of ["", "{", "[]", '{"log":{"entries":7}}', "\u0000".repeat(100)]) {
    await choose("#har", "a.har", text);
    await verdict("findings", "It cannot be told");
    assert.match(await page.locator("#findings .body").innerText(), /found no/);
  }
  await choose("#har", "a.har", JSON.stringify(recordings["page::html"]));
  await settled("findings", "failed");
  await page.locator("#findings .cause").waitFor();
});

test("markup in a recording stays text", async () => {
  await page.goto(address);
  const url = "https://app.example.com/api/<img src=x onerror=alert(1)>";
  const recording = structuredClone(recordings["relay::refused"]);
  recording.log.entries[1].request.url = url;
  await choose("#har", "a.har", JSON.stringify(recording));
  await settled("findings", "failed");
  assert.equal(await page.locator("#findings img").count(), 0);
});

test("a recording of 50 MB holds up nobody, and the cause is found", { timeout: 120_000 }, async (t) => {
  const files = makeFolder({});
  const file = join(files, "large.har");
  writeFileSync(file, JSON.stringify(large(50_500_000)));
  const size = statSync(file).size;
  assert.ok(size > 50_000_000 && size < 60_000_000, `${size} bytes`);
  await page.goto(address);
  await page.evaluate(() => {
    globalThis.longest = 0;
    new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => (globalThis.longest = Math.max(globalThis.longest, duration)))).observe({ type: "longtask", buffered: true });
    // Frames that are late say the same in another way.
    let last = performance.now();
    globalThis.latest = 0;
    const beat = () => {
      const now = performance.now();
      globalThis.latest = Math.max(globalThis.latest, now - last);
      last = now;
      setTimeout(beat, 10);
    };
    beat();
  });
  const started = Date.now();
  await page.locator("#har").setInputFiles(file);
  await settled("findings", "failed", 60_000);
  const took = Date.now() - started;
  assert.equal(await page.locator("#findings .cause").first().getAttribute("data-code"), "access::session_expired");
  await page.locator("#config").fill(wrangler);
  await page.locator("#findings .cause button").first().click();
  await settled("decision", "failed", 60_000);
  const { longest, latest } = await page.evaluate(() => ({ longest: globalThis.longest, latest: globalThis.latest }));
  t.diagnostic(`${size} bytes: answered in ${took} ms; longest task ${Math.round(longest)} ms, longest gap between timers ${Math.round(latest)} ms`);
  assert.ok(longest < 200, `a task took ${longest} ms`);
  assert.ok(latest < 250, `a timer came ${latest} ms late`);
  // The observer would have said so. (What a debugger evaluates is no task to it.)
  await page.evaluate(() => {
    setTimeout(() => {
      for (const end = performance.now() + 300; performance.now() < end; ) continue;
    });
  });
  await page.waitForFunction(() => globalThis.longest >= 300);
});

test("a keyboard is enough", async () => {
  await page.goto(address);
  const reach = async (isThere, most = 30) => {
    for (let step = 0; step < most; step += 1) {
      await page.keyboard.press("Tab");
      if (await page.evaluate(isThere)) return;
    }
    assert.fail(`${isThere} is not reached`);
  };
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.keyboard.press("Enter");
  const chooser = page.waitForEvent("filechooser");
  await reach(() => document.activeElement.id === "har");
  await page.keyboard.press("Enter");
  await (await chooser).setFiles({ name: "a.har", mimeType: "", buffer: Buffer.from(JSON.stringify(recordings["access::session_expired"])) });
  await settled("findings", "failed");
  await reach(() => document.activeElement.id === "config");
  await page.keyboard.insertText(wrangler);
  await reach(() => document.activeElement.id === "asked");
  await page.keyboard.insertText("https://app.example.com/api/notes");
  await reach(() => document.activeElement.id === "who");
  await page.keyboard.press("ArrowDown");
  await reach(() => document.activeElement.textContent === "Decide it");
  // What has the focus can be seen to have it.
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), "none");
  await page.keyboard.press("Enter");
  await settled("decision", "ok");
  await reach(() => document.activeElement.matches("#findings .cause button"));
  await page.keyboard.press("Enter");
  await settled("decision", "ok");
  await reach(() => document.activeElement.matches("#decision .told summary"));
  await page.keyboard.press("Enter");
  assert.ok(await page.locator("#decision .told pre").isVisible());
});

for (const colorScheme of ["light", "dark"]) {
  test(`everything has a name, and can be read on its ground (${colorScheme})`, async () => {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.goto(address);
    assert.deepEqual(await obstacles(page), []);
    await page.locator("#config").fill(wrangler);
    await choose("#har", "a.har", JSON.stringify(recordings["access::session_expired"]));
    await settled("findings", "failed");
    await page.locator("#page-url").fill("https://app.example.com");
    await page.locator("#page-answer").fill("HTTP/2 200");
    await page.locator("#api-url").fill("https://api.example.com");
    await page.locator("#api-answer").fill("HTTP/2 200");
    await page.getByRole("button", { name: "Judge the answers" }).click();
    await settled("sights", "failed");
    await decide({ asked: "https://app.example.com/api/notes", method: "PUT", origin: "https://admin.example.com" });
    await settled("decision", "failed");
    assert.deepEqual(await obstacles(page), []);
  });
}

test("what comes is said aloud, and nothing is told by a colour alone", async () => {
  await page.goto(address);
  await page.locator("#config").fill(wrangler);
  const places = page.locator("main > section[id] [role=status]");
  assert.equal(await places.count(), 3);
  await decide({ asked: "https://app.example.com/api/notes", method: "PUT", origin: "https://admin.example.com" });
  await settled("decision", "failed");
  assert.equal(await page.locator("#decision [role=status]").innerText(), "Blocked at the preflight: method_not_allowed");
  const states = await page.locator(".box .state").allInnerTexts();
  assert.deepEqual(states, ["passed", "refused", "not reached", "not reached", "not reached"]);
});

test("nothing overflows on a phone, and what was asked for comes into view", async () => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.setViewportSize({ width: 360, height: 800 });
  await page.goto(address);
  await page.locator("#config").fill(wrangler);
  await choose("#har", "a.har", JSON.stringify(recordings["access::preflight_blocked"]));
  await settled("findings", "failed");
  await decide({ asked: `https://app.example.com/api/${"x".repeat(300)}`, method: "PUT", origin: "https://admin.example.com" });
  await settled("decision", "failed");
  const { y } = await page.locator("#decision .verdict").boundingBox();
  assert.ok(y >= 0 && y < 800, `the verdict is at ${y}`);
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
  assert.equal(await page.evaluate(() => Math.max(innerWidth, document.documentElement.scrollWidth)), 360);
});

// ---- Helpers -------------------------------------------------------------------------------------

const choose = (input, name, text) => page.locator(input).setInputFiles({ name, mimeType: "", buffer: Buffer.from(text) });

async function decide({ asked, who = "", method = "", origin = "", headers = "" }) {
  for (const [id, value] of Object.entries({ asked, method, origin, headers })) await page.locator(`#${id}`).fill(value);
  await page.locator("#who").selectOption(who);
  await page.getByRole("button", { name: "Decide it" }).click();
}

const settled = (place, state, timeout = 15_000) => page.locator(`#${place}[data-state=${state}]`).waitFor({ timeout });

const verdict = (place, words) => page.locator(`#${place} [role=status]`).filter({ hasText: words }).waitFor();

const toldIn = (place) => page.locator(`#${place} .told pre`).evaluate((text) => text.textContent);

function watchFaults() {
  const faults = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && faults.push(message.text()));
  return faults;
}
