// The bench's verdicts and its gate, on slices that are made up: no times are taken here. And the docs have the committed figures.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sumUp } from "../../bench/latency.mjs";
import { docsTable, latencyLines, line } from "../../bench/report.mjs";
import { LUCK, besideCommitted, change, compare, failures, replace, spread, verdict } from "../../bench/verdicts.mjs";
import { root } from "../../scripts/tools.mjs";

/** Rounds in which the relay costs `ratio` times what the sample does, give or take `noise`, while the machine is now slow, now fast. */
const rounds = (ratio, noise, count = 41) =>
  Array.from({ length: count }, (_, round) => {
    const machine = 300 * (1 + (round % 7) / 3);
    const off = 1 + (noise * ((round * 17) % count - (count - 1) / 2)) / ((count - 1) / 2);
    return { sample: machine, relay: machine * ratio * off };
  });

const measured = (ratio, noise, count) => compare(rounds(ratio, noise, count), "relay", "sample");
const row = (ratio, noise, more = {}) => ({ work: "get", name: "access-relay", beside: "sample", ...measured(ratio, noise), ...more });

test("a row is better or worse only where its whole interval is", () => {
  for (const [ratio, noise, expected] of [
    [0.8, 0.05, "better"],
    [1.25, 0.05, "worse"],
    [1, 0.05, "cannot tell"],
    // What a quiet machine tells, a noisy one does not.
    [0.95, 0.02, "better"],
    [0.95, 0.6, "cannot tell"],
    [1.06, 0.02, "worse"],
    [1.06, 0.6, "cannot tell"],
    // Less than one process may have by luck, however quiet it is.
    [1 + LUCK / 2, 0, "cannot tell"],
    [1 - LUCK / 2, 0, "cannot tell"],
  ]) {
    assert.equal(verdict(measured(ratio, noise)), expected, `${ratio} ± ${noise}`);
  }
});

test("what slows the machine for a while cancels out, and one slice that was disturbed changes nothing", () => {
  const quiet = measured(1.2, 0.04);
  assert.ok(Math.abs(quiet.ratio - 1.2) < 0.005, `${quiet.ratio}`);
  const disturbed = rounds(1.2, 0.04);
  disturbed[3].relay *= 50;
  const { ratio, sure, means } = compare(disturbed, "relay", "sample");
  assert.ok(Math.abs(ratio - 1.2) < 0.01 && sure[1] < 1.3, `${ratio}, ${sure}`);
  // The means are kept as they are: a collection of the whole heap is in them.
  assert.ok(means > 2, `${means}`);
});

test("the interval holds the median of the rounds, and more rounds make it narrower", () => {
  const width = ({ sure: [least, most] }) => most / least;
  assert.ok(width(measured(1, 0.3, 161)) < width(measured(1, 0.3, 41)));
  assert.ok(width(measured(1, 0.3, 41)) < width(measured(1, 0.3, 13)));
  // The order statistics at 50 ± 0.98 √101.
  assert.deepEqual(spread(Array.from({ length: 101 }, (_, value) => value)), { median: 50, sure: [40, 60] });
  assert.deepEqual(spread([7]), { median: 7, sure: [7, 7] });
});

test("a change is one only beyond the noise of both figures", () => {
  const committed = measured(1.2, 0.05);
  for (const [ratio, noise, expected] of [
    [1.2, 0.05, "same"],
    [1.23, 0.05, "same"],
    [1.18, 0.05, "same"],
    // What two runs of the same build may differ by.
    [1.26, 0.01, "cannot tell"],
    [1.32, 0.05, "worse"],
    [1.09, 0.05, "better"],
    // Too noisy to see even a tenth.
    [1.2, 0.6, "cannot tell"],
    [1.4, 0.9, "cannot tell"],
  ]) {
    assert.equal(change(measured(ratio, noise), committed), expected, `${ratio} ± ${noise}`);
  }
  // The committed figure's noise counts, too.
  assert.equal(change(measured(1.4, 0.05), measured(1.2, 0.9)), "cannot tell");
});

test("the gate fails for what became worse, and for nothing else", () => {
  const committed = [row(1.2, 0.05), row(0.6, 0.05, { beside: "hono-stack" })];
  const gate = (...rows) => failures(besideCommitted(rows, committed)).map(({ beside }) => beside);
  assert.deepEqual(gate(row(1.2, 0.05), row(0.6, 0.05, { beside: "hono-stack" })), []);
  assert.deepEqual(gate(row(1.4, 0.05), row(0.6, 0.05, { beside: "hono-stack" })), ["sample"]);
  // Worse, and still better than the stack.
  assert.deepEqual(gate(row(1.2, 0.05), row(0.7, 0.05, { beside: "hono-stack" })), ["hono-stack"]);
  assert.deepEqual(gate(row(1, 0.05)), []);
  // Too noisy to tell; and new, so that there is nothing to compare with.
  assert.deepEqual(gate(row(1.4, 0.9)), []);
  assert.deepEqual(gate(row(1.4, 0.05, { work: "forged" })), []);
});

test("a line says the verdict, the interval, and what has changed", () => {
  const [known, fresh] = besideCommitted([row(1.25, 0.05), row(1, 0.05, { beside: "by-hand" })], [row(1.25, 0.05)]);
  assert.match(line(known), /worse {8}a relayed GET: 1\.25x of the sample \(1\.\d\d–1\.\d\d; by means 1\.25x\); committed 1\.25x \(.+\): same$/);
  assert.match(line(fresh), /cannot tell {2}a relayed GET: 1\.00x of the job by hand \(0\.\d\d–1\.\d\d; by means 1\.00x\); no committed figure$/);
});

test("figures that are written replace those of the same rows, and leave the others", () => {
  const [get, stack] = [row(1.2, 0.05), row(0.6, 0.05, { beside: "hono-stack" })];
  const [newer, more] = [row(1.3, 0.05), row(1, 0.05, { work: "cold" })];
  assert.deepEqual(replace([get, stack], [newer, more]), [newer, stack, more]);
});

test("a latency is no figure where somebody could not keep up", () => {
  const slice = (reached, relay) => ({ "pass-through": { p50: 1, p99: 3, reached }, "access-relay": { p50: relay, p99: relay + 4, reached } });
  const kept = sumUp(1000, [slice(999, 1.5), slice(998, 1.6), slice(1000, 1.7)], ["pass-through", "access-relay"]);
  assert.ok(Math.abs(kept.added.p50.median - 0.6) < 1e-9 && Math.abs(kept.added.p99.median - 2.6) < 1e-9);
  const behind = sumUp(1000, [slice(900, 80), slice(910, 90), slice(905, 85)], ["pass-through", "access-relay"]);
  assert.equal(behind.added, undefined);
  assert.match(latencyLines([behind])[0], /^\? 1,000 requests a second: saturated: 905 a second reached by the pass-through/);
});

test("docs/performance.md has the committed figures", () => {
  const { rows } = JSON.parse(readFileSync(join(root, "bench", "figures.json"), "utf8"));
  assert.ok(rows.length > 0);
  const page = readFileSync(join(root, "docs", "performance.md"), "utf8");
  assert.ok(page.includes(docsTable(rows)), "run `npm run bench -- --write`, which writes both");
});
