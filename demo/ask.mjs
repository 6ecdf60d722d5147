// What the page "Why was I blocked?" needs of the demo's server: the relay's real answer to a preflight.
//
// A browser lets no page choose its Origin, so this server asks in its place. It sends preflights only, which the relay
// answers by itself: the API never sees one.

import { request as send } from "node:http";

const TIMEOUT_MS = 10_000;
const MOST_HEADERS = 30;
const FIELDS = ["origin", "method", "path", "headers"];
const TOKEN = /^[\w!#$%&'*+.^`|~-]{1,64}$/;
const ORIGIN = /^[\x21-\x7e]{1,320}$/;
// Plain segments below /api. None is a dot segment, so that the path says what is asked.
const PATH = /^\/api(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)*\/?$/;
const LONGEST_PATH = 200;

/** A question that is not one; its message says what was expected. */
export class BadQuestion extends Error {}

/** Reads a question: an origin, a method, a path below /api and the names of headers. */
export function readQuestion(text) {
  const question = parseJson(text);
  const isObject = question !== null && typeof question === "object" && !Array.isArray(question);
  if (!isObject || Object.keys(question).sort().join() !== [...FIELDS].sort().join()) {
    throw new BadQuestion(`expected a JSON object with ${FIELDS.join(", ")}`);
  }
  const { origin, method, path, headers } = question;
  if (!matches(ORIGIN, origin)) throw new BadQuestion("origin: expected up to 320 visible characters");
  if (!matches(TOKEN, method)) throw new BadQuestion("method: expected a method's name, such as PUT");
  if (!matches(PATH, path) || path.length > LONGEST_PATH) {
    throw new BadQuestion(`path: expected /api or a plain path below it, of up to ${LONGEST_PATH} characters`);
  }
  if (!Array.isArray(headers) || headers.length > MOST_HEADERS || !headers.every((name) => matches(TOKEN, name))) {
    throw new BadQuestion(`headers: expected up to ${MOST_HEADERS} names, such as content-type`);
  }
  return { origin, method, path, headers };
}

/** Sends the preflight straight to the relay: in front of it, Access would answer 403 by itself. */
export function askRelay(relay, host, { origin, method, path, headers }) {
  const asked = { Host: host, Origin: origin, "Access-Control-Request-Method": method };
  if (headers.length > 0) asked["Access-Control-Request-Headers"] = headers.join(",");
  return new Promise((resolve, reject) => {
    const options = { method: "OPTIONS", path, headers: asked, agent: false, signal: AbortSignal.timeout(TIMEOUT_MS) };
    const request = send(relay, options, (response) => {
      response.on("error", () => {}); // The status and the headers are all that is wanted, and they are here.
      resolve({ status: response.statusCode, reason: response.statusMessage, headers: pairs(response.rawHeaders) });
      response.destroy();
    });
    request.on("error", reject);
    request.end();
  });
}

/** Headers as they were sent, by name and value. */
function pairs(raw) {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1]]] : []));
}

function matches(pattern, value) {
  return typeof value === "string" && pattern.test(value);
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
