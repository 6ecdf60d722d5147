// `access-relay import`

import { Mistake, importPolicy, redacted, toJson, writePolicy } from "./companion.mjs";
import { Refusal, WRANGLER_FILES, replaceable, wranglerFilesIn } from "./files.mjs";
import { textIn } from "./reading.mjs";
import { inColours, out, tell, warn, wrong } from "./terminal.mjs";

/** Prints the policy of a file, or writes it into the wrangler file; 1 if something is left for somebody to do. */
export function imported(files, { from, name, jsonc, json, write, to, env, overwrite }) {
  if (files.length !== 1) throw new Mistake([`found ${files.length || "no"} files; write one, or - for what comes from another command`]);
  const [file] = files;
  if (write && jsonc) throw new Mistake(["--jsonc and --write: the wrangler file says which language it is in; leave --jsonc out"]);
  const alone = Object.entries({ to, env, overwrite }).find(([, given]) => given !== undefined);
  if (!write && alone) throw new Mistake([`--${alone[0]} is for --write; add that`]);
  const text = textIn(file);
  if (write) return written(file, text, { from, name }, { to: to ?? wranglerFile(), environment: env, overwrite }, json);
  const { text: tables, notes, mistakes } = importPolicy(nameOf(file), text, { from, name, jsonc });
  if (json) {
    out(toJson({ text: tables, notes, mistakes }));
  } else {
    out(tables.trimEnd());
    mistakes.forEach((line) => wrong(line, shown(file)));
  }
  return mistakes.length > 0 ? 1 : 0;
}

/** Puts the policy into a wrangler file. */
function written(file, policy, options, { to, environment, overwrite }, json) {
  let outcome;
  try {
    const { text, replace } = replaceable(to);
    outcome = writePolicy(nameOf(file), policy, options, { file: to, text, environment, overwrite: overwrite ?? false }, inColours());
    if (outcome.text !== null) replace(outcome.text);
  } catch (error) {
    if (error instanceof Refusal) throw new Mistake([error.message]);
    throw error;
  }
  const { text, told, refused, notes, mistakes, sound, warnings, wrong: left, marked } = outcome;
  if (json) {
    out(toJson({ file: to, written: text !== null, told, refused, notes, mistakes, check: { sound, warnings, mistakes: left } }));
  } else {
    const name = shown(to);
    told.forEach((line) => out(`${name}: ${line}`));
    notes.forEach((line) => out(`${shown(file)}: ${line}`));
    sound.filter(() => text !== null).forEach((line) => out(`${name}: ${line}`));
    mistakes.forEach((line) => wrong(line, shown(file)));
    marked.forEach((lines) => tell(`${lines}\n`));
    refused.forEach((line) => wrong(`${line}. Nothing was written.`, name));
  }
  return refused.length + mistakes.length + left.length > 0 ? 1 : 0;
}

/** The one that wrangler reads here. */
function wranglerFile() {
  const [first, ...others] = wranglerFilesIn(".");
  if (first === undefined) throw new Mistake([`found no ${WRANGLER_FILES.join(", ")} here; name a file with --to, or write one with access-relay init`]);
  for (const other of others) warn(`${other} lies beside ${first}, and wrangler does not read it`);
  return first;
}

const nameOf = (file) => (file === "-" ? "" : file);
const shown = (file) => redacted(file).replaceAll("\n", "\\n");
