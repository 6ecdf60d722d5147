// `access-relay schema`

import { basename, dirname, join, resolve } from "node:path";
import { Mistake, bundledSchema, redacted, schemaOfFile, schemaTitle } from "./companion.mjs";
import { fromJson, installed, textOf, write } from "./files.mjs";
import { out } from "./terminal.mjs";

const WRANGLERS = "wrangler/config-schema.json";

/** Prints the schema, or writes it into a file; 2 if there is no wrangler to bundle. */
export function schema(names, { bundle, out: file }) {
  if (names.length > 0) throw new Mistake([`found ${JSON.stringify(names[0])}; write --out ${names[0]} to name the file`]);
  const text = bundle ? bundled() : beside(file);
  if (file === undefined) {
    out(text.trimEnd());
    return 0;
  }
  const there = textOf(file);
  // A slip of the hand must not cost a wrangler.toml.
  if (there && !there.includes(JSON.stringify(schemaTitle()))) throw new Mistake([`${file} is there, and is no schema that this command wrote; name another file`]);
  write(resolve(dirname(file)), basename(file), text, there === undefined);
  const name = `./${basename(file)}`;
  out(redacted(`Written: ${file}\nIn a wrangler.jsonc beside it, write "$schema": ${JSON.stringify(name)}`));
  if (bundle) out(redacted(`In a wrangler.toml beside it, let the first line be #:schema ${name}`));
  return 0;
}

function bundled() {
  const found = installed(resolve("."), WRANGLERS);
  if (found === undefined) throw new Mistake([`found no node_modules/${WRANGLERS} here or above; install wrangler first, or leave out --bundle`]);
  const { version } = fromJson(textOf(join(dirname(found), "package.json")) ?? "{}");
  return bundledSchema(textOf(found), String(version));
}

/** The schema that refers to wrangler's own: a relative path, as seen from where it will lie. */
function beside(file) {
  const found = installed(resolve(file === undefined ? "." : dirname(file)), WRANGLERS) ?? `node_modules/${WRANGLERS}`;
  return schemaOfFile(found.startsWith("../") ? found : `./${found}`);
}
