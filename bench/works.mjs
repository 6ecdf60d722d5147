// What the bench measures: for each work its entrants, each a Worker and a request, and the rows of the table, each a comparison of two.

export const [stack, byHand, port, relay, manyRelay] = ["hono-stack", "by-hand", "workers-rs", "access-relay", "access-relay-many"];
/**
 * The relay that has the keys out of Cloudflare's cache, and the one for whose callers the runtime vouches. On one's own machine, a
 * header tells workerd whom it vouches for, and a Worker beside it says who that is. That is no cost of the relay's: so there are two
 * others to compare with, to which workerd does the same, a sample that asks who the caller is, and the relay that goes by tokens.
 */
export const [cachedRelay, platformRelay, platformSample, platformToken] = ["access-relay-cached", "access-relay-platform", "sample-platform", "access-relay-beside"];

/** How many requests a fresh workerd gets as a young one: many isolates do not live longer. */
export const YOUNG_REQUESTS = 500;

/** A work in which the relay and others get the same request; a row for each of them. */
const same = (request, others) => ({
  entrants: Object.fromEntries([relay, ...others].map((name) => [name, [name, request]])),
  rows: others.map((other) => [relay, other]),
});

/** A work that ends at the caller check, with tokens that no request has carried before. */
const refusedToken = (tokens, others) => ({ tokens, ...same("token-refused", others) });

/** A work whose cost is its body: the code around it hardly matters, so that it needs less of a warm-up, and fewer requests. */
const bodies = (request, requests) => ({ ...same(request, ["sample"]), requests, warmUp: requests });

const hostile = ["headers-1k", "headers-8k", "headers-60k", "commas-60k", "origin-60k"];

/**
 * The works. `kind` says how one is measured: a `warm` Worker (if nothing else is said), a `young` one, its `start`, or its
 * `instructions`. It takes about so many `seconds`; a slice has so many `requests`. Those with `all` are measured only with `--all`.
 */
export const WORKS = {
  get: { title: "a relayed GET", seconds: 65, ...same("get", ["sample", port, byHand, stack]) },
  young: { title: `the first ${YOUNG_REQUESTS} GETs of an isolate`, kind: "young", seconds: 45, ...same("get", ["sample", port, byHand, stack]) },
  start: {
    title: "the first answer",
    kind: "start",
    seconds: 25,
    entrants: Object.fromEntries([relay, cachedRelay, platformRelay, byHand, stack, "sample", port, platformSample].map((name) => [name, [name, "get"]])),
    rows: [[platformRelay, platformSample], [cachedRelay, "sample"], [cachedRelay, port], [relay, byHand], [relay, stack]],
  },
  preflight: { title: "an allowed preflight", seconds: 16, requests: 400, ...same("preflight", [stack]) },
  forged: { title: "a token with a wrong signature", seconds: 20, ...refusedToken("forged", [byHand, stack]) },
  "download-1m": { title: "a GET of 1 MiB", seconds: 14, ...bodies("download-1m", 16) },
  "upload-1m": { title: "a PUT of 1 MiB", seconds: 14, ...bodies("upload-1m", 16) },
  instructions: { title: `instructions of a start and the first ${YOUNG_REQUESTS} GETs`, kind: "instructions", seconds: 40, ...same("get", ["sample", byHand]) },

  cold: { all: true, title: "a relayed GET with a token never seen", seconds: 20, tokens: "good", ...same("get", [stack]) },
  platform: {
    all: true,
    title: "a relayed GET by the runtime's word",
    seconds: 20,
    entrants: { [platformToken]: [platformToken, "get"], [platformRelay]: [platformRelay, "get"] },
    rows: [[platformRelay, platformToken]],
  },
  garbage: { all: true, title: "a text that is no token", seconds: 20, ...refusedToken("garbage", [stack]) },
  unknown: { all: true, title: "a token of an unknown key", seconds: 20, ...refusedToken("unknown", [stack]) },
  headers: { all: true, title: "a relayed GET with 100 headers", seconds: 20, ...same("headers-100", ["sample"]) },
  many: {
    all: true,
    title: "a GET of another origin",
    seconds: 20,
    entrants: { "one of each": [relay, "foreign"], "1,000 origins, 100 routes": [manyRelay, "foreign"] },
    rows: [["1,000 origins, 100 routes", "one of each"]],
  },
  refused: {
    all: true,
    title: "a preflight of an origin that may not",
    seconds: 20,
    requests: 400,
    entrants: { [relay]: [relay, "refused"], [stack]: [stack, "refused-204"] },
    rows: [[relay, stack]],
  },
  hostile: {
    all: true,
    title: "a preflight with long headers",
    seconds: 20,
    entrants: Object.fromEntries([["a browser's", [relay, "preflight"]], ...hostile.map((name) => [name, [relay, name]])]),
    rows: hostile.map((name) => [name, "a browser's"]),
  },
  "download-100m": { all: true, title: "a GET of 100 MiB", seconds: 20, ...bodies("download-100m", 1) },
  "upload-100m": { all: true, title: "a PUT of 100 MiB", seconds: 20, ...bodies("upload-100m", 1) },
  latency: { all: true, title: "latency", kind: "latency", seconds: 80, entrants: { [relay]: [relay, "get"], "pass-through": ["pass-through", "get"] }, rows: [] },
};
