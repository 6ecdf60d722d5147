// The call to the API: its time, its tries, its body. The Wasm keeps what it knows of the request in a slot; the first outcome of
// the call is handed to it, by the slot's number and generation, with the request itself: that is kept here, where the runtime
// lets go of it when the caller has gone.

import { pause, reasonOf } from "./border.js";
import { answerHead, edit, sentToken, urlOf } from "./headers.js";

/** What the Wasm makes of an outcome, and how it is told that a call goes on: its own functions, from the entry. */
let wasm;
export const deliverTo = (functions) => (wasm = functions);

/** The generation of the latest call. */
let latest = 0;
export const latestGeneration = () => latest;

/**
 * Sends a caller's request to the API: its method, its headers with the edits, and its body, which streams past.
 * Resolves to what the Wasm makes of the outcome.
 *
 * The deadline is for the answer's headers, from the end of the request's body on: a long upload is no slow API. The runtime
 * ends the call to the API once the caller has its answer, so no AbortController is needed, which would cost more than all
 * header edits together.
 *
 * It goes `through` a binding if the route has one.
 */
export function send(slot, generation, request, lines, bodiless, cached, milliseconds, retries, through) {
  latest = generation;
  const { promise, resolve, reject } = Promise.withResolvers();
  // What has a body is never sent twice: it may have been read.
  const left = retries > 0 && request.body === null ? retries : 0;
  const began = Date.now();
  const body = bodiless ? null : request.body;
  const call = { over: false, slot, generation, request, lines, body, cached, through, left, tries: 1, began, milliseconds, timer: 0, signal: undefined, resolve, reject };
  try {
    prepare(call);
  } catch (error) {
    fail(call, error); // A throw out of here would end the Wasm's instance, and all other calls with it.
  }
  return promise;
}

/** A body of so many bytes at most is read before the call begins: that costs less than a stream whose end can be seen. */
const SMALL = 8192;

/** Makes the call, and lets its time begin where the request's body ends. */
function prepare(call) {
  const { request, body } = call;
  // A body on GET or HEAD is hardly more than an empty one.
  if (body === null || readsOnly(request)) {
    startTimer(call);
    return attempt(call);
  }
  keepSlot(call);
  const length = request.headers.get("content-length");
  if (length !== null && Number(length) <= SMALL) {
    request.arrayBuffer().then(
      (bytes) => {
        call.body = bytes;
        attempt(call);
        bodyEnded(call);
      },
      () => fail(call, new Error("the request's body broke off")),
    );
    return;
  }
  const { readable, writable } = length === null ? new IdentityTransformStream() : new FixedLengthStream(Number(length));
  const controller = new AbortController();
  [call.body, call.signal] = [readable, controller.signal];
  // If the caller's body breaks off, the API must not take the half for a whole. Closing the stream would say "the end", so the
  // stream stays open and the call is aborted. If the API reads no further, it may still answer.
  body.pipeTo(writable, { preventCancel: true, preventAbort: true }).then(
    () => bodyEnded(call),
    async () => {
      if (!(await hasBroken(body))) return bodyEnded(call);
      if (call.over) return;
      controller.abort();
      fail(call, new Error("the request's body broke off"));
    },
  );
  attempt(call);
}

/** Whether a stream that nobody reads any more has failed by itself. */
async function hasBroken(stream) {
  try {
    await Promise.race([stream.getReader().closed, pause(1)]);
    return false;
  } catch {
    return true;
  }
}

const readsOnly = ({ method }) => method === "GET" || method === "HEAD";

/**
 * How often a call whose body is under way says that it goes on, in milliseconds: less than SPARE_SECONDS in exchange.rs. If the
 * caller goes away, the runtime ends its timers, too.
 */
const GOES_ON = 30_000;

const goesOn = (call) => wasm.goesOn(call.slot, call.generation);

function keepSlot(call) {
  call.timer = setInterval(goesOn, GOES_ON, call);
}

function bodyEnded(call) {
  clearInterval(call.timer);
  if (call.over) return;
  startTimer(call);
  goesOn(call);
}

function startTimer(call) {
  call.timer = setTimeout(end, call.milliseconds, call, late);
}

function attempt(call) {
  try {
    forward(call).then(
      (response) => end(call, answered, response),
      (error) => (mayRetry(call) ? attempt(call) : fail(call, error)),
    );
  } catch (error) {
    fail(call, error); // What cannot be sent at all.
  }
}

const answered = ({ slot, generation, request, lines, tries }, elapsed, response) =>
  wasm.answered(slot, generation, request, response, response.status, answerHead(response, sentToken(lines)), elapsed, tries);

const failed = ({ slot, generation, request, tries }, elapsed, error) => wasm.failed(slot, generation, request, reasonOf(error), elapsed, tries);

const late = ({ slot, generation, request, tries }, elapsed) => wasm.late(slot, generation, request, elapsed, tries);

const fail = (call, error) => end(call, failed, error);

/** Whether there is one more attempt, which is counted then. */
function mayRetry(call) {
  if (call.left === 0 || call.over) return false;
  call.left -= 1;
  call.tries += 1;
  return true;
}

/** The first outcome counts: its slot is empty after that. */
function end(call, outcome, what) {
  if (call.over) return;
  call.over = true;
  clearTimeout(call.timer);
  try {
    call.resolve(outcome(call, Date.now() - call.began, what));
  } catch (error) {
    call.reject(error);
  }
}

/** Redirects are the caller's to follow: followed here, one would carry the credentials to whatever host the API names. */
function forward({ request, lines, body, cached, through, signal }) {
  const headers = edit(new Headers(request.headers), lines);
  const url = urlOf(lines);
  // Cloudflare caches by URL alone: one person's answer must not become another's.
  const cache = cached ? undefined : "no-store";
  // A body on GET or HEAD, were it only an empty one, passes with the request it came with; in an init it is an error.
  const odd = body !== null && readsOnly(request);
  const asked = odd ? new Request(url, request) : url;
  const init = odd ? { headers, redirect: "manual", cache } : { method: request.method, headers, body, redirect: "manual", cache, signal };
  return through === undefined ? fetch(asked, init) : through.fetch(asked, init);
}
