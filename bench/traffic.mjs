// The requests that the peers get, the one answer that the API gives, and the token that opens the relay.

import { randomBytes, randomUUID } from "node:crypto";
import { audience, makeToken } from "../tests/support/issuer.mjs";

export const path = "/api/v1/orders?status=open&sort=-created&page=2";
export const email = "ada@example.com";
// A service token that opens nothing.
export const clientId = "0123456789abcdef0123456789abcdef.access";
export const clientSecret = "c0ffee00".repeat(8);

/** What has workerd vouch for a caller (its `accessBlobHeader`). */
export const blobHeader = "MF-Access-Blob";
const vouched = {
  app_aud: audience,
  jwt_claims: { email, user_uuid: "7335d417-61da-459d-899c-0a01c76a2f94", groups: [{ id: "1", name: "engineering" }], iat: Math.floor(Date.now() / 1000) },
};

/** What Chromium sends for a page's same-origin fetch, and what Cloudflare and Access add before a Worker sees it. */
export function requestHeaders(token) {
  return {
    Host: "app.example.com",
    Accept: "application/json, text/plain, */*",
    "Accept-Encoding": "gzip, br",
    "Accept-Language": "en-GB,en;q=0.9,de;q=0.8",
    "CF-Connecting-IP": "203.0.113.7",
    "CF-IPCountry": "DE",
    "CF-Ray": "9a2b3c4d5e6f7a8b-FRA",
    "CF-Visitor": '{"scheme":"https"}',
    "Cf-Access-Authenticated-User-Email": email,
    "Cf-Access-Jwt-Assertion": token,
    Cookie: `theme=dark; session=s%3Afe83kd0.xkW9uHq3bN2; CF_Authorization=${token}`,
    Priority: "u=1, i",
    Referer: "https://app.example.com/orders",
    "Sec-CH-UA": '"Chromium";v="142", "Not:A-Brand";v="24", "Google Chrome";v="142"',
    "Sec-CH-UA-Mobile": "?0",
    "Sec-CH-UA-Platform": '"Windows"',
    "Sec-Fetch-Dest": "empty",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Site": "same-origin",
    "User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
  };
}

/** The API's answer: about a kilobyte. */
export const body = Buffer.from(
  JSON.stringify({
    page: 2,
    total: 57,
    orders: Array.from({ length: 8 }, (_, index) => ({
      id: `ord_${1000 + index}`,
      customer: "Grace Hopper",
      status: "open",
      created: "2026-11-02T09:30:00Z",
      total: { amount: 4200 + index, currency: "EUR" },
    })),
  }),
);

const MIB = 1024 * 1024;

/** A part of the bodies that are long: bytes that no compression would shorten. */
export const piece = randomBytes(MIB / 16);

/** How many bytes a path asks for, or brings. */
export const bytesOf = (path) => Number(path.match(/^\/api\/v1\/files\/(\d+)$/)?.[1] ?? 0);

/** A body of so many bytes, a multiple of the piece's. */
export function* pieces(bytes) {
  for (let sent = 0; sent < bytes; sent += piece.length) yield piece;
}

export const responseHeaders = [
  ["Server", "nginx"],
  ["Content-Type", "application/json; charset=utf-8"],
  ["Content-Length", String(body.length)],
  ["Cache-Control", "private, max-age=0, must-revalidate"],
  ["ETag", '"5f-8d1f0e2c"'],
  ["Vary", "Accept-Encoding"],
  ["Strict-Transport-Security", "max-age=31536000"],
  ["X-Content-Type-Options", "nosniff"],
  ["X-Request-Id", "01JC0R5T8W3Q9Z6K2M4N7P1V0X"],
  ["CF-Ray", "9a2b3c4d5e6f7a8c-FRA"],
  ["Set-Cookie", "CF_Authorization=eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl; Path=/; Secure; HttpOnly; SameSite=None"],
  ["Set-Cookie", "session=s%3Aab12; Path=/; HttpOnly; SameSite=Lax"],
];

