// What somebody has named is read, or it is said why not.

import { readFileSync } from "node:fs";
import { Mistake } from "./companion.mjs";

/** What reading gives; it is about this file. */
export function reading(file, read) {
  try {
    return read();
  } catch (error) {
    if (error.code === undefined) throw error;
    throw new Mistake([`${file}: cannot be read (${error.code})`]);
  }
}

/** A file's bytes; `-` is the standard input. */
export const bytesIn = (file) => (file === "-" ? reading("the standard input", () => readFileSync(0)) : reading(file, () => readFileSync(file)));

/** The same as text. */
export const textIn = (file) => bytesIn(file).toString("utf8");
