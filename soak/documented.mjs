// What the documentation promises, read from its pages where they have a table, so that the judge knows nothing by the code.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../scripts/tools.mjs";

const page = (name) => readFileSync(join(root, "docs", name), "utf8");

/** The header names in the table below a heading of headers.md. */
function listed(heading) {
  const section = page("headers.md").split(/^## /m).find((text) => text.startsWith(`${heading}\n`));
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  return rows.flatMap((row) => [...row.split(" | ")[0].matchAll(/`([^`]+)`/g)].map(([, name]) => name));
}

export const NOT_THE_CALLERS = listed("Not the caller's to say");
export const NOT_THE_APIS = listed("Not the API's to say");
export const NOT_THE_APIS_TO_CACHES = listed("Not the API's to say to caches");

/** The status of each code of errors.md. */
export const STATUS_OF = Object.fromEntries([...page("errors.md").matchAll(/^\| `(\w+)` \| (\d+) \|/gm)].map(([, code, status]) => [code, Number(status)]));

/** A name as a server with CGI reads it: what is neither a letter nor a digit is one character (RFC 3875 §4.1.18). */
export const folded = (name) => name.toLowerCase().replace(/[^a-z0-9]/g, "-");

const pattern = (list) => new RegExp(`^(?:${list.map((name) => name.replace(/^\*/, "[a-z].*").replace(/\*$/, ".*")).join("|")})$`);
const [callers, apis, caches] = [NOT_THE_CALLERS, NOT_THE_APIS, NOT_THE_APIS_TO_CACHES].map(pattern);

/** Whether a name, in lower case, is not the caller's to say: Cloudflare's own and the body's pass in one spelling only. */
export function isNotTheCallers(name) {
  const plain = folded(name);
  return callers.test(plain) || (/^(cf|content)-/.test(plain) && plain !== name);
}

/** Whether a name, in lower case, is not the API's to say to a browser, or to a cache. */
export const isNotTheApis = (name) => apis.test(name);
export const isNotTheApisToCaches = (name) => caches.test(name);

/**
 * The cross-origin rule (how-it-works.md, "What foreign pages may not do"; configuration.md, `foreign_requests` and
 * `callback_paths`; cors.md, "What is decided"): whether a request is refused as a foreign page's.
 */
export function isForeign({ method, websocket, site, mode, dest, purpose, origin, hasCredentials }, route) {
  if (origin !== undefined && route.own.includes(origin)) return false;
  const prepared = site === "none" && purpose !== undefined && origin === undefined;
  if (site === "same-origin" || (site === "none" && !prepared)) return false;
  if (site === undefined && origin === undefined) return false;
  const topLevel = mode === "navigate" && dest === "document" && !websocket;
  if (route.isCallback && method === "POST" && topLevel) return false;
  if (origin !== undefined && route.allows(origin)) return !route.withCredentials && hasCredentials;
  const reads = (method === "GET" || method === "HEAD") && !websocket && origin === undefined;
  if (!reads || route.foreign === "none") return true;
  return route.foreign === "navigations" && !(method === "GET" && topLevel && purpose === undefined);
}

/** Whether an answer of the API's is Access's refusal of the relay (how-it-works.md, "When Access refuses the relay"). */
export function isAccesss(status, headers) {
  const values = (wanted) => headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
  const redirects = status >= 300 && status < 400 && status !== 304;
  if (!redirects && status !== 401 && status !== 403) return false;
  if (redirects && values("location").some((value) => value.split(/[?#]/)[0].includes("/cdn-cgi/access/login"))) return true;
  const challenges = values("www-authenticate");
  if (challenges.some((value) => /^cloudflare-access\b/i.test(value))) return true;
  if (headers.some(([name]) => /^cf-access-(aud|domain|error)$/i.test(name))) return true;
  return status === 401 && challenges.some((value) => /^bearer .*resource_metadata=.*cloudflareaccess\.com/i.test(value));
}

/** Whether a cache that goes by the API's own `Cache-Control` keeps nothing of an answer for others (RFC 9111 §5.2). */
export const keepsNothing = (cacheControl) => cacheControl.some((value) => value.replace(/"(\\.|[^"\\])*"/g, "").split(",").some((element) => /^(private|no-store)$/i.test(element.trim())));
