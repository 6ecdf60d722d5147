// `access-relay check`

import { readFileSync } from "node:fs";
import { check as checked, redacted, toJson } from "./companion.mjs";
import { WRANGLER_FILES, wranglerFilesIn } from "./files.mjs";
import { secretFilesBeside } from "./secrets.mjs";
import { err, inColours, out, tell, warn, wrong } from "./terminal.mjs";

/** Checks each file; 1 if one of them is wrong, 2 if one cannot be read. */
export function check(files, { json, env: environment }) {
  if (files.length === 0) {
    const [first, ...others] = wranglerFilesIn(".");
    if (first === undefined) {
      err(`found no ${WRANGLER_FILES.join(", ")} here; name a file, or write one with access-relay init`);
      return 2;
    }
    for (const other of others) warn(`${other} lies beside ${first}, and wrangler does not read it`);
    files = [first];
  }
  const reports = files.map((file) => report(file, environment));
  if (json) {
    out(toJson({ files: reports.map(({ marked, ...report }) => report) }));
  } else {
    for (const { file, unread, sound, marked } of reports) {
      const name = redacted(file).replaceAll("\n", "\\n");
      if (unread) wrong(unread, name);
      sound.forEach((line) => out(`${name}: ${line}`));
      marked.forEach((lines) => tell(`${lines}\n`));
    }
  }
  return Math.max(...reports.map(({ unread, mistakes }) => (unread ? 2 : mistakes.length > 0 ? 1 : 0)));
}

function report(file, environment) {
  try {
    return { file, ...checked(file, readFileSync(file, "utf8"), { environment, beside: secretFilesBeside(file), colours: inColours() }) };
  } catch (error) {
    if (error.code === undefined) throw error;
    return { file, unread: `cannot be read (${error.code})`, sound: [], warnings: [], mistakes: [], marked: [] };
  }
}
