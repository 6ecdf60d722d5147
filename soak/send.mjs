// Sends one request of the mixed traffic, and says what became of it.

import { createHash } from "node:crypto";
import { request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

/** Longer than every deadline of the relays. */
const PATIENCE = 20_000;

/**
 * What became of one request, in a word or two; anything odd says what it is. A body goes whole, or in so many `pieces` without a
 * length, with a `pause` after each. Who `breaksOff` ends the connection in the middle of it, and who `leavesAfter` some
 * milliseconds does without an answer.
 */
export function send({ agent, port, nonce, ...call }) {
  const { method = "GET", path = "/api/notes", headers = {}, body = Buffer.alloc(0), pieces, breaksOff, leavesAfter } = call;
  const all = { "x-nonce": nonce, ...(body.length > 0 && pieces === undefined ? { "content-length": body.length } : {}), ...headers };
  return new Promise((resolve) => {
    const sent = request({ host: "127.0.0.1", port, agent, method, path, headers: all }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
      response.on("error", () => resolve("broken"));
      response.on("end", () => resolve(outcomeOf(response, text, { ...call, nonce, body })));
    });
    sent.on("error", (error) => resolve(`failed: ${error.code}`));
    const timer = setTimeout(() => {
      resolve("nothing in time");
      sent.destroy();
    }, PATIENCE);
    sent.on("close", () => clearTimeout(timer));
    const leave = () => {
      resolve("left");
      sent.destroy();
    };
    if (breaksOff) return void sendPieces(sent, body.subarray(0, Math.ceil(body.length / 2)), pieces ?? 1, 5).then(leave);
    if (leavesAfter !== undefined) setTimeout(leave, leavesAfter);
    if (pieces === undefined) sent.end(body);
    else sendPieces(sent, body, pieces, call.pause ?? 0).then(() => sent.end());
  });
}

async function sendPieces(sent, body, pieces, milliseconds) {
  const size = Math.ceil(body.length / pieces);
  for (let from = 0; from < body.length; from += size) {
    await new Promise((resolve) => sent.write(body.subarray(from, from + size), resolve));
    if (milliseconds > 0) await pause(milliseconds);
  }
}

function outcomeOf({ statusCode, headers, complete }, text, { nonce, body, caller, path = "", hasToken = false }) {
  if (!complete) return "broken";
  if (headers["set-cookie"]) return "a cookie came back";
  if (statusCode === 204) return "204";
  const answer = parsed(text);
  if (answer === undefined) return `${statusCode} without JSON`;
  if (headers["content-type"] === "application/problem+json") return `${statusCode} ${answer.code}`;
  if (statusCode === 403) return "403";
  if (answer.nonce !== nonce) return "somebody else's answer";
  if (answer.digest !== createHash("sha256").update(body).digest("hex")) return "another body reached the API";
  const told = [caller?.user, caller?.email, caller?.groups].map((text) => text ?? null);
  if (String(answer.caller) !== String(told)) return `the API was told ${answer.caller}, not ${told}`;
  if (answer.url === undefined) return String(statusCode);
  const wanted = hasToken ? "cf-access-client-id,cf-access-client-secret" : "";
  if (String(answer.credentials) !== wanted) return `the bound Worker got ${answer.credentials}, not ${wanted || "no credentials"}`;
  return answer.url === `http://api.internal${path}` ? String(statusCode) : `the bound Worker was asked for ${answer.url}`;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
