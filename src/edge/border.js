// What takes JavaScript one step and Wasm a dozen: each function is one crossing of the border. Nothing is decided here.

import { waitUntil } from "cloudflare:workers";

/** The header names that the Wasm knows, at their places in its list, and what other names it asks about begin with. */
let [names, firstLetters] = [[], ""];
/** The known ones by the length of their names: each with the character that tells its place, and how much of its value goes along. */
let known = [];
/** The names that matter in a preflight. */
let ofPreflights = [];

/**
 * Takes all three. From then on a known name crosses as its place, a character from "0" on. Names come as JSON, for out of
 * it each is a text of its own: a slice of a longer one compares slowly.
 */
export function know(list, letters, preflights) {
  known = [];
  names = Object.entries(JSON.parse(list)).map(([name, longest], at) => {
    const place = String.fromCharCode(48 + at);
    (known[name.length] ??= []).push({ name, place, line: `\n${place}`, longest });
    return name;
  });
  firstLetters = letters;
  ofPreflights = [...preflights].map(nameAt);
}

/** What is known of a name. Its letters are compared: a Map would have V8 intern each name that the runtime hands out. */
function find(name) {
  const candidates = known[name.length];
  if (candidates !== undefined) for (const candidate of candidates) if (candidate.name === name) return candidate;
  return undefined;
}

const nameAt = (place) => names[place.charCodeAt(0) - 48];

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
      if (firstLetters.includes(name[0])) lines += `\n${name}`;
    } else if (found.longest > 0 || preflight) {
      const value = headers.get(name);
      if (value !== null) lines += found.line + value.slice(0, found.longest);
    } else {
      places += found.place;
    }
  }
  return `${method}\n${url}\n${places}${lines}`;
}

/** The value of a message's header at a place of the list, cut where nobody would read on; repeated lines arrive joined. */
export const value = ({ headers }, place, longest) => headers.get(names[place])?.slice(0, longest);

/**
 * Edits headers in order, by the lines after the first. `=` and `+` set and append a known one, whose place and value
 * follow, `-` removes all whose places follow; `~` removes the one whose name follows, `*` all whose names begin so; `?`
 * names `Origin` in `Vary`. The lines are found one by one: a split would leave an array and a text for each to the next
 * collection.
 */
function edit(headers, lines) {
  let start = lines.indexOf("\n") + 1;
  while (start > 0) {
    const next = lines.indexOf("\n", start) + 1;
    const end = next > 0 ? next - 1 : lines.length;
    const sign = lines[start];
    if (sign === "=") headers.set(nameAt(lines[start + 1]), lines.slice(start + 2, end));
    else if (sign === "+") headers.append(nameAt(lines[start + 1]), lines.slice(start + 2, end));
    else if (sign === "~") headers.delete(lines.slice(start + 1, end));
    else if (sign === "*") removeAll(headers, lines.slice(start + 1, end));
    else if (sign === "?") varyByOrigin(headers);
    else for (let at = start + 1; at < end; at++) headers.delete(nameAt(lines[at]));
    start = next;
  }
  return headers;
}

/** The URL before the edits. */
function urlOf(lines) {
  const end = lines.indexOf("\n");
  return end < 0 ? lines : lines.slice(0, end);
}

function removeAll(headers, prefix) {
  for (const name of [...headers.keys()]) if (name.startsWith(prefix)) headers.delete(name);
}

function varyByOrigin(headers) {
  const vary = headers.get("vary");
  if (vary === null || !NAMES_ORIGIN.test(vary)) headers.append("vary", "Origin");
}

/** A `Vary` that names it, or `*`. */
const NAMES_ORIGIN = /(?:^|,)\s*(?:origin|\*)\s*(?:,|$)/i;

/** Headers of answers of the relay's own, by their edits: most of those answers are alike. */
const given = new Map();
/** How many of them are kept, and how long their edits may be. */
const [MOST, LONGEST] = [64, 2048];

/** An answer of the relay's own. */
export function answer(status, edits, body) {
  let headers = given.get(edits);
  if (headers === undefined) {
    headers = edit(new Headers(), edits);
    if (given.size === MOST) given.clear();
    if (edits.length <= LONGEST) given.set(edits, headers);
  }
  return new Response(body, { status, headers }); // It has a copy of them.
}

/**
 * Sends a caller's request to the API: its method, its headers with the edits, and its body, which streams past.
 * Resolves to what the exchange makes of the outcome.
 *
 * The deadline is for the answer's headers; its body may take longer. The runtime ends the call to the API once the
 * caller has its answer, so no AbortController is needed, which would cost more than all header edits together.
 */