/** What stands before the signature in the tokens of an issuer: signing takes a millisecond. */
const claims = new Map();

/** Kinds of tokens that no request has carried before, each made by `issuer` with `key`. */
export const freshTokens = {
  /** Of a person, and good. */
  good: (key, issuer) => makeToken(key, issuer, { identity_nonce: randomUUID() }),
  /** Good claims under somebody else's signature. */
  forged: (key, issuer) => {
    if (!claims.has(issuer)) claims.set(issuer, makeToken(key, issuer).replace(/[^.]+$/, ""));
    return `${claims.get(issuer)}A${randomBytes(256).toString("base64url").slice(1)}`;
  },
  /** As long as a token, and none. */
  garbage: () => randomBytes(600).toString("base64url"),
  /** Good claims, and a key that the issuer does not have. */
  unknown: (key, issuer) => makeToken({ ...key, kid: randomUUID() }, issuer, {}),
};

const padding = (count) => Object.fromEntries(Array.from({ length: count }, (_, number) => [`X-Padding-${number}`, `value ${number}`]));

/** The works of a peer: those who come to one in front of which Access stands are vouched for. */
export function requestsOf({ issuer, platform }, key) {
  const all = works(makeToken(key, issuer));
  if (!platform) return all;
  const blob = JSON.stringify(vouched);
  return Object.fromEntries(Object.entries(all).map(([name, request]) => [name, { ...request, headers: { ...request.headers, [blobHeader]: blob } }]));
}

/** The works: a request each, and what the right answer is. */
function works(token) {
  const preflight = (change, status = 204) => ({
    method: "OPTIONS",
    path: "/cors/v1/orders/7",
    headers: {
      Host: "app.example.com",
      Accept: "*/*",
      "Access-Control-Request-Headers": "authorization,content-type,x-request-id",
      "Access-Control-Request-Method": "PUT",
      Origin: "https://admin.example.com",
      "Sec-Fetch-Dest": "empty",
      "Sec-Fetch-Mode": "cors",
      "Sec-Fetch-Site": "same-site",
      "User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
      ...change,
    },
    status,
  });
  // More than 256 names are no browser's.
  const names = (count) => preflight({ "Access-Control-Request-Headers": "x-request-id,".repeat(count) }, count < 256 ? 204 : 403);
  return {
    get: { method: "GET", path, headers: requestHeaders(token), status: 200, length: body.length },
    "headers-100": { method: "GET", path, headers: { ...requestHeaders(token), ...padding(100 - Object.keys(requestHeaders(token)).length) }, status: 200, length: body.length },
    ...Object.fromEntries([1, 100].flatMap((mebibytes) => {
      const length = mebibytes * MIB;
      const file = { path: `/api/v1/files/${length}`, status: 200 };
      const headers = requestHeaders(token);
      const upload = { ...headers, Origin: "https://app.example.com", "Content-Type": "application/octet-stream", "Content-Length": length };
      return [
        [`download-${mebibytes}m`, { method: "GET", ...file, headers, length }],
        [`upload-${mebibytes}m`, { method: "PUT", ...file, headers: upload, length: body.length }],
      ];
    })),
    foreign: { method: "GET", path, headers: { ...requestHeaders(token), Origin: "https://admin.example.com", "Sec-Fetch-Site": "same-site" }, status: 200, length: body.length },
    "token-refused": { method: "GET", path, headers: requestHeaders(token), status: 401 },
    preflight: preflight({}),
    refused: preflight({ Origin: "https://evil.example" }, 403),
    // Hono answers those it refuses like those it allows, without the headers.
    "refused-204": preflight({ Origin: "https://evil.example" }),
    "headers-1k": names(80),
    "headers-8k": names(600),
    "headers-60k": names(4_600),
    "commas-60k": preflight({ "Access-Control-Request-Headers": ",".repeat(60_000) }, 403),
    "origin-60k": preflight({ Origin: `https://${"a".repeat(60_000)}.example.com` }, 403),
  };
}
