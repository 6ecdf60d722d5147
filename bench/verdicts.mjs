// From slices to verdicts: what two Workers cost beside each other, and whether that has changed since the figures were committed.
// tests/repository/bench.test.mjs holds these rules to slices that are made up.

/**
 * The luck of one process beside another of the same Worker (where its memory lies, what V8 compiles when), as a part of its cost. No
 * round shows it, for it stays as long as the process does, so every interval is wider by this. README.md says how it was measured.
 */
export const LUCK = 0.02;

/**
 * Two runs of the same builds, minutes apart, differ by more than their intervals say: by up to 8 % in a row, by 4 % in the middle, in
 * three runs of 20 rows. So much of a change is noise whatever the intervals are.
 */
export const BETWEEN_RUNS = 0.05;

/** A change up to a tenth counts as none, if the run can tell that it is no larger. */
const SAME = Math.log(1.1);

/**
 * What one entrant costs in terms of another, in the same rounds: the median of the ratios, and the interval that holds the true one,
 * 95 % sure. `means` is the ratio of the two means.
 */
export function compare(rounds, name, beside) {
  const { median: ratio, sure: [least, most] } = spread(rounds.map((round) => round[name] / round[beside]));
  const mean = (of) => rounds.reduce((sum, round) => sum + round[of], 0);
  return { ratio, sure: [least / (1 + LUCK), most * (1 + LUCK)], means: mean(name) / mean(beside), rounds: rounds.length };
}

/** Whether what costs a `sure` share of something else is better than that, or worse. */
export function verdict({ sure: [least, most] }) {
  if (most < 1) return "better";
  return least > 1 ? "worse" : "cannot tell";
}

/** Whether a figure is better or worse than the committed one, by more than the noise of both; or the same; or nobody can tell. */
export function change(now, committed) {
  const by = Math.log(now.ratio / committed.ratio);
  const noise = Math.hypot(width(now), width(committed), BETWEEN_RUNS);
  if (by > noise) return "worse";
  if (by < -noise) return "better";
  return Math.abs(by) + noise <= SAME ? "same" : "cannot tell";
}

/** Half the interval's width, as a logarithm. */
const width = ({ sure: [least, most] }) => Math.log(most / least) / 2;

/** A row by its name, among others. */
export const find = (rows, { work, name, beside }) => rows.find((row) => row.work === work && row.name === name && row.beside === beside);

/** The rows beside the committed ones: each gets `was`, the committed row, and `changed`, if there is one. */
export function besideCommitted(rows, committed) {
  return rows.map((row) => {
    const was = find(committed, row);
    return was ? { ...row, was, changed: change(row, was) } : row;
  });
}

/** What has the gate fail. */
export const failures = (rows) => rows.filter(({ changed }) => changed === "worse");

/** The committed rows with those of a new run in their place. */
export function replace(committed, rows) {
  return [...committed.map((row) => find(rows, row) ?? row), ...rows.filter((row) => !find(committed, row))];
}

/**
 * The median, and the interval that holds the true one with 95 % confidence: the order statistics at half the number of values, more
 * or less 0.98 times its square root, whatever the distribution.
 */
export function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (place) => sorted[Math.max(0, Math.min(sorted.length - 1, Math.round(place)))];
  const half = (sorted.length - 1) / 2;
  const margin = 0.98 * Math.sqrt(sorted.length);
  return { median: (sorted[Math.floor(half)] + sorted[Math.ceil(half)]) / 2, sure: [at(half - margin), at(half + margin)] };
}
