// Writing into a folder: nothing that is there is lost without somebody's word, and nothing is written before all is agreed.

import { join } from "node:path";
import { textOf, write } from "./files.mjs";
import { confirm } from "./terminal.mjs";

/**
 * `overwrite` and `yes` are the words on the command line; with `asks`, somebody is there to be asked. `left` has what somebody has to
 * do by hand.
 */
export function writerFor(directory, { overwrite, yes, asks }) {
  const planned = [];
  const left = [];
  const agreed = async (given, question, usual) => given || (asks && (await confirm(question, usual)));
  return {
    left,
    /** Plans a file; over one that is there, only if that is agreed. */
    async file(name, text) {
      const there = textOf(join(directory, name));
      if (there === text) return;
      if (there === undefined || (await agreed(overwrite, `${name} is there. Write over it?`, false))) {
        planned.push({ name, text, isNew: there === undefined });
      } else {
        left.push(`${name} is there and stays as it is; with --overwrite it becomes the template's`);
      }
    },
    /** Plans an addition to a file that is there, if that is agreed, or needs no word. `added` names what is missing. */
    async addition(name, { text, added }, freely = false) {
      if (added.length === 0) return;
      const names = added.map(([key]) => key).join(", ");
      if (freely || (await agreed(yes, `${name} is there. Add ${names}?`, true))) return planned.push({ name, text });
      left.push(`Add to ${name}, or run this again with --yes:\n${added.map(([key, value]) => `     ${key}${value === undefined ? "" : `: ${JSON.stringify(value)}`}`).join("\n")}`);
    },
    /** Writes all that was planned; the names of the files. */
    finish() {
      for (const { name, text, isNew } of planned) write(directory, name, text, isNew);
      return planned.map(({ name }) => name);
    },
  };
}
