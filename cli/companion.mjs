// The companion: what decides and explains, in Wasm. Texts in, texts out.

import { readFileSync } from "node:fs";
import { initSync, Recording, bundled_schema, by_hand, check_file, doctor_next, explain_request, fit as fitOf, import_policy, judge as judgeOf, metadata_key, metadata_keys, metadata_read, plan as planOf, redacted, schema_of_file, schema_title, types, worker_name, wrangler_file, write_policy } from "../build/companion.js";

initSync({ module: readFileSync(new URL("../build/companion_bg.wasm", import.meta.url)) });

export { redacted, types };

/** The JSON Schema of a wrangler file with RELAY; wrangler's own lies at this path, seen from it. */
export const schemaOfFile = schema_of_file;

/** The same with wrangler's own schema within, a text, of this version. */
export const bundledSchema = (wranglers, version) => told(bundled_schema(wranglers, version)).text;

/** What both call themselves. */
export const schemaTitle = schema_title;

/**
 * What is wrong with a wrangler file: `{ sound, warnings, mistakes, marked }`. `sound` is a list of lines; each of the others has `code`,
 * `path`, `found`, `help` and `place`; `marked` has them as people read them, in colours or without. With an `environment`, of that one
 * alone. `beside` are the files of secrets that lie beside it, as `{ file, names, unfilled }`.
 */
export const check = (name, text, { environment, beside = [], colours = false } = {}) => JSON.parse(check_file(name, text, environment, colours, JSON.stringify(beside)));

/** A finding on one line. */
export const lineOf = ({ path, found, help }) => `${path && `${path}: `}${found}; ${help}`;

/** Which form fits a folder: `{ form, why, assets, project, name, main, relay, ours }`. */
export const fit = (folder) => told(fitOf(JSON.stringify(folder)));

/** What a person has to do in a folder that is a project already. Throws what is wrong with the form, the path or the name. */
export const byHand = (form, folder, path, name) => told(by_hand(form, JSON.stringify(folder), path, name)).steps;

/** What to ask of a page and an API, as they are `said`. Throws a list of what is wrong with their addresses. */
export const plan = (said) => told(planOf(JSON.stringify(said)));

/** What the answers mean: `{ seen, mistakes, warnings, unseen, issuer, audience }`. */
export const judge = (said, seen, now) => told(judgeOf(JSON.stringify(said), JSON.stringify(seen), now));

/** Where the keys lie that have to have signed what Access says of a URL. */
export const metadataKeys = (token, url) => told(metadata_keys(token, url)).keys;

/** The key that signed it, out of a team's key set, as `{ n, e }`. */
export const metadataKey = (token, certs) => told(metadata_key(token, certs));

/** What such a token, whose signature holds, says of a URL: `{ aud, issuer }`. Throws why it says nothing. */
export const metadataRead = (token, url, now) => told(metadata_read(token, url, now));

/** What the doctor does next: `{ asks, page }`, `{ report, told }`, or `{ unsound }`, and `check` says why. Throws what is not clear. */
export const diagnose = (said, answers, now, colours) => told(doctor_next(JSON.stringify(said), JSON.stringify(answers), now, colours));

/** A project's wrangler file, from what is known: `{ text, alone, unfinished, warnings }`. */
export const wranglerFile = (form, name, known) => told(wrangler_file(form, name, JSON.stringify(known)));

/** The policy in a file of somebody else's: `{ text, notes, mistakes }`. Throws why it cannot be read, or what is not clear. */
export const importPolicy = (name, text, options) => told(import_policy(name, text, JSON.stringify(options)));

/**
 * What becomes of one request, by a wrangler file: `{ explanation, told }`; or `{ unsound }`, and `check` says why. `verify` says whether a
 * signature holds. Throws what is not clear in the question.
 */
export const explain = ({ har, ...question }, name, text, { environment, colours = false, verify }) =>
  told(explain_request(JSON.stringify({ ...question, recorded: har !== undefined }), har ?? new Uint8Array(), name, text, environment, colours, verify));

/** A recording to be filled with `add(part)`; so many bytes. */
export const recordingOf = (length) => new Recording(length);

/** What failed in a recording, with the console's log: `{ report, told }`; `wrangler` is the name and the text of a wrangler file. */
export const harReport = (recording, console, [name, text] = ["", ""], colours = false) => told(recording.report(console, name, text, colours));

/** A copy of a recording that is safe to share, a text. */
export const harRedacted = (recording) => told(recording.redacted()).text;

/**
 * The same as importPolicy, put into a wrangler file `{ file, text, environment, overwrite }`: `{ text, told, refused, notes, mistakes, sound, warnings,
 * wrong, marked }`. `text` is the whole file, or null if it stays as it is.
 */
export const writePolicy = (name, text, options, target, colours) => told(write_policy(name, text, JSON.stringify(options), JSON.stringify(target), colours));

/** A name for the Worker: that of the package, or one made of the page's host. */
export const workerName = worker_name;

/** A mistake of the caller's, told line by line. */
export class Mistake extends Error {
  constructor(lines) {
    super(lines.join("\n"));
    this.lines = lines;
  }
}

/** A value as JSON, with no secret in any of its texts. */
export const toJson = (value) => JSON.stringify(value, (_, part) => (typeof part === "string" ? redacted(part) : part), 2);

function told(text) {
  const value = JSON.parse(text);
  const wrong = value.errors ?? (value.error === undefined ? undefined : [value.error]);
  if (wrong) throw new Mistake(wrong);
  return value;
}
