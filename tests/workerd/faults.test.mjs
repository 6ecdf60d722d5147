// Each fault of the API with each method: what the caller gets, how often the API was asked, what the log says.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startFaulty } from "../support/faulty.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { startRelay } from "../support/workerd.mjs";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const unreachable = [502, "upstream_unreachable"];
const denied = [502, "upstream_access_denied"];

/** What comes of each deed: status and code, or the API's own status, or a body that breaks off. */
const TABLE = {
  reset: unreachable,
  close: unreachable,
  "half-a-status-line": unreachable,
  "half-a-head": unreachable,
  garbage: unreachable,
  silence: [504, "upstream_timeout"],
  login: denied,
  challenge: denied,
  "challenged-redirect": denied,
  "403-aud": denied,
  "401-error": denied,
  "own-401": [401],
  "own-403": [403],
  "own-302": [302],
  "own-500": [500],
  "own-503": [503],
  "half-a-body": "broken",
  "half-a-chunked-body": "broken",
};

let api, relay;
before(async () => {
  api = await startFaulty();
  const gone = await startRecorder();
  await gone.stop();
  const route = (path, more = {}) => ({ path, upstream: api.url, timeout_ms: 400, ...more });
  relay = await startRelay({
    relay: {
      access: { dangerously_allow_anyone: true },
      routes: [route("/once"), route("/thrice", { retries: 2 }), route("/gone", { upstream: gone.url }), route("/unknown", { upstream: "https://no-such-host.invalid" })],
      log: "requests",
      server_timing: true,
    },
    secrets: { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: "s3cr3t-value" },
  });
});
after(() => Promise.all([relay?.stop(), api?.stop()]));

const withBody = (method) => (["POST", "PUT", "PATCH"].includes(method) ? { body: "a body" } : {});
const send = (path, method) => fetch(relay.url + path, { method, redirect: "manual", ...withBody(method) });

test("the table covers what the API can do", () => assert.deepEqual(Object.keys(TABLE).toSorted(), api.deeds.toSorted()));

for (const [deed, expected] of Object.entries(TABLE)) {
  test(`the API: ${deed}`, async () => {
    for (const method of METHODS) {
      const path = `/once/${method}/${deed}`;
      const answer = await send(path, method);
      if (expected === "broken") {
        // Never a whole-looking answer: its end does not come.
        assert.equal(answer.status, 200);
        if (method !== "HEAD") await assert.rejects(answer.text(), `${method} ${deed}`);
      } else {
        const body = method === "HEAD" ? "" : await answer.text();
        const code = expected[1] && method !== "HEAD" ? JSON.parse(body).code : expected[1];
        assert.deepEqual([answer.status, code], [expected[0], expected[1]], `${method} ${deed}`);
        if (expected[1]) assert.equal(answer.headers.get("location"), null);
        else if (method !== "HEAD") assert.equal(body, "ok");
      }
      assert.equal(api.calls[path], 1, `${method} ${deed}`);
    }
    const wanted = expected === "broken" ? undefined : expected[1];
    const records = (await relay.records()).filter(({ route, code }) => route === "/once" && code === wanted);
    assert.ok(records.length >= METHODS.length);
    for (const record of records) {
      if (wanted === "upstream_access_denied") assert.match(record.reason, /127\.0\.0\.1:\d+ answered .*CF_ACCESS_CLIENT_ID and CF_ACCESS_CLIENT_SECRET.*Service Auth/);
      if (wanted === "upstream_timeout") assert.match(record.reason, /timeout_ms = 400/);
    }
  });
}

test("only a bodiless GET or HEAD that got no answer at all is sent once more", async () => {
  for (const deed of ["reset", "close", "half-a-status-line", "garbage", "own-503", "login", "half-a-body"]) {
    const none = TABLE[deed] === unreachable;
    for (const method of METHODS) {
      const path = `/thrice/${method}/${deed}`;
      const answer = await send(path, method);
      if (Array.isArray(TABLE[deed])) assert.equal(answer.status, TABLE[deed][0]);
      await answer.text().catch(() => {});
      const tries = none && ["GET", "HEAD"].includes(method) ? 3 : 1;
      assert.equal(api.calls[path], tries, `${method} ${deed}`);
    }
  }
  const records = (await relay.records()).filter(({ route, upstream_tries }) => route === "/thrice" && upstream_tries !== undefined);
  assert.deepEqual([...new Set(records.map(({ upstream_tries }) => upstream_tries))], [3]);
});

test("all tries share one deadline", async () => {
  const answer = await send("/thrice/GET/silence", "GET");
  assert.deepEqual([answer.status, (await answer.json()).code], [504, "upstream_timeout"]);
  assert.equal(api.calls["/thrice/GET/silence"], 1);
});

test("nobody listens, or there is no such host", async () => {
  for (const path of ["/gone/x", "/unknown/x"]) {
    for (const method of METHODS) {
      const answer = await send(path, method);
      assert.equal(answer.status, 502);
      if (method !== "HEAD") assert.equal((await answer.json()).code, "upstream_unreachable");
    }
  }
  // workerd itself says more about a host that it does not find.
  assert.doesNotMatch(relay.output(), /s3cr3t|Critical|panicked|Uncaught \(in/);
});

test("Server-Timing is on every answer, the relay's own too", async () => {
  const timed = async (path) => (await send(path, "GET")).headers.get("server-timing");
  assert.match(await timed("/once/GET/own-500"), /^relay;dur=\d+, api;dur=\d+$/);
  const late = (await timed("/once/GET/silence")).match(/^relay;dur=\d+, api;dur=(\d+)$/);
  assert.ok(Number(late[1]) >= 390, late[0]);
  assert.match(await timed("/elsewhere"), /^relay;dur=\d+$/);
});
