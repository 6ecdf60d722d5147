// `access-relay har`

import { readFileSync, writeFileSync } from "node:fs";
import { Mistake, harRedacted, harReport, toJson } from "./companion.mjs";
import { wranglerFilesIn } from "./files.mjs";
import { coloursOn, out, tellOut } from "./terminal.mjs";

/** Looks for causes in a recording; 1 if something failed. Or writes a copy to share. */
export function har(files, { console, redact, overwrite, config, json }) {
  if (files.length !== 1) throw new Mistake([`found ${files.length || "no"} files; write the HAR file that your browser has saved`]);
  const bytes = bytesOf(files[0]);
  if (redact !== undefined) return shared(bytes, redact, overwrite, json);
  const file = config ?? wranglerFilesIn(".")[0];
  const wrangler = file === undefined ? undefined : [file, textOf(file)];
  const { report, told } = harReport(bytes, console === undefined ? "" : textOf(console), wrangler, coloursOn(process.stdout));
  if (json) out(toJson(report));
  else tellOut(told);
  return report.causes.length > 0 ? 1 : 0;
}

function shared(bytes, to, overwrite, json) {
  const text = harRedacted(bytes);
  try {
    writeFileSync(to, text, { flag: overwrite ? "w" : "wx" });
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    throw new Mistake([`${to}: is there already; name another file, or write --overwrite`]);
  }
  out(json ? toJson({ written: to }) : `Written: ${to}`);
  return 0;
}

function bytesOf(file) {
  try {
    return readFileSync(file);
  } catch (error) {
    if (error.code === undefined) throw error;
    throw new Mistake([`${file}: cannot be read (${error.code})`]);
  }
}

const textOf = (file) => bytesOf(file).toString("utf8");
