// From the slices that were measured to what is printed.

const BAR = 1.4;
/** Beyond this, (largest − smallest) / median of the rounds' ratios, the machine was too noisy. */
const NOISE = 0.15;

/**
 * Sums up the rounds. A ratio is taken within each round, between slices that ran right after one another, so that
 * what slows the whole machine for a while slows both.
 */
export function summarise(peers, rounds) {
  const sample = rounds.map((round) => round.sample.cpu);
  return peers.map((peer) => {
    const slices = rounds.map((round) => round[peer]);
    const latencies = slices.flatMap((slice) => slice.latencies).sort((a, b) => a - b);
    const at = (part) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * part))];
    return {
      peer,
      cpu: spread(slices.map((slice) => slice.cpu)),
      ratio: spread(slices.map((slice, round) => slice.cpu / sample[round])),
      overhead: spread(slices.map((slice, round) => slice.cpu - sample[round])),
      perSecond: spread(slices.map((slice) => slice.perSecond)).median,
      p50: at(0.5),
      p99: at(0.99),
    };
  });
}

export function table(summary) {
  const rows = [["", "CPU/request", "min–max", "ratio", "min–max", "req/s", "p50", "p99"]];
  for (const { peer, cpu, ratio, perSecond, p50, p99 } of summary) {
    rows.push([
      peer,
      `${cpu.median.toFixed(1)} µs`,
      `${cpu.min.toFixed(1)}–${cpu.max.toFixed(1)}`,
      ratio.median.toFixed(2),
      `${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)}`,
      perSecond.toFixed(0),
      `${p50.toFixed(2)} ms`,
      `${p99.toFixed(2)} ms`,
    ]);
  }
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join("  ");
  return rows.map((row) => `  ${line(row)}`).join("\n");
}

/** Whether the relay keeps to its bar: true, false, or undefined where the rounds disagree too much to tell. */
export function verdict(summary) {
  const { ratio } = summary.find(({ peer }) => peer === "access-relay");
  const noise = (ratio.max - ratio.min) / ratio.median;
  const agreed = ratio.max <= BAR || ratio.min > BAR;
  const text = `access-relay costs ${ratio.median.toFixed(2)}x the sample's CPU time (rounds ${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)}); at most ${BAR}x is required`;
  if (noise > NOISE) {
    const noisy = `the ratios of the rounds lie ${(noise * 100).toFixed(0)} % apart: the machine was too noisy to trust the figure`;
    if (!agreed) return { holds: undefined, text: `${text}: cannot tell; ${noisy}` };
    return { holds: ratio.max <= BAR, text: `${text}: ${ratio.max <= BAR ? "holds" : "does not hold"} in every round, though ${noisy}` };
  }
  const holds = ratio.median <= BAR;
  return { holds, text: `${text}: ${holds ? "holds" : "does not hold"}` };
}

function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted.at(-1) };
}
