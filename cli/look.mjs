// Looking at addresses from outside: GET and HEAD, without any credential, and no redirect is followed.

import { lookup as systemLookup } from "node:dns";
import http from "node:http";
import https from "node:https";
import { metadataKey, metadataKeys } from "./companion.mjs";
import { version } from "./version.mjs";

const TIMEOUT_MS = 10_000;
const LONGEST_KEYS = 1024 * 1024;

/** What came of each ask, for the companion to judge; `request` and `answer` are the headers for the signed word of Access. */
export function look({ asks, request: wanted, answer: given }) {
  const keys = new Map();
  const keysAt = (url) => {
    if (!keys.has(url)) keys.set(url, textAt(url));
    return keys.get(url);
  };
  return Promise.all(asks.map((ask) => see(ask)));

  async function see({ place, url }) {
    const [told, answer] = await Promise.all([
      request("HEAD", url, { [wanted]: "true" }).catch(() => undefined),
      request("GET", url).catch((error) => ({ failed: reasonOf(error) })),
    ]);
    const token = told?.headers[given];
    return { place, metadata: token === undefined ? null : { token, unproven: (await fault(token, url, keysAt)) ?? null }, answer };
  }
}

/** Why a token of Access about a URL is not its own word; undefined if it is. */
export async function fault(token, url, keysAt) {
  try {
    const { n, e } = metadataKey(token, await keysAt(metadataKeys(token, url)));
    const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("jwk", { kty: "RSA", alg: "RS256", n, e }, algorithm, false, ["verify"]);
    const [signed, signature] = [token.slice(0, token.lastIndexOf(".")), token.slice(token.lastIndexOf(".") + 1)];
    const holds = await crypto.subtle.verify(algorithm.name, key, Buffer.from(signature, "base64url"), Buffer.from(signed));
    return holds ? undefined : "its signature does not hold";
  } catch (error) {
    return reasonOf(error);
  }
}

export async function textAt(url, ask = request) {
  const { status, body } = await ask("GET", url, {}, LONGEST_KEYS);
  if (status !== 200) throw new Error(`${url} answered ${status}`);
  return body;
}

/** A request's status and headers; with `longest`, its body too, of so many bytes at most: a longer one is an error, or is `cut`. */
export function request(method, url, headers = {}, longest = 0, cut = false) {
  return new Promise((resolve, reject) => {
    const { request: ask } = url.startsWith("https:") ? https : http;
    const options = { method, headers: { accept: "*/*", "user-agent": `access-relay/${version}`, ...headers }, lookup, signal: AbortSignal.timeout(TIMEOUT_MS) };
    const sent = ask(url, options, (answer) => {
      const { statusCode: status, headers } = answer;
      // A cookie of somebody's server is nobody's business here.
      delete headers["set-cookie"];
      if (longest === 0) {
        answer.destroy();
        return resolve({ status, headers });
      }
      const chunks = [];
      let length = 0;
      answer.on("data", (chunk) => {
        length += chunk.length;
        chunks.push(chunk);
        if (length > longest && cut) {
          resolve({ status, headers, body: Buffer.concat(chunks).subarray(0, longest).toString("utf8") });
          answer.destroy();
        } else if (length > longest) sent.destroy(new Error(`${url} answered more than ${longest} bytes`));
      });
      answer.on("end", () => resolve({ status, headers, body: Buffer.concat(chunks).toString("utf8") }));
      answer.on("error", reject);
    });
    // What nobody asked for.
    sent.on("upgrade", (answer, socket) => {
      socket.destroy();
      resolve({ status: answer.statusCode, headers: {} });
    });
    sent.on("error", reject);
    sent.on("close", () => reject(new Error("the connection was closed")));
    sent.end();
  });
}

/** As browsers have it, and RFC 6761 §6.3: every name below `localhost` is this machine. */
const lookup = (name, options, done) => {
  if (!name.endsWith(".localhost")) return systemLookup(name, options, done);
  return options.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);
};

const REASONS = {
  ENOTFOUND: "its name does not resolve",
  EAI_AGAIN: "its name cannot be resolved now",
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "the connection was closed",
  EPROTO: "it does not speak TLS; is it http://?",
  ABORT_ERR: `no answer within ${TIMEOUT_MS / 1000} seconds`,
};

export const reasonOf = (error) => REASONS[error.code] ?? error.message;
