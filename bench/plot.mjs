// The figures as a picture (SVG): a bar for each entrant, as long as its share of the baseline's CPU time.

import { time } from "./report.mjs";

const [WIDTH, LABELS, ROW, GAP] = [760, 250, 20, 34];

/** Draws works, each `{ title, baseline, summary }` with a summary of `report.mjs`. */
export function plot(works) {
  const longest = Math.max(...works.flatMap(({ summary }) => summary.map(({ ratio }) => ratio.value)));
  const scale = (WIDTH - LABELS - 110) / longest;
  let y = 40;
  const rows = [];
  const text = (x, content, style = "") => rows.push(`<text x="${x}" y="${y}"${style}>${escape(content)}</text>`);
  for (const { title, baseline, summary } of works) {
    text(12, title, ` class="title"`);
    for (const { peer, ratio, cpu } of summary) {
      y += ROW;
      const kind = peer === baseline ? "baseline" : /^access-relay|routes$/.test(peer) ? "relay" : "other";
      text(24, peer);
      rows.push(`<rect x="${LABELS}" y="${y - 12}" width="${(ratio.value * scale).toFixed(1)}" height="14" class="${kind}"/>`);
      const [least, most] = ratio.sure.map((side) => (LABELS + side * scale).toFixed(1));
      if (peer !== baseline) rows.push(`<path d="M${least} ${y - 5}H${most}" class="sure"/>`);
      text((LABELS + Math.max(ratio.value, ratio.sure[1]) * scale + 6).toFixed(1), `${ratio.value.toFixed(2)}x (${time(cpu.mean)})`);
    }
    y += GAP;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y - 8}" viewBox="0 0 ${WIDTH} ${y - 8}" font-family="system-ui, sans-serif" font-size="13">
<style>rect.baseline{fill:#9aa4b2}rect.other{fill:#c9d1db}rect.relay{fill:#e8590c}.sure{stroke:#1f2933;stroke-width:1.5}.title{font-weight:600}text{fill:#1f2933}</style>
<rect width="100%" height="100%" fill="#fff"/>
<text x="12" y="18">CPU time of workerd for a request; the baseline is 1. A line covers what the true ratio is in, 95 % sure.</text>
${rows.join("\n")}
</svg>
`;
}

const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
