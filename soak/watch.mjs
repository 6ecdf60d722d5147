// What both parts look at while they run: the memory of each workerd, and what the relays log.

import { readFileSync } from "node:fs";

/** In seconds. Before half of that, memory has not levelled off: the relay remembers callers, and workerd keeps buffers. */
const LEVELS_OFF_AFTER = 1_800;

/**
 * What a Worker does in front of a request, if ten seconds have passed: it collects what nobody needs. V8 by itself collects as late
 * as it can, the later the more often it is called, so that nobody could tell what leaks from what waits. It needs `gc()`.
 */
export const COLLECT = "if (!(Date.now() < globalThis.collectAt)) { globalThis.collectAt = Date.now() + 10_000; gc(); }";

/** Looks at the memory of workerds, by their names, at least 200 times in so many seconds, until it is stopped. */
export function watchMemory(relays, seconds) {
  const memory = Object.fromEntries(Object.keys(relays).map((name) => [name, []]));
  const look = () => {
    for (const [name, { pid }] of Object.entries(relays)) memory[name].push(residentMiB(pid));
  };
  look();
  const timer = setInterval(look, Math.max(100, Math.min(seconds, 6_000) * 5));
  return { memory, now: () => Object.values(memory).reduce((sum, samples) => sum + samples.at(-1), 0), stop: () => clearInterval(timer) };
}

const residentMiB = (pid) => Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/^VmRSS:\s+(\d+) kB/m)[1]) / 1024;

/** The average of the first tenth of numbers, of the fifth, and of the last. */
export function tenths(numbers) {
  const tenth = Math.ceil(numbers.length / 10);
  return [0, 4 * tenth, Math.max(0, numbers.length - tenth)].map((from) => average(numbers.slice(from, from + tenth)));
}

const average = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

/**
 * What is wrong with the memory of a run of so many seconds: a last tenth that is an eighth, and 16 MiB, above the fifth. What
 * leaks grows in the second half as it did in the first; what is remembered, and what V8 has not collected, levels off before.
 */
export function faultsOfMemory(memory, seconds) {
  if (seconds < LEVELS_OFF_AFTER) return [];
  return Object.entries(memory).flatMap(([name, samples]) => {
    const [, fifth, last] = tenths(samples);
    return last > fifth * 1.125 + 16 ? [`memory of ${name} grew from ${Math.round(fifth)} MiB in the fifth tenth to ${Math.round(last)} in the last`] : [];
  });
}

/** What startRelay tells the log to: it says what is `wrong` with it, and keeps none of it. */
export function watchLog(secrets, wrong) {
  let end = "";
  return (text) => {
    const log = end + text;
    if (secrets.some((secret) => log.includes(secret))) wrong("the log holds a service token's secret", log.slice(-1_000));
    if (/eyJ[\w-]{20,}\.eyJ[\w-]{20,}\.[\w-]{20,}/.test(log)) wrong("the log holds a caller's token", log.slice(-1_000));
    if (/RuntimeError|panicked/.test(log)) wrong("the Wasm was restarted", log.match(/.*(RuntimeError|panicked).*/)[0]);
    end = log.slice(-1_000);
  };
}
