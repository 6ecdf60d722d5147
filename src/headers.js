// The heads of messages, told to the Wasm in one text each, and the edits that it answers with. It decides; what is here finds
// what it asks about.

/** The header names that the Wasm knows, at their places in its list. */
let names = [];
/** The character of the first place. */
let first = 0;
/**
 * The known ones by the length and the first letter of their names: each with the character that tells its place, and how much
 * of its value goes along.
 */
let known = [];
/** Whether the Wasm asks about other names that begin like this, by their first two letters. */
let [inRequest, inAnswer] = [[], []];
/** How names end in an answer that the Wasm asks about, too. */
let targeted = "";
/** What a line begins with that sets the caller's own token. */
let tokenLine = "";
/** The names that matter in a preflight. */
let ofPreflights = [];
/** The secrets that no answer may hold in its head, in lower case, and how long the shortest is. */
let [secrets, shortest] = [[], Infinity];

/**
 * Takes all that. From then on a known name crosses as its place, a character from the first on. Names come as JSON, for out
 * of it each is a text of its own: a slice of a longer one compares slowly.
 */
export function know(list, beginningsInRequest, beginningsInAnswer, targetedEnd, firstPlace, preflights) {
  // As long as it can become, so that V8 keeps it as an array: of a sparse one it would make a dictionary.
  known = Array(1 << 13);
  [first, targeted] = [firstPlace, targetedEnd];
  names = Object.entries(JSON.parse(list)).map(([name, [asked, answered]], at) => {
    const place = String.fromCharCode(first + at);
    (known[bucketOf(name)] ??= []).push({ name, place, line: `\n${place}`, asked, answered });
    return name;
  });
  [inRequest, inAnswer] = [beginningsInRequest, beginningsInAnswer].map(beginnings);
  ofPreflights = [...preflights].map(nameAt);
  tokenLine = `\n=${find("cf-access-token").place}`;
}

/** A number for two letters. */
const pairOf = (text) => (text.charCodeAt(0) << 7) | text.charCodeAt(1);

/** What names begin with: `-` stands for every character of a token that is neither a letter nor a digit (RFC 9110 §5.6.2). */
function beginnings(text) {
  const asked = new Uint8Array(1 << 14);
  for (const pair of text.match(/../g) ?? []) for (const second of pair[1] === "-" ? "!#$%&'*+-.^_`|~" : pair[1]) asked[pairOf(pair[0] + second)] = 1;
  return asked;
}

/** More than any configuration has, with those that it had before. */
const MOST_SECRETS = 400;

/** Takes the secrets, a line each; one of a few letters would be found everywhere. */
export function guard(lines) {
  // Those of before stay: calls that were made with them may still be answered.
  const now = lines.toLowerCase().split("\n").filter(({ length }) => length >= 8);
  secrets = [...new Set([...now, ...secrets])].slice(0, MOST_SECRETS);
  shortest = Math.min(...secrets.map(({ length }) => length));
}

const bucketOf = (name) => (name.length << 7) | name.charCodeAt(0);

/** What is known of a name. Its letters are compared: a Map would have V8 intern each name that the runtime hands out. */
function find(name) {
  const candidates = known[bucketOf(name)];
  if (candidates !== undefined) for (const candidate of candidates) if (candidate.name === name) return candidate;
  return undefined;
}

const nameAt = (place) => names[place.charCodeAt(0) - first];

/**
 * A request's method, its URL, and its headers: a line with the places of known ones; then, a line each, those whose value
 * goes along, as place and value; and of the others, the names that the Wasm asks about. Of a preflight hardly a header
 * matters and none passes on unless it is named: asking for those costs less than listing all.
 *
 * Not by `forEach`: it makes texts of all values, and each text that nobody reads brings the next collection of garbage
 * nearer.
 */
export function head({ method, url, headers }) {
  let [places, lines] = ["", ""];
  const preflight = method === "OPTIONS" && headers.has("origin") && headers.has("access-control-request-method");
  for (const name of preflight ? ofPreflights : headers.keys()) {
    const found = find(name);
    if (found === undefined) {
      if (inRequest[pairOf(name)] === 1) lines += `\n${name}`;
    } else if (found.asked > 0 || preflight) {
      const value = headers.get(name);
      if (value !== null) lines += found.line + value.slice(0, found.asked);
    } else {
      places += found.place;
    }
  }
  return `${method}\n${url}\n${places}${lines}`;
}

/**
 * An answer's headers, in the same way; with `!`, the names of those whose value holds a secret. Here all values are looked at,
 * and `forEach` is the quickest way to them.
 */
export function answerHead({ headers }, sent) {
  let [places, lines] = ["", ""];
  headers.forEach((value, name) => {
    if (holdsSecret(value, sent) || holdsSecret(name)) lines += `\n!${name}`;
    const found = find(name);
    if (found === undefined) {
      if (inAnswer[pairOf(name)] === 1 || (name.endsWith(targeted) && /^[a-z]/.test(name))) lines += `\n${name}`;
    } else if (found.answered > 0) {
      lines += found.line + value.slice(0, found.answered);
    } else {
      places += found.place;
    }
  });
  return places + lines;
}

/** Whether a text holds one of the secrets, in whatever case: names come in lower case. */
export function holdsSecret(text, sent) {
  if (text.length < shortest && sent === undefined) return false;
  const lower = text.toLowerCase();
  for (const secret of secrets) if (lower.includes(secret)) return true;
  return sent !== undefined && text.includes(sent);
}

/** The caller's own token, where a call sends it: page scripts could not read it, and an echo would show it to them. */
export function sentToken(lines) {
  const start = lines.indexOf(tokenLine);
  return start < 0 ? undefined : lines.slice(start + tokenLine.length, (lines.indexOf("\n", start + 1) + 1 || lines.length + 1) - 1);
}

/** The value of a message's header at a place of the list, cut where nobody would read on; repeated lines arrive joined. */
export const value = ({ headers }, place, longest) => headers.get(names[place])?.slice(0, longest);

/**
 * Edits headers in order, by the lines after the first. `=` and `+` set and append a known one, whose place and value
 * follow, `-` removes all whose places follow; `~` removes the one whose name follows, `*` all whose names begin so. The
 * lines are found one by one: a split would leave an array and a text for each to the next collection.
 */
export function edit(headers, lines) {
  let start = lines.indexOf("\n") + 1;
  while (start > 0) {
    const next = lines.indexOf("\n", start) + 1;
    const end = next > 0 ? next - 1 : lines.length;
    const sign = lines[start];
    if (sign === "=") headers.set(nameAt(lines[start + 1]), lines.slice(start + 2, end));
    else if (sign === "+") headers.append(nameAt(lines[start + 1]), lines.slice(start + 2, end));
    else if (sign === "~") headers.delete(lines.slice(start + 1, end));
    else if (sign === "*") removeAll(headers, lines.slice(start + 1, end));
    else for (let at = start + 1; at < end; at++) headers.delete(nameAt(lines[at]));
    start = next;
  }
  return headers;
}

/** The URL before the edits. */
export function urlOf(lines) {
  const end = lines.indexOf("\n");
  return end < 0 ? lines : lines.slice(0, end);
}

function removeAll(headers, prefix) {
  for (const name of [...headers.keys()]) if (name.startsWith(prefix)) headers.delete(name);
}
