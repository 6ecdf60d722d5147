// What takes JavaScript one step and Wasm a dozen: each function is one crossing of the border.

import { waitUntil } from "cloudflare:workers";
import { edit, holdsSecret, urlOf } from "./headers.js";

/** Headers of answers of the relay's own, by their edits: most of those answers are alike. */
const given = new Map();
/** How many of them are kept, and how long their edits may be. */
const [MOST, LONGEST] = [64, 2048];

/** An answer of the relay's own. */
export function answer(status, edits, body) {
  let headers = given.get(edits);
  if (headers === undefined) {
    headers = edit(new Headers(), edits);
    if (edits.length <= LONGEST) {
      if (given.size === MOST) given.clear();
      given.set(edits, headers);
    }
  }
  return new Response(body, { status, headers }); // It has a copy of them.
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
 * Asks the API something of our own, through a binding if there is one. Resolves to its answer, whose body is let go, or to a text: why there is none, or
 * "" where it took too long.
 */
export async function probe(lines, milliseconds, through = globalThis) {
  const signal = AbortSignal.timeout(milliseconds);
  try {
    const answer = await through.fetch(urlOf(lines), { headers: edit(new Headers(), lines), redirect: "manual", cache: "no-store", signal });
    letGo(answer);
    return answer;
  } catch (error) {
    return signal.aborted ? "" : reasonOf(error);
  }
}

/** Lets go of an answer that nobody reads: its body, or its WebSocket. */
export function letGo({ body, webSocket }) {
  try {
    webSocket?.accept();
    webSocket?.close(1011);
    body?.cancel().catch(() => {});
  } catch {
    // It is gone already.
  }
}

/**
 * The text at a URL: status 200 only, no redirect followed, at most `limit` bytes, within the time. It may come out of Cloudflare's
 * cache, if it is not older than `seconds`; with 0, not even then. Nothing but a good answer is kept there (Workers, "cf",
 * `cacheTtlByStatus`).
 */
export async function fetchText(url, milliseconds, limit, seconds) {
  const caching = seconds > 0 ? { cf: { cacheEverything: true, cacheTtlByStatus: { "200-299": seconds, "300-599": -1 } } } : { cache: "no-store" };
  const response = await fetch(url, { redirect: "manual", ...caching, signal: AbortSignal.timeout(milliseconds) });
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

/** The AUD tag in `ctx.access`, or "": whatever it is that a Worker hands on, reading it must not throw through the Wasm. */
export function audOf(access) {
  try {
    const { aud } = access;
    return typeof aud === "string" ? aud : "";
  } catch {
    return "";
  }
}

/** What matters of an identity; in its groups, too. */
const TOLD = ["user_uuid", "email", "iat", "groups", "name"];

/** Who was let in, by `ctx.access`: what matters of the identity, as JSON, or `undefined` if there is none. */
export async function identity(access, milliseconds) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(reject, milliseconds, new Error(`no answer within ${milliseconds} ms`))));
  try {
    const identity = await Promise.race([access.getIdentity(), late]);
    return identity === undefined ? undefined : (JSON.stringify(identity, TOLD) ?? "null");
  } finally {
    clearTimeout(timer);
  }
}

/** Keeps a request's work alive until the promise settles, even where the caller has gone. */
export const keepAlive = (work) => waitUntil(work);

/** Resolves after this time. */
export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** What a thrown value says; whatever it is, this does not throw. */
export function reasonOf(error) {
  try {
    return String(error?.message ?? error);
  } catch {
    return "unknown";
  }
}
