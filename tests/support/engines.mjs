// The engines in which the tests run: Chromium always, Firefox and WebKit where they are installed. scripts/test.mjs installs them
// where it can, and says which one is missing.
//
// All three run what is the same test. What an engine decides in its own way stands in the test as a table, and in docs/browsers.md.

import { describe, test } from "node:test";
import { fail, findFirefox, findWebKit } from "../../scripts/tools.mjs";
import { launchChromium } from "./engines/chromium.mjs";
import { launchFirefox } from "./engines/firefox.mjs";
import { launchWebKit } from "./engines/webkit.mjs";
import { Verdicts } from "./verdicts.mjs";

const ALL = {
  Chromium: { launch: launchChromium, isThere: true },
  Firefox: { launch: launchFirefox, isThere: findFirefox() !== undefined },
  // It keeps no Secure cookie over http, on no host of this machine: it gets everything by https.
  WebKit: { launch: launchWebKit, isThere: findWebKit() !== undefined, tls: true },
};

/** The names of those that are there; $ENGINES, with commas, names those that must be. */
export const engines = process.env.ENGINES ? process.env.ENGINES.split(",") : Object.keys(ALL).filter((name) => ALL[name].isThere);
for (const name of engines) if (!ALL[name]?.isThere) fail(`$ENGINES names ${name}, which is not there; there are ${Object.keys(ALL).filter((name) => ALL[name].isThere).join(", ")}`);

/**
 * Runs the same tests in each engine: `tests` gets its name, how to `launch` it, whether it needs `tls`, and `test`. What a test returns is
 * the engine's verdict, which stands in the table of docs/browsers.md below `heading`; a test that returns nothing holds. What `changes` by
 * itself, as versions do, is written there and not compared.
 */
export function inEachEngine(heading, tests, { changes = false } = {}) {
  const verdicts = new Verdicts(heading);
  for (const [at, engine] of engines.entries()) {
    describe(engine, () => {
      const note = (name, verdict) => verdicts.note(name, engine, verdict);
      const noted = (name, body) => test(name, async () => note(name, (await body()) ?? "holds"));
      tests({ engine, launch: ALL[engine].launch, tls: ALL[engine].tls ?? false, test: noted, note });
      if (at === engines.length - 1 && !(changes && !Verdicts.writes)) test("docs/browsers.md says so", () => verdicts.hold());
    });
  }
}
