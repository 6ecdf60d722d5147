// What each engine has decided, as docs/browsers.md says it: a table below each heading, which the tests make, and hold to what they see.
// `WRITE_VERDICTS=1` writes them.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/tools.mjs";

const page = join(root, "docs", "browsers.md");

export class Verdicts {
  static writes = process.env.WRITE_VERDICTS === "1";
  #heading;
  #rows = new Map();

  constructor(heading) {
    this.#heading = heading;
  }

  /** What an engine has decided in a case. */
  note(name, engine, verdict) {
    this.#rows.set(name, { ...this.#rows.get(name), [engine]: verdict });
  }

  /** Compares the columns of the engines that have run with the page, or writes them into it. */
  hold() {
    const text = readFileSync(page, "utf8");
    const [before, table, after] = this.#find(text);
    const [titles, , ...lines] = table.split("\n").map((line) => line.slice(2, -2).split(" | ").map((cell) => cell.trim()));
    const [, ...columns] = titles;
    const said = new Map(lines.map(([name, ...cells]) => [name, Object.fromEntries(columns.map((engine, at) => [engine, cells[at]]))]));
    if (!Verdicts.writes) {
      const seen = [...this.#rows].map(([name, verdicts]) => [name, { ...said.get(name), ...verdicts }]);
      assert.deepEqual(seen, [...said], `docs/browsers.md, "${this.#heading}" does not say what was seen; WRITE_VERDICTS=1 writes it`);
      return;
    }
    const rows = [...this.#rows].map(([name, verdicts]) => [name, ...columns.map((engine) => verdicts[engine] ?? said.get(name)?.[engine] ?? "not tried")]);
    const made = [titles, titles.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
    writeFileSync(page, before + made + after);
  }

  /** The page before the first table below the heading, that table, and the rest. */
  #find(text) {
    const section = text.indexOf(`\n## ${this.#heading}\n`);
    assert.ok(section >= 0, `docs/browsers.md has no heading "## ${this.#heading}"`);
    const start = text.indexOf("\n|", section) + 1;
    const end = (text.slice(start).match(/\n(?!\|)/)?.index ?? text.length - start) + start;
    return [text.slice(0, start), text.slice(start, end), text.slice(end)];
  }
}
