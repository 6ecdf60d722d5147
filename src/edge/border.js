// What takes JavaScript one step and Wasm a dozen: each function is one crossing of the border. What becomes of a request is
// decided in the Wasm; what is here finds what it asks about, and keeps time.

import { waitUntil } from "cloudflare:workers";

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
function holdsSecret(text, sent) {
  if (text.length < shortest && sent === undefined) return false;
  const lower = text.toLowerCase();
  for (const secret of secrets) if (lower.includes(secret)) return true;
  return sent !== undefined && text.includes(sent);
}

/** The caller's own token, where a call sends it: page scripts could not read it, and an echo would show it to them. */
function sentToken(lines) {
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
 * The deadline is for the answer's headers, from the end of the request's body on: a long upload is no slow API. The runtime
 * ends the call to the API once the caller has its answer, so no AbortController is needed, which would cost more than all
 * header edits together.
 */
export function send(exchange, request, lines, bodiless, cached, milliseconds, retries) {
  const { promise, resolve, reject } = Promise.withResolvers();
  // What has a body is never sent twice: it may have been read.
  const left = retries > 0 && request.body === null ? retries : 0;
  const began = Date.now();
  const call = { exchange, request, lines, body: bodiless ? null : request.body, cached, left, tries: 1, began, milliseconds, timer: 0, signal: undefined, resolve, reject };
  prepare(call);
  return promise;
}

/** A body of so many bytes at most is read before the call begins: that costs less than a stream whose end can be seen. */
const SMALL = 8192;

/** Makes the call, and lets its time begin where the request's body ends. */
function prepare(call) {
  const { request, body } = call;
  // A body on GET or HEAD is hardly more than an empty one.
  if (body === null || readsOnly(request)) {
    startTimer(call);
    return attempt(call);
  }
  const length = request.headers.get("content-length");
  if (length !== null && Number(length) <= SMALL) {
    request.arrayBuffer().then(
      (bytes) => {
        call.body = bytes;
        startTimer(call);
        attempt(call);
      },
      () => fail(call, new Error("the request's body broke off")),
    );
    return;
  }
  const { readable, writable } = length === null ? new IdentityTransformStream() : new FixedLengthStream(Number(length));
  const controller = new AbortController();
  [call.body, call.signal] = [readable, controller.signal];
  // Where the body breaks off, what the API has by then must not look whole, as the end of the stream would have it: so that is
  // not ended, but the call is. An API that reads no further may still answer.
  body.pipeTo(writable, { preventCancel: true, preventAbort: true }).then(
    () => startTimer(call),
    async () => {
      if (!(await hasBroken(body))) return startTimer(call);
      if (call.exchange === undefined) return;
      controller.abort();
      fail(call, new Error("the request's body broke off"));
    },
  );
  attempt(call);
}

/** Whether a stream that nobody reads any more has failed by itself. */
async function hasBroken(stream) {
  try {
    await Promise.race([stream.getReader().closed, pause(1)]);
    return false;
  } catch {
    return true;
  }
}

const readsOnly = ({ method }) => method === "GET" || method === "HEAD";

function startTimer(call) {
  if (call.exchange !== undefined) call.timer = setTimeout(() => end(call, late), call.milliseconds);
}

function attempt(call) {
  try {
    forward(call).then(
      (response) => end(call, (exchange, elapsed, tries) => exchange.answered(response, response.status, answerHead(response, sentToken(call.lines)), elapsed, tries)),
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
function forward({ request, lines, body, cached, signal }) {
  const headers = edit(new Headers(request.headers), lines);
  const url = urlOf(lines);
  // Cloudflare caches by URL alone: one person's answer must not become another's.
  const cache = cached ? undefined : "no-store";
  // A body on GET or HEAD, were it only an empty one, passes with the request it came with; in an init it is an error.
  if (body !== null && readsOnly(request)) return fetch(new Request(url, request), { headers, redirect: "manual", cache });
  return fetch(url, { method: request.method, headers, body, redirect: "manual", cache, signal });
}

/**
 * The API's answer, of this status, with its headers edited; where nothing changes, the answer itself. It shares the body,
 * or the WebSocket, which a plain copy would lose.
 */
export function edited(response, status, edits) {
  const { statusText } = response;
  const echo = holdsSecret(statusText);
  if (edits === "" && !echo) return response;
  const answer = new Response(response.body, status === 101 || echo ? withoutText(response) : response);
  edit(answer.headers, edits);
  return answer;
}

const withoutText = ({ status, webSocket, headers }) => ({ status, webSocket, headers });

/**
 * Asks the API something of our own. Resolves to its answer, whose body is let go, or to a text: why there is none, or
 * "" where it took too long.
 */
export async function probe(lines, milliseconds) {
  const signal = AbortSignal.timeout(milliseconds);
  try {
    const answer = await fetch(urlOf(lines), { headers: edit(new Headers(), lines), redirect: "manual", cache: "no-store", signal });
    letGo(answer);
    return answer;
  } catch (error) {
    return signal.aborted ? "" : reasonOf(error);
  }
}

/** Lets go of an answer that nobody reads: its body, or its WebSocket. */
export function letGo({ body, webSocket }) {
  if (webSocket) {
    webSocket.accept();
    webSocket.close(1011);
  }
  body?.cancel().catch(() => {});
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
