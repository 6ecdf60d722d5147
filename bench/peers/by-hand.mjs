// The relay's job for a GET in JavaScript alone, written for speed: what Wasm and its border cost is what the relay takes
// beyond this, and a little less. Its rules are constants; it has no configuration, no preflights, no log, no retries, no look
// at the path, and it is not as strict about how a token is written, nor about what crosses: short lists of names, no search for
// secrets, no URLs of answers. Tokens are remembered as they stand, where the relay keeps a digest, which JavaScript could only
// have from a promise.

import { newTrace } from "../new-trace.mjs";
import { foreign } from "../traffic-policy.mjs";

const RS256 = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
const verified = new Map();
let keys;

const bytesOf = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
const json = (text) => JSON.parse(new TextDecoder().decode(bytesOf(text)));

async function keysOf(env) {
  const answer = await fetch(`http://${env.API_HOST}/cdn-cgi/access/certs`);
  const imported = (await answer.json()).keys.map(async (key) => [key.kid, await crypto.subtle.importKey("jwk", key, RS256, false, ["verify"])]);
  return new Map(await Promise.all(imported));
}

/** Who calls with a token that nobody has sent before, if it is good. */
async function identify(token, env) {
  const [header, payload, signature, ...more] = token.split(".");
  if (signature === undefined || more.length > 0) return undefined;
  const { alg, kid, crit } = json(header);
  keys ??= await keysOf(env);
  const signed = new TextEncoder().encode(`${header}.${payload}`);
  if (alg !== "RS256" || crit !== undefined || !keys.has(kid)) return undefined;
  if (!(await crypto.subtle.verify(RS256.name, keys.get(kid), bytesOf(signature), signed))) return undefined;
  const claims = json(payload);
  const now = Date.now() / 1000;
  const good = claims.iss === `https://${env.TEAM}.cloudflareaccess.com` && claims.aud.includes(env.AUDIENCE) && claims.type === "app" && claims.exp > now - 60 && !(claims.nbf > now + 60);
  if (!good) return undefined;
  if (verified.size === 4096) verified.clear();
  verified.set(token, claims);
  return claims;
}

const refusal = (status) => new Response(JSON.stringify({ status }), { status, headers: { "content-type": "application/problem+json", vary: "Origin" } });

/** What is not the caller's to say. */
const firstLetters = "cfkptux";
const dropped = /^(?:cookie|forwarded|connection|keep-alive|proxy|te|trailer|transfer-encoding|upgrade)$|^(?:cf[-_.]access|x[-_.]forwarded|proxy)[-_.]/;

function forward(request, env, caller) {
  const { url, method } = request;
  const slash = url.indexOf("/", 8);
  const headers = new Headers(request.headers);
  for (const name of request.headers.keys()) if (firstLetters.includes(name[0]) && dropped.test(name)) headers.delete(name);
  headers.set("cf-access-client-id", env.CF_ACCESS_CLIENT_ID);
  headers.set("cf-access-client-secret", env.CF_ACCESS_CLIENT_SECRET);
  if (!headers.has("traceparent")) headers.set("traceparent", newTrace());
  headers.set("x-forwarded-email", caller.email);
  headers.set("x-forwarded-for", headers.get("cf-connecting-ip"));
  headers.set("x-forwarded-host", url.slice(url.indexOf("/") + 2, slash));
  headers.set("x-forwarded-proto", url.slice(0, url.indexOf(":")));
  headers.set("x-forwarded-user", caller.sub);
  return fetch(`http://${env.API_HOST}${url.slice(slash)}`, { method, headers, body: request.body, redirect: "manual", cache: "no-store" });
}

/** What is not the API's to say. */
const ours = ["set-cookie", "clear-site-data", ...["origin", "credentials", "headers", "methods", "private-network"].map((name) => `access-control-allow-${name}`), "access-control-expose-headers", "access-control-max-age"];

function settle(response, origin) {
  const answer = new Response(response.body, response);
  for (const name of ours) answer.headers.delete(name);
  if (!/(?:^|[\s,])(?:origin|\*)(?:$|[\s,])/i.test(answer.headers.get("vary") ?? "")) answer.headers.append("vary", "Origin");
  if (origin !== null) answer.headers.set("access-control-allow-origin", origin);
  return answer;
}

async function relay(request, env, token, caller) {
  const origin = request.headers.get("origin");
  const mayCall = request.headers.get("sec-fetch-site") === "same-origin" || foreign.allowed_origins.includes(origin);
  if ((origin !== null || request.method !== "GET") && !mayCall) return refusal(403);
  caller ??= await identify(token, env).catch(() => undefined);
  if (caller === undefined) return refusal(401);
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => resolve(refusal(504)), 30_000);
    const answered = (response) => {
      clearTimeout(late);
      resolve(settle(response, origin));
    };
    forward(request, env, caller).then(answered, reject);
  });
}

export default {
  fetch(request, env) {
    const token = request.headers.get("cf-access-jwt-assertion");
    return token === null ? refusal(401) : relay(request, env, token, verified.get(token));
  },
};
