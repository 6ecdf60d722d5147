// A short run of what `npm run soak` does for longer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzzRequests } from "../../soak/grammar.mjs";
import { soak } from "../../soak/traffic.mjs";

test("traffic while things break: every answer is accounted for", async () => {
  const { outcomes, wrong, requests, phases, fetchesOfKeys } = await soak(10);
  assert.deepEqual(wrong.slice(0, 10), []);
  // Each kind of weather was there, and was felt.
  const seen = Object.keys(outcomes);
  for (const outcome of ["200", "204", "500", "broken", "502 upstream_unreachable", "502 upstream_access_denied", "504 upstream_timeout", "401 unauthenticated", "403 cross_origin_blocked"]) {
    assert.ok(seen.some((name) => name.endsWith(`: ${outcome}`)), `nothing came to ${outcome}: ${seen.join(", ")}`);
  }
  assert.ok(requests > 2_000 && phases > 14 && fetchesOfKeys <= phases, `${requests} requests, ${phases} spells, ${fetchesOfKeys} fetches`);
});

test("requests made up from the grammar of HTTP: no leak, no crash, no answer that nobody documented", async () => {
  const { wrong, sent, forwarded, outcomes } = await fuzzRequests(8);
  assert.deepEqual(wrong.slice(0, 10), []);
  assert.ok(sent > 2_000 && forwarded > 200, `${sent} sent, ${forwarded} forwarded`);
  for (const outcome of ["the API's", "bad_path", "unauthenticated", "cross_origin_blocked", "not_found"]) assert.ok(outcomes[outcome] > 0, outcome);
});
