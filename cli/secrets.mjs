// Files of secrets for `wrangler dev`. Their values stay here: nothing else of the command sees one, or keeps one.

import { readFileSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

/** An entry as wrangler's own reader (dotenv) takes it: a name, and a value in quotes, which may have several lines, or up to a `#`. */
const ENTRY = /^\s*(?:export\s+)?([\w.-]+)(?:\s*=|:\s)[^\S\n]*('(?:\\'|[^'])*'|"(?:\\"|[^"])*"|`(?:\\`|[^`])*`|[^#\r\n]*)/gm;

/** Which names have a value in a text, and in which values something is left in angle brackets. */
export function namesIn(text) {
  const [names, unfilled] = [new Set(), new Set()];
  for (const [, name, written] of text.replaceAll("\r\n", "\n").matchAll(ENTRY)) {
    const value = written.trim().replace(/^(['"`])([^]*)\1$/, "$2");
    // The last one counts.
    names.delete(name);
    unfilled.delete(name);
    if (value !== "") names.add(name);
    if (/<[^]*>/.test(value)) unfilled.add(name);
  }
  return { names: [...names], unfilled: [...unfilled] };
}

/** The files beside a wrangler file from which wrangler may take secrets, whatever the environment: `{ file, names, unfilled }`. */
export function secretFilesBeside(wranglerFile) {
  const folder = dirname(wranglerFile);
  return readdirSync(folder).filter((file) => /^\.(dev\.vars|env)(\.|$)/.test(file)).flatMap((file) => {
    const text = textOf(join(folder, file));
    return text === undefined ? [] : [{ file, ...namesIn(text) }];
  });
}

/** The text of a plain file that can be read. Of a pipe, another program would have to give the secrets away now. */
function textOf(path) {
  try {
    return statSync(path).isFile() ? readFileSync(path, "utf8") : undefined;
  } catch {
    return undefined;
  }
}
