// An issuer in this process: a key set at its certs endpoint, which can misbehave, and tokens signed in no time.

import { createPublicKey, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { createServer } from "node:http";

export const audience = "a11ce0a11ce0a11ce0a11ce0a11ce0a11ce0a11ce0a11ce0a11ce0a11ce0a11c";

/** A key pair like Access's: the private half signs here, the public half is what the certs endpoint answers. */
export function makeKey(kid = "b3c4".repeat(16)) {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { kid, privateKey, jwk: { ...createPublicKey(privateKey).export({ format: "jwk" }), kid, alg: "RS256", use: "sig" } };
}

/** An application token with the claims that Access gives to a person, changed by `change`. */
export function makeToken({ kid, privateKey }, issuer, change = {}) {
  const encode = (part) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    aud: [audience],
    email: "ada@example.com",
    exp: now + 24 * 3600,
    iat: now,
    nbf: now,
    iss: issuer,
    type: "app",
    identity_nonce: "Xq3vJ8kYt0ZpR5aB",
    sub: "7335d417-61da-459d-899c-0a01c76a2f94",
    country: "DE",
    ...change,
  };
  const signed = `${encode({ alg: "RS256", kid, typ: "JWT" })}.${encode(claims)}`;
  return `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
}

/** Starts it with one key. `answer(request, response)` may be replaced at any time; `fetches` counts what came. */
export async function startIssuer() {
  const issuer = { keys: [makeKey(randomUUID())], fetches: 0 };
  issuer.publish = (_, response) => response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ keys: issuer.keys.map(({ jwk }) => jwk) }));
  issuer.answer = issuer.publish;
  const server = createServer((request, response) => {
    issuer.fetches++;
    issuer.answer(request, response);
  });
  await new Promise((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  issuer.url = `http://127.0.0.1:${server.address().port}`;
  /** A token of a person, unlike every other, by the newest key. */
  issuer.token = (change = {}, key = issuer.keys.at(-1)) => makeToken(key, issuer.url, { identity_nonce: randomUUID(), ...change });
  /** A new key signs from now on; the one before stays published. */
  issuer.rotate = () => (issuer.keys = [...issuer.keys.slice(-1), makeKey(randomUUID())]);
  issuer.stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return issuer;
}
