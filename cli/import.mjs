// `access-relay import`

import { readFileSync } from "node:fs";
import { Mistake, importPolicy, redacted, toJson } from "./companion.mjs";
import { out, wrong } from "./terminal.mjs";

/** Prints the policy of a file; 1 if something is left for somebody to do. */
export function imported(files, { from, name, jsonc, json }) {
  if (files.length !== 1) throw new Mistake([`found ${files.length || "no"} files; write one, or - for what comes from another command`]);
  const [file] = files;
  const { text, notes, mistakes } = importPolicy(file === "-" ? "" : file, textFrom(file), { from, name, jsonc });
  if (json) {
    out(toJson({ text, notes, mistakes }));
  } else {
    out(text.trimEnd());
    mistakes.forEach((line) => wrong(line, redacted(file).replaceAll("\n", "\\n")));
  }
  return mistakes.length > 0 ? 1 : 0;
}

function textFrom(file) {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    if (error.code === undefined) throw error;
    throw new Mistake([`${file}: cannot be read (${error.code})`]);
  }
}
