// From the slices that were measured to what is printed.

/**
 * Sums up the rounds. CPU times are means of all slices: garbage is collected in some and not in others, a whole heap once in
 * thousands of requests, and all of it is the requests' cost.
 */
export function summarise(peers, rounds, baseline) {
  const base = rounds.map((round) => round[baseline].cpu);
  return peers.map((peer) => {
    const slices = rounds.map((round) => round[peer]);
    const cpu = slices.map((slice) => slice.cpu);
    const latencies = slices.flatMap((slice) => slice.latencies).sort((a, b) => a - b);
    const at = (part) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * part))];
    return {
      peer,
      cpu: { mean: mean(cpu), ...spread(cpu) },
      ratio: ratio(cpu, base),
      perSecond: spread(slices.map((slice) => slice.perSecond)).median,
      p50: at(0.5),
      p99: at(0.99),
    };
  });
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * The ratio of two means over the same rounds, and the interval that holds the true one with 95 % confidence (Cochran,
 * "Sampling Techniques", the ratio estimator): what slows the whole machine for a while slows both, and cancels out.
 */
function ratio(values, base) {
  const [value, count] = [mean(values) / mean(base), values.length];
  const squares = values.reduce((sum, other, round) => sum + (other - value * base[round]) ** 2, 0);
  const error = Math.sqrt(squares / Math.max(1, count - 1) / count) / mean(base);
  return { value, sure: [value - 1.96 * error, value + 1.96 * error] };
}

export function table(summary) {
  const rows = [["", "CPU/request", "quartiles", "ratio", "95 % sure", "req/s", "p50", "p99"]];
  for (const { peer, cpu, ratio, perSecond, p50, p99 } of summary) {
    rows.push([
      peer,
      time(cpu.mean),
      `${time(cpu.lower)}–${time(cpu.upper)}`,
      ratio.value.toFixed(2),
      `${ratio.sure[0].toFixed(2)}–${ratio.sure[1].toFixed(2)}`,
      perSecond.toFixed(0),
      `${p50.toFixed(2)} ms`,
      `${p99.toFixed(2)} ms`,
    ]);
  }
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join("  ");
  return rows.map((row) => `  ${line(row)}`).join("\n");
}

/** Microseconds, as one reads them. */
export const time = (microseconds) => (microseconds < 10_000 ? `${microseconds.toFixed(0)} µs` : `${(microseconds / 1000).toFixed(1)} ms`);

/** A verdict at a glance: ✓, ✗, or ? where the rounds cannot tell. */
export function mark(holds) {
  if (holds === undefined) return "\x1b[33m?\x1b[0m";
  return holds ? "\x1b[32m✓\x1b[0m" : "\x1b[31m✗\x1b[0m";
}

/** Whether each entrant with a bar keeps to it: true, false, or undefined where the rounds cannot tell. */
export function verdicts(summary, bars, baseline) {
  return Object.entries(bars).map(([name, bar]) => {
    const { ratio } = summary.find(({ peer }) => peer === name);
    const [least, most] = ratio.sure;
    const text = `${name} costs ${ratio.value.toFixed(2)}x the CPU time of ${baseline} (between ${least.toFixed(2)} and ${most.toFixed(2)}, 95 % sure); at most ${bar}x is required`;
    if (most <= bar) return { holds: true, text: `${text}: holds` };
    if (least > bar) return { holds: false, text: `${text}: does not hold` };
    return { holds: undefined, text: `${text}: the machine was too noisy to tell; more --rounds help` };
  });
}

/**
 * The median, the quartiles, and the interval that holds the true median with 95 % confidence: the order statistics at
 * half the number of rounds, more or less 0.98 times its square root, whatever the distribution.
 */
export function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (place) => sorted[Math.max(0, Math.min(sorted.length - 1, Math.round(place)))];
  const half = (sorted.length - 1) / 2;
  const margin = 0.98 * Math.sqrt(sorted.length);
  return {
    median: (sorted[Math.floor(half)] + sorted[Math.ceil(half)]) / 2,
    lower: at(half / 2),
    upper: at(half * 1.5),
    sure: [at(half - margin), at(half + margin)],
  };
}
