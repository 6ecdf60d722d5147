// What the bench says: a line for each row, and the tables of the docs.

import { verdict } from "./verdicts.mjs";
import { WORKS, byHand, cachedRelay, platformRelay, platformSample, platformToken, port, relay, stack } from "./works.mjs";

/** Workers as a sentence names them. */
const SPOKEN = {
  sample: "the sample",
  [port]: "workers-rs",
  [byHand]: "the job by hand",
  [stack]: "the stack",
  [cachedRelay]: "keys in Cloudflare's cache",
  [platformRelay]: "by the runtime's word",
  [platformSample]: "the sample that asks who calls",
  [platformToken]: "by a token",
  "headers-1k": "1 KB of names",
  "headers-8k": "8 KB of names",
  "headers-60k": "60 KB of names",
  "commas-60k": "60 KB of commas",
  "origin-60k": "an Origin of 60 KB",
};

const MARKS = { better: "\x1b[32m✓\x1b[0m", worse: "\x1b[31m✗\x1b[0m", "cannot tell": "\x1b[33m?\x1b[0m" };

export const spoken = (name) => SPOKEN[name] ?? name;
const sure = ([least, most]) => `${least.toFixed(2)}–${most.toFixed(2)}`;
const times = (ratio) => `${ratio.toFixed(2)}x`;

/** What a row is about. */
export function label({ work, name }) {
  const { title } = WORKS[work];
  return name === relay || title.includes(spoken(name)) ? title : `${title}, ${spoken(name)}`;
}

/** A row's line: the verdict, the figure with its interval, and the committed figure, if there is one. */
export function line(row) {
  const word = verdict(row);
  const since = row.was ? `committed ${times(row.was.ratio)} (${sure(row.was.sure)}): ${row.changed}` : "no committed figure";
  return `${MARKS[word]} ${word.padEnd(11)}  ${label(row)}: ${times(row.ratio)} of ${spoken(row.beside)} (${sure(row.sure)}; by means ${times(row.means)}); ${since}`;
}

/** What the entrants of a work cost, in the median. */
export function costs({ kind }, medians) {
  const unit = { start: milliseconds, instructions: millions }[kind] ?? time;
  return Object.entries(medians).map(([name, median]) => `${name} ${unit(median)}`).join(", ");
}

const milliseconds = (value) => `${value.toFixed(0)} ms`;
const millions = (value) => `${(value / 1e6).toFixed(2)} million`;

/** Microseconds, as one reads them. */
const time = (microseconds) => (microseconds < 10_000 ? `${microseconds.toFixed(0)} µs` : milliseconds(microseconds / 1000));

/** The committed rows as docs/performance.md has them. */
export function docsTable(rows) {
  const lines = rows.map((row) => `| ${label(row)} | ${spoken(row.beside)} | **${times(row.ratio)}** (${sure(row.sure)}) | ${times(row.means)} | ${verdict(row)} |`);
  return ["| work | beside | the relay costs | by means | verdict |", "|---|---|---|---|---|", ...lines].join("\n");
}

/** The text of a page with this table in the place of the one that has the same head. */
export function withTable(page, table) {
  const [head] = table.split("\n");
  const from = page.indexOf(head);
  if (from < 0) throw new Error(`the page has no table that begins with ${head}`);
  const lines = page.slice(from).split("\n");
  const end = lines.findIndex((text) => !text.startsWith("|"));
  return [page.slice(0, from) + table, ...lines.slice(end)].join("\n");
}

/** What the latency of a rate comes to: what the relay adds, or that somebody could not keep up. */
export function latencyLines(rates) {
  return rates.map(({ rate, workers, added }) => {
    const [base, ours] = [workers["pass-through"], workers[relay]];
    const at = `${rate.toLocaleString("en")} requests a second`;
    if (!added) return `? ${at}: saturated: ${per(base.reached)} reached by the pass-through, ${per(ours.reached)} by the relay`;
    return `  ${at}: ${["p50", "p99"].map((quantile) => `${quantile} ${extra(base, ours, added, quantile)}`).join("; ")}`;
  });
}

/** What the relay adds to a quantile, between what and what that is, and both latencies. */
export function extra(base, ours, added, quantile) {
  const { median, sure: [least, most] } = added[quantile];
  return `${signed(median)} ms (${signed(least)} to ${signed(most)}; ${base[quantile].toFixed(2)} ms, with the relay ${ours[quantile].toFixed(2)} ms)`;
}

const signed = (number) => `${number < 0 ? "−" : "+"}${Math.abs(number).toFixed(2)}`;

export const per = (rate) => `${Math.round(rate).toLocaleString("en")} a second`;
