// What the mixed traffic sends: how often, what, by which door, and what must come of it, by the good outcome of the weather.

import { randomBytes, randomUUID } from "node:crypto";
import { audience } from "../tests/support/issuer.mjs";

export const ADMIN = "https://admin.example.com";
const OTHER_AUDIENCE = "0".repeat(64);

/** Random bytes, of which bodies are slices: to make new ones for each would take longer than to send them. */
const BYTES = randomBytes(4 * 1024 * 1024);
const below = (number) => Math.floor(Math.random() * number);
const pick = (list) => list[below(list.length)];
const bytes = (least, most) => {
  const size = least + below(most - least);
  const from = below(BYTES.length - size);
  return BYTES.subarray(from, from + size);
};

/** Whom tokens name: some who call again and again, with new tokens whenever the keys have rotated. */
export const makePeople = (issuer) => ["ada", "grace", "joan", "mary", "radia"].map((name) => person(issuer, name));
const person = (issuer, name, change = {}) => ({ user: `id-of-${name}`, email: `${name}@example.com`, token: issuer.token({ sub: `id-of-${name}`, email: `${name}@example.com`, ...change }) });

/** Whom the runtime vouches for: the token's text matters to nobody, and the claims come with each request. */
const vouched = (name) => ({ user: `id-of-${name}`, email: `${name}@example.com`, groups: `team-of-${name}`, token: `token.of.${name}` });
const VOUCHED = ["vera", "vincent", "viola", "victor", "vivian"].map(vouched);

const calls = (caller, more = {}) => ({ door: "tokens", caller, ...more, headers: { "cf-access-jwt-assertion": caller.token, ...more.headers } });
const unknown = (headers, more) => ({ door: "tokens", headers, ...more });
const inCookie = (caller) => unknown({ cookie: `theme=dark; CF_Authorization=${caller.token}` }, { caller });
const preflight = (origin) => unknown({ origin, "access-control-request-method": "PUT" }, { method: "OPTIONS" });
const foreign = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };

/** A call at the door where the runtime vouches: `claims` go on top of those of the caller. */
function vouches(caller, { claims = {}, aud = audience, ...more } = {}) {
  const identity = { user_uuid: caller.user, email: caller.email, groups: [{ id: "1", name: caller.groups }], ...claims };
  return { ...calls(caller, more), door: "platform", headers: { "cf-access-jwt-assertion": caller.token, "mf-access-blob": JSON.stringify({ app_aud: aud, jwt_claims: identity }), ...more.headers } };
}

/** A call to the Worker behind a binding, which brings its own weather. */
const bound = (call, weather, path = "/bound/notes") => ({ ...call, path, headers: { ...call.headers, cookie: "theme=dark", "x-weather": weather } });

const known = ({ people }) => pick(people);
const stranger = () => vouched(randomUUID());
const good = (outcome) => outcome;
const always = (outcome) => () => outcome;
/**
 * An answer may come before the caller has left; to an upload that breaks off, only one that the API's weather explains. The
 * connection ends with that answer (RFC 9112 §9.6), and who has not read it yet may write on.
 */
const leftOrGood = (outcome) => ["left", outcome];
const leftOrBad = (outcome) => ["left", ...(outcome === "200" ? [] : [outcome, "failed: EPIPE"])];

