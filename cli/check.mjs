// `access-relay check`

import { readFileSync } from "node:fs";
import { check as checked, redacted, toJson } from "./companion.mjs";
import { WRANGLER_FILES, wranglerFilesIn } from "./files.mjs";
import { err, out, warn, wrong } from "./terminal.mjs";

/** Checks each file; 1 if one of them is wrong, 2 if one cannot be read. */
export function check(files, { json }) {
  if (files.length === 0) {
    const [first, ...others] = wranglerFilesIn(".");
    if (first === undefined) {
      err(`found no ${WRANGLER_FILES.join(", ")} here; name a file, or write one with access-relay init`);
      return 2;
    }
    for (const other of others) warn(`${other} lies beside ${first}, and wrangler does not read it`);
    files = [first];
  }
  const reports = files.map(report);
  if (json) {
    out(toJson({ files: reports }));
  } else {
    for (const { file, unread, sound, warnings, mistakes } of reports) {
      const name = redacted(file).replaceAll("\n", "\\n");
      if (unread) wrong(unread, name);
      sound.forEach((line) => out(`${name}: ${line}`));
      warnings.forEach((line) => warn(line, name));
      mistakes.forEach((line) => wrong(line, name));
    }
  }
  return Math.max(...reports.map(({ unread, mistakes }) => (unread ? 2 : mistakes.length > 0 ? 1 : 0)));
}

function report(file) {
  try {
    return { file, ...checked(file, readFileSync(file, "utf8")) };
  } catch (error) {
    if (error.code === undefined) throw error;
    return { file, unread: `cannot be read (${error.code})`, sound: [], warnings: [], mistakes: [] };
  }
}
