// `access-relay har`

import { closeSync, fstatSync, openSync, readSync, writeFileSync } from "node:fs";
import { Mistake, harRedacted, harReport, recordingOf, toJson } from "./companion.mjs";
import { wranglerFilesIn } from "./files.mjs";
import { bytesIn, reading } from "./reading.mjs";
import { coloursOn, out, tellOut } from "./terminal.mjs";

/** So much of a recording is read at once: it goes straight into the companion's memory. */
const PART = 1 << 20;

/** Looks for causes in a recording; 1 if something failed. Or writes a copy to share. */
export function har(files, { console, redact, overwrite, config, json }) {
  const alone = files.length === 0 && console !== undefined && redact === undefined;
  if (files.length !== 1 && !alone) throw new Mistake([`found ${files.length || "no"} files; write the HAR file that your browser has saved`]);
  const recording = alone ? recordingOf(0) : recordingIn(files[0]);
  if (redact !== undefined) return shared(recording, redact, overwrite, json);
  const file = config ?? wranglerFilesIn(".")[0];
  const wrangler = file === undefined ? undefined : [file, textOf(file)];
  const { report, told } = harReport(recording, console === undefined ? "" : textOf(console), wrangler, coloursOn(process.stdout));
  if (json) out(toJson(report));
  else tellOut(told);
  return report.causes.length > 0 ? 1 : 0;
}

/** A copy that nobody else on this machine can read, until its owner lets them. */
function shared(recording, to, overwrite, json) {
  const text = harRedacted(recording);
  try {
    writeFileSync(to, text, { flag: overwrite ? "w" : "wx", mode: 0o600 });
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    throw new Mistake([`${to}: is there already; name another file, or write --overwrite`]);
  }
  out(json ? toJson({ written: to }) : `Written: ${to}`);
  return 0;
}

const recordingIn = (file) =>
  reading(file, () => {
    const opened = openSync(file);
    try {
      const recording = recordingOf(fstatSync(opened).size);
      const part = new Uint8Array(PART);
      for (let length; (length = readSync(opened, part)) > 0; ) recording.add(part.subarray(0, length));
      return recording;
    } finally {
      closeSync(opened);
    }
  });

/** A text; also one in UTF-16, with the mark that says so. */
function textOf(file) {
  const bytes = bytesIn(file);
  return bytes[0] === 0xff && bytes[1] === 0xfe ? bytes.toString("utf16le", 2) : bytes.toString("utf8");
}
