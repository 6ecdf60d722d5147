// What the bench measures, and what fails it.

export const [stack, byHand, port, relay, manyRelay] = ["hono-stack", "by-hand", "workers-rs", "access-relay", "access-relay-many"];
/**
 * The relay that has the keys out of Cloudflare's cache, and the one for whose callers the runtime vouches. On one's own machine, a
 * header tells workerd whom it vouches for, and a Worker beside it says who that is. That is no cost of the relay's: so there are two
 * others to compare with, to which workerd does the same, a sample that asks who the caller is, and the relay that goes by tokens.
 */
export const [cachedRelay, platformRelay, platformSample, platformToken] = ["access-relay-cached", "access-relay-platform", "sample-platform", "access-relay-beside"];

/** A work that ends at the caller check. */
const refusedToken = (tokens, title) => ({
  title,
  tokens,
  baseline: stack,
  entrants: { [stack]: [stack, "token-refused"], [relay]: [relay, "token-refused"] },
  bars: { [relay]: 1 },
});

/** A work whose cost is its body: `requests` of them are a slice, and it gets a share of the rounds. */
const bodies = (title, request, requests, share, bar) => ({
  title,
  requests,
  share,
  baseline: "sample",
  entrants: { "pass-through": ["pass-through", request], sample: ["sample", request], [relay]: [relay, request] },
  bars: { [relay]: bar },
});

/** What is measured: entrants, each a peer and a request, and how much of the baseline's CPU time some may take. */
export const WORKS = {
  get: {
    title: "a relayed GET, warm",
    baseline: "sample",
    entrants: { "pass-through": ["pass-through", "get"], sample: ["sample", "get"], [port]: [port, "get"], [byHand]: [byHand, "get"], [relay]: [relay, "get"] },
    bars: { [relay]: 1.4 },
  },
  stack: {
    title: "a relayed GET, warm, beside the same job from libraries",
    baseline: stack,
    entrants: { [stack]: [stack, "get"], [byHand]: [byHand, "get"], [relay]: [relay, "get"] },
    bars: { [relay]: 0.6 },
  },
  platform: {
    title: "a relayed GET, warm, of a caller for whom the runtime vouches",
    baseline: platformToken,
    entrants: { [platformToken]: [platformToken, "get"], [platformRelay]: [platformRelay, "get"] },
    bars: { [platformRelay]: 1.02 },
  },
  cold: {
    title: "a relayed GET with a token never seen",
    tokens: "good",
    baseline: stack,
    entrants: { [stack]: [stack, "get"], [relay]: [relay, "get"] },
    bars: { [relay]: 0.8 },
  },
  forged: refusedToken("forged", "a token with a wrong signature"),
  garbage: refusedToken("garbage", "a text that is no token"),
  unknown: refusedToken("unknown", "a token of a key that the issuer does not have"),
  headers: {
    title: "a relayed GET with 100 headers",
    baseline: "sample",
    entrants: { sample: ["sample", "headers-100"], [relay]: [relay, "headers-100"] },
    bars: {},
  },
  many: {
    title: "a relayed GET of another origin, where 1,000 origins may call and there are 100 routes",
    baseline: "one of each",
    entrants: { "one of each": [relay, "foreign"], "1,000 origins, 100 routes": [manyRelay, "foreign"] },
    bars: { "1,000 origins, 100 routes": 1.05 },
  },
  preflight: {
    title: "an allowed preflight",
    baseline: "hono-cors",
    entrants: { "hono-cors": ["hono-cors", "preflight"], [relay]: [relay, "preflight"] },
    bars: { [relay]: 0.9 },
  },
  refused: {
    title: "a preflight of an origin that is not allowed",
    baseline: "hono-cors",
    entrants: { "hono-cors": ["hono-cors", "refused-204"], [relay]: [relay, "refused"] },
    bars: {},
  },
  hostile: {
    title: "preflights with long headers",
    baseline: "a browser's",
    entrants: {
      "a browser's": [relay, "preflight"],
      ...Object.fromEntries(["headers-1k", "headers-8k", "headers-60k", "commas-60k", "origin-60k"].map((name) => [name, [relay, name]])),
    },
    bars: { "headers-60k": 5, "commas-60k": 5, "origin-60k": 5 },
  },
  "download-1m": bodies("a relayed GET of 1 MiB", "download-1m", 16, 0.5, 1.2),
  "upload-1m": bodies("a relayed PUT of 1 MiB", "upload-1m", 16, 0.5, 1.2),
  "download-100m": bodies("a relayed GET of 100 MiB", "download-100m", 1, 0.2, 1.1),
  "upload-100m": bodies("a relayed PUT of 100 MiB", "upload-100m", 1, 0.2, 1.1),
};

/** How many requests a fresh workerd gets in a short run: many isolates do not live longer. */
export const SHORT_REQUESTS = 500;

/** Who is measured in a short run, and how much of the CPU of the first one each may take. */
export const SHORT_RUN = { [byHand]: undefined, sample: undefined, [stack]: undefined, [relay]: 1.15 };

/** Whose start is measured, beside whose, and how many milliseconds more it may take from the start of workerd to the first answer. */
export const STARTS = [
  { name: platformRelay, beside: platformSample, bar: 12 },
  { name: cachedRelay, beside: "sample", bar: 17 },
  { name: relay, beside: "sample" },
];