export function send(exchange, request, lines, bodiless, cached, milliseconds, retries) {
  const { promise, resolve, reject } = Promise.withResolvers();
  // What has a body is never sent twice: it may have been read.
  const left = retries > 0 && request.body === null ? retries : 0;
  const began = Date.now();
  const call = { exchange, request, lines, bodiless, cached, left, tries: 1, began, timer: 0, resolve, reject };
  call.timer = setTimeout(() => end(call, late), milliseconds);
  attempt(call);
  return promise;
}

function attempt(call) {
  try {
    forward(call).then(
      (response) => end(call, (exchange, elapsed, tries) => exchange.answered(response, response.status, elapsed, tries)),
      (error) => (mayRetry(call) ? attempt(call) : fail(call, error)),
    );
  } catch (error) {
    fail(call, error); // What cannot be sent at all.
  }
}

const late = (exchange, elapsed, tries) => exchange.late(elapsed, tries);

const fail = (call, error) => end(call, (exchange, elapsed, tries) => exchange.failed(reasonOf(error), elapsed, tries));

/** Whether there is one more attempt, which is counted then. */
function mayRetry(call) {
  if (call.left === 0 || call.exchange === undefined) return false;
  call.left -= 1;
  call.tries += 1;
  return true;
}

const reasonOf = (error) => String(error?.message ?? error);

/** The first outcome counts: the exchange is gone after that. */
function end(call, outcome) {
  const { exchange } = call;
  if (exchange === undefined) return;
  call.exchange = undefined;
  clearTimeout(call.timer);
  try {
    call.resolve(outcome(exchange, Date.now() - call.began, call.tries));
  } catch (error) {
    call.reject(error);
  }
}

/** Redirects are the caller's to follow: followed here, one would carry the credentials to whatever host the API names. */
function forward({ request, lines, bodiless, cached }) {
  const headers = edit(new Headers(request.headers), lines);
  const url = urlOf(lines);
  // Cloudflare caches by URL alone: one person's answer must not become another's.
  const cache = cached ? undefined : "no-store";
  const { method } = request;
  const body = bodiless ? null : request.body;
  // A body on GET or HEAD, were it only an empty one, passes with the request it came with; in an init it is an error.
  if (body !== null && (method === "GET" || method === "HEAD")) {
    return fetch(new Request(url, request), { headers, redirect: "manual", cache });
  }
  return fetch(url, { method, headers, body, redirect: "manual", cache });
}

/** Whether edits change a message's headers: removals alone may find nothing to remove. */
function changes(message, edits) {
  if (edits[1] !== "-" || edits.indexOf("\n", 1) > 0) return edits.length > 0;
  const { headers } = message;
  for (let at = 2; at < edits.length; at++) if (headers.has(nameAt(edits[at]))) return true;
  return false;
}

/**
 * The API's answer, of this status, with its headers edited; where nothing changes, the answer itself. It shares the body,
 * or the WebSocket, which a plain copy would lose.
 */
export function edited(response, status, edits) {
  if (!changes(response, edits)) return response;
  const copy = status === 101 ? { status, webSocket: response.webSocket, headers: response.headers } : response;
  const answer = new Response(response.body, copy);
  edit(answer.headers, edits);
  return answer;
}

/**
 * Asks the API something of our own. Resolves to its answer, whose body is let go, or to a text: why there is none, or
 * "" where it took too long.
 */
export async function probe(lines, milliseconds) {
  const signal = AbortSignal.timeout(milliseconds);
  try {
    const answer = await fetch(urlOf(lines), { headers: edit(new Headers(), lines), redirect: "manual", cache: "no-store", signal });
    answer.body?.cancel().catch(() => {});
    return answer;
  } catch (error) {
    return signal.aborted ? "" : reasonOf(error);
  }
}

/** The text at a URL: status 200 only, no redirect followed, at most `limit` bytes, within the time. */
export async function fetchText(url, milliseconds, limit) {
  const response = await fetch(url, { redirect: "manual", cache: "no-store", signal: AbortSignal.timeout(milliseconds) });
  if (response.status !== 200) throw new Error(`answered ${response.status}`);
  const decoder = new TextDecoder();
  let [text, length] = ["", 0];
  for await (const chunk of response.body) {
    length += chunk.byteLength;
    if (length > limit) throw new Error(`answered more than ${limit} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

const RS256 = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

/** A key that verifies RS256, of a JWK's modulus and exponent, which are base64url. */
export const importKey = (n, e) => crypto.subtle.importKey("jwk", { kty: "RSA", alg: "RS256", n, e }, RS256, false, ["verify"]);

/** Whether a signature holds. The bytes are the Wasm's, so they are read before this returns. */
export const verify = (key, signature, signed) => crypto.subtle.verify(RS256.name, key, signature, signed);

/** Keeps a request's work alive until the promise settles, even where the caller has gone. */
export const keepAlive = (work) => waitUntil(work);

/** Resolves after this time. */
export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
