// The APIs behind the mixed traffic: one on the network and one behind a binding. Both tell what they got, and fail when they are
// told to. And who says who somebody is, where the runtime vouches for callers.

import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { COLLECT } from "./watch.mjs";

/** What no API behind a binding without credentials may get. */
const CREDENTIALS = ["cookie", "cf-access-client-id", "cf-access-client-secret", "cf-access-token", "cf-access-jwt-assertion"];

/** An API that tells what it got. `mode` is its weather; a body whose nonce is in `breakingOff` must never look whole to it. */
export async function startApi() {
  const api = { mode: "fair", faults: new Set(), breakingOff: new Set(), brokenOff: 0, clientId: "0123.access", clientSecret: randomBytes(32).toString("hex") };
  const server = createServer(async (incoming, response) => {
    incoming.on("error", () => {});
    const { headers } = incoming;
    if (headers["cf-access-client-secret"] !== api.clientSecret || headers["cf-access-client-id"] !== api.clientId) api.faults.add("a request reached the API without the one service token");
    const { mode } = api;
    if (mode === "close") return incoming.socket.destroy();
    const nonce = headers["x-nonce"];
    const digest = await digestOf(incoming);
    if (digest === undefined) return void api.brokenOff++;
    if (api.breakingOff.has(nonce)) api.faults.add("an upload that broke off looked whole to the API");
    if (mode === "silence") return;
    if (mode === "denied") return response.writeHead(403, { "cf-access-aud": "x" }).end();
    const caller = ["user", "email", "groups"].map((name) => headers[`x-forwarded-${name}`] ?? null);
    const body = JSON.stringify({ nonce, digest, caller });
    response.writeHead(mode === "500" ? 500 : 200, { "content-length": body.length, "set-cookie": "CF_Authorization=x" });
    if (mode === "half") {
      response.write(body.slice(0, 10));
      return setTimeout(() => incoming.socket.destroy(), 20);
    }
    response.end(body);
  });
  await new Promise((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  api.url = `http://127.0.0.1:${server.address().port}`;
  api.stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return api;
}

/** The hash of a body, or nothing where it breaks off. */
async function digestOf(incoming) {
  const hash = createHash("sha256");
  try {
    for await (const chunk of incoming) hash.update(chunk);
  } catch {
    return undefined;
  }
  return hash.digest("hex");
}

/** The same as a Worker behind a binding. Each request brings its own weather. */
export const BOUND = `export default {
  async fetch(request) {
    ${COLLECT}
    const { headers, url } = request;
    const bytes = await request.arrayBuffer();
    const mode = headers.get("x-weather");
    if (mode === "throw") throw new Error("it broke");
    if (mode === "silence") await new Promise((resolve) => setTimeout(resolve, 5_000));
    if (mode === "denied") return new Response("{}", { status: 403, headers: { "cf-access-aud": "x" } });
    const digest = Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    const credentials = ${JSON.stringify(CREDENTIALS)}.filter((name) => headers.has(name));
    const caller = ["user", "email", "groups"].map((name) => headers.get("x-forwarded-" + name));
    const body = JSON.stringify({ nonce: headers.get("x-nonce"), digest, caller, credentials, url });
    const answer = { status: mode === "500" ? 500 : 200, headers: { "set-cookie": "CF_Authorization=x" } };
    if (mode !== "half") return new Response(body, answer);
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    writer.write(new TextEncoder().encode(body.slice(0, 10))).catch(() => {});
    setTimeout(() => writer.abort(new Error("it broke off")).catch(() => {}), 20);
    return new Response(readable, answer);
  },
};`;

/** The body of getIdentity(): the claims that the caller's header has, unless they say otherwise. */
export const IDENTITIES = `
  ${COLLECT}
  if (claims === undefined) return undefined;
  const { slow, fail, as, ...identity } = claims;
  if (slow) await new Promise((resolve) => setTimeout(resolve, slow));
  if (fail) throw new Error(fail);
  return as !== undefined ? as : identity;`;
