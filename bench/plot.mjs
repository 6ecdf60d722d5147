// The figures as pictures (SVG): a bar for each row, and the latencies.

import { extra, label, per, spoken } from "./report.mjs";
import { verdict } from "./verdicts.mjs";
import { relay } from "./works.mjs";

const [WIDTH, LABELS, ROW] = [940, 500, 21];
const STYLE = "rect.better{fill:#2f9e44}rect.worse{fill:#e8590c}rect.even{fill:#9aa4b2}rect.base{fill:#c9d1db}.sure{stroke:#1f2933;stroke-width:1.5}.one{stroke:#1f2933;stroke-dasharray:3 3}.title{font-weight:600}text{fill:#1f2933}";

/** The rows: what the relay costs in terms of the other one. */
export function plot(rows) {
  const scale = (WIDTH - LABELS - 120) / Math.max(...rows.map(({ sure }) => sure[1]), 1.2);
  const x = (ratio) => (LABELS + ratio * scale).toFixed(1);
  const drawn = rows.map((row, number) => {
    const y = 46 + number * ROW;
    const kind = { better: "better", worse: "worse", "cannot tell": "even" }[verdict(row)];
    return [
      text(12, y, `${label(row)} / ${spoken(row.beside)}`),
      `<rect x="${LABELS}" y="${y - 12}" width="${(row.ratio * scale).toFixed(1)}" height="14" class="${kind}"/>`,
      `<path d="M${x(row.sure[0])} ${y - 5}H${x(row.sure[1])}" class="sure"/>`,
      text(Number(x(row.sure[1])) + 6, y, `${row.ratio.toFixed(2)}x`),
    ].join("");
  });
  const height = 46 + rows.length * ROW;
  const one = `<path d="M${x(1)} 30V${height - 14}" class="one"/>`;
  return svg(height, "What the relay costs in terms of the other Worker, whose cost is 1. A line covers what the true ratio is in, 95 % sure.", [...drawn, one]);
}

/** The latencies at each rate: the pass-through's in grey, and what the relay adds to it. */
export function plotLatency(rates) {
  const known = rates.filter(({ added }) => added).flatMap(({ workers }) => Object.values(workers).flatMap(({ p50, p99 }) => [p50, p99]));
  const scale = (WIDTH - 180 - 440) / Math.max(...known, 1);
  let y = 26;
  const drawn = rates.flatMap(({ rate, workers, added }) => {
    const [base, ours] = [workers["pass-through"], workers[relay]];
    const title = text(12, (y += 24), `${rate.toLocaleString("en")} requests a second`, "title");
    if (!added) return [title, text(24, (y += ROW), `saturated: ${per(base.reached)} reached by the pass-through, ${per(ours.reached)} by the relay`)];
    return [title, ...["p50", "p99"].map((quantile) => {
      y += ROW;
      const { median, sure: [least, most] } = added[quantile];
      const [from, more] = [base[quantile] * scale, median * scale];
      const end = 180 + Math.max(from, from + more) + 6;
      const kind = least > 0 ? "worse" : most < 0 ? "better" : "even";
      return [
        text(24, y, quantile),
        `<rect x="180" y="${y - 12}" width="${from.toFixed(1)}" height="14" class="base"/>`,
        `<rect x="${(180 + Math.min(from, from + more)).toFixed(1)}" y="${y - 12}" width="${Math.abs(more).toFixed(1)}" height="14" class="${kind}"/>`,
        text(end.toFixed(1), y, extra(base, ours, added, quantile)),
      ].join("");
    })];
  });
  return svg(y + 16, "How long a caller waits with the pass-through (grey), and how much longer with the relay (orange; dark grey: nobody can tell).", drawn);
}

const text = (x, y, content, kind) => `<text x="${x}" y="${y}"${kind ? ` class="${kind}"` : ""}>${content.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</text>`;

const svg = (height, caption, drawn) => `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13">
<style>${STYLE}</style>
<rect width="100%" height="100%" fill="#fff"/>
${text(12, 18, caption)}
${drawn.join("\n")}
</svg>
`;