export const KINDS = [
  [30, "known caller", (world) => calls(known(world)), good],
  [15, "new caller", ({ issuer }) => calls(person(issuer, randomUUID())), good],
  [8, "cookie", (world) => inCookie(known(world)), good],
  [4, "says to be another", (world) => calls(known(world), { headers: { "x-forwarded-email": "evil@example.com", "x_forwarded_user": "evil", "mf-access-blob": "evil" } }), good],
  [8, "forged", ({ issuer, forger }) => calls(person(issuer, "eve"), { headers: { "cf-access-jwt-assertion": issuer.token({}, { ...forger, kid: issuer.keys[0].kid }) } }), always("401 unauthenticated")],
  [6, "garbage", () => unknown({ "cf-access-jwt-assertion": randomBytes(300).toString("base64url") }), always("401 unauthenticated")],
  [6, "expired", ({ issuer }) => calls(person(issuer, "ada", { exp: Math.floor(Date.now() / 1000) - 120 })), always("401 unauthenticated")],
  [4, "nobody", () => unknown({}), always("401 unauthenticated")],
  [5, "allowed preflight", () => preflight(ADMIN), always("204")],
  [3, "refused preflight", () => preflight("https://evil.example"), always("403 origin_not_allowed")],
  [3, "foreign page", (world) => calls(known(world), { method: "POST", body: bytes(1, 60_000), headers: foreign }), always("403 cross_origin_blocked")],
  [2, "climbing path", (world) => calls(known(world), { path: "/api/%2e%2e/secret" }), always("400 bad_path")],
  [1, "no route", (world) => calls(known(world), { path: "/elsewhere" }), always("404 not_found")],

  [10, "upload", (world) => calls(known(world), { method: "POST", body: bytes(1, 60_000) }), good],
  [2, "large upload", (world) => calls(known(world), { method: "PUT", body: bytes(256 * 1024, BYTES.length - 1) }), good],
  [3, "chunked upload", (world) => calls(known(world), { method: "POST", body: bytes(1, 300_000), pieces: 1 + below(8) }), good],
  [0.2, "slow upload", (world) => calls(known(world), { method: "POST", body: bytes(5, 500_000), pieces: 5, pause: 500 }), good],
  [3, "upload that breaks off", (world) => calls(known(world), { method: "POST", body: bytes(2, pick([1_000, 60_000, 1_000_000])), breaksOff: true }), leftOrBad],
  [2, "chunked upload that breaks off", (world) => calls(known(world), { method: "POST", body: bytes(2, 60_000), pieces: 3, breaksOff: true }), leftOrBad],
  [2, "caller who leaves", (world) => calls(known(world), { leavesAfter: below(30) }), leftOrGood],

  [12, "vouched for", () => vouches(pick(VOUCHED)), good],
  [6, "vouched for, new", () => vouches(stranger()), good],
  [1, "vouched for, named late", () => vouches(stranger(), { claims: { slow: 300 } }), good],
  [3, "vouched for, upload", () => vouches(pick(VOUCHED), { method: "POST", body: bytes(1, 200_000) }), good],
  [2, "vouched for, says to be another", () => vouches(pick(VOUCHED), { headers: { "x-forwarded-user": "evil", "x_forwarded_groups": "evil", "mf_access_blob": "evil" } }), good],
  [2, "vouched for, foreign page", () => vouches(pick(VOUCHED), { headers: foreign }), always("403 cross_origin_blocked")],
  [2, "vouched for elsewhere", () => vouches(pick(VOUCHED), { aud: OTHER_AUDIENCE }), always("401 unauthenticated")],
  [2, "vouched for by nobody", (world) => calls(known(world), { door: "platform" }), always("401 unauthenticated")],
  [1, "vouched for, nameless", () => vouches(stranger(), { claims: { as: {} } }), always("503 identity_unavailable")],
  [1, "vouched for, not named", () => vouches(stranger(), { claims: { fail: "it broke" } }), always("503 identity_unavailable")],

  [8, "bound", (world) => bound(calls(known(world)), "fair"), always("200")],
  [4, "bound, upload", (world) => bound(calls(known(world), { method: "POST", body: bytes(1, 300_000) }), "fair"), always("200")],
  [3, "bound, vouched for", () => bound(vouches(pick(VOUCHED)), "fair"), always("200")],
  [2, "bound, with a service token", (world) => ({ ...bound(calls(known(world)), "fair", "/token/notes"), hasToken: true }), always("200")],
  [1, "bound, breaks", (world) => bound(calls(known(world)), "throw"), always("502 upstream_unreachable")],
  [0.2, "bound, says nothing", (world) => bound(calls(known(world)), "silence"), always("504 upstream_timeout")],
  [1, "bound, refuses", (world) => bound(calls(known(world)), "denied"), always("403")],
  [1, "bound, refuses the service token", (world) => bound(calls(known(world)), "denied", "/token/notes"), always("502 upstream_access_denied")],
  [1, "bound, breaks off", (world) => bound(calls(known(world)), "half"), always("broken")],
  [1, "bound, answers 500", (world) => bound(calls(known(world)), "500"), always("500")],
  [1, "bound, nobody", () => bound(unknown({}), "fair"), always("401 unauthenticated")],
];

const WEIGHT = KINDS.reduce((sum, [weight]) => sum + weight, 0);

/** A kind, by its weight. */
export function pickKind() {
  let ticket = Math.random() * WEIGHT;
  return KINDS.find(([weight]) => (ticket -= weight) < 0) ?? KINDS[0];
}
