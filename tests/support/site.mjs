// A site as a browser meets it: a login in front, the relay at some paths of the page's own host, and an API behind it that
// can also be had without the relay. Pages of other hosts are there, too.
//
// The emulator stands in front of the relay as Access does, with a Bypass policy for the relay's paths: without one it
// answers every preflight 403 by itself, as Access does, and the relay would not be asked. The relay checks the token
// all the same. Hosts below `localhost` are trustworthy to browsers even over http, so that Chromium and Firefox take and send the
// login's cookie (Secure, SameSite=None) and say Sec-Fetch-Site; WebKit takes it by https alone. `localhost` is no registrable
// domain, so that `evil.localhost` and `app.example.localhost` are different sites, not just different origins.

import { startPages } from "./browser.mjs";
import { startEmulator } from "./emulator.mjs";
import { freePort } from "./processes.mjs";
import { startRecorder } from "./recorder.mjs";
import { startTls } from "./tls.mjs";
import { startWitness } from "./witness.mjs";
import { startRelay } from "./workerd.mjs";

/** Leads to the API without the relay. */
export const UNGUARDED = "/unguarded";

/**
 * Starts it all. `routes` has the routes of the relay by their paths, with what they have beside `path` and `upstream`; `script` runs in
 * each page, and `more(site)` are other keys of `RELAY`. With `tls`, browsers get everything by https.
 */
export async function startSite(routes, { tls = false, script, more = () => ({}), bypass = [] } = {}) {
  const [api, pages] = await Promise.all([startRecorder(), startPages({ tls, script })]);
  const paths = [...Object.keys(routes), UNGUARDED];
  const appPort = tls ? await freePort() : 0;
  const front = tls ? await startTls(appPort) : undefined;
  const origin = front && { origin: `https://app.example.localhost:${front.port}`, port: appPort };
  const emulator = await startEmulator({ app: { bypass: [...paths, ...bypass], ...origin } });
  const foreign = { evil: pages.origin("evil.localhost"), sibling: pages.origin("sibling.example.localhost"), allowed: pages.origin("allowed.localhost") };
  const relay = await startRelay({
    relay: {
      access: { issuer: emulator.issuer, audience: [emulator.app_aud] },
      routes: Object.entries(routes).map(([path, keys]) => ({ path, upstream: api.url, ...keys })),
      ...more(foreign),
    },
    tls,
    secrets: { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: "s3cr3t-value" },
  });
  const witness = await startWitness((path) => (path.startsWith(`${UNGUARDED}/`) ? api.port : relay.port), tls ? { "x-forwarded-proto": "https" } : {});
  await emulator.control("/backends", { app: [...[...paths, ...bypass].map((path) => ({ path, to: witness.url })), { path: "/", to: pages.url }] });
  return {
    api,
    pages,
    relay,
    witness,
    emulator,
    own: emulator.app_url,
    /** A page of another site, one of the same site on another host, and one of another site that a policy may allow. */
    ...foreign,
    /** Which requests reached the API: `GET /path`. */
    arrived: () => api.requests.map(({ method, url }) => `${method} ${url}`),
    /** Forgets what came. */
    forget() {
      api.reset();
      witness.requests.length = 0;
    },
    async stop() {
      await front?.stop();
      await Promise.all([relay, emulator, pages, witness, api].map((part) => part.stop()));
    },
  };
}
