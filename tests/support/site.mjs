// A site as a browser meets it: a login in front, the relay at some paths of the page's own host, and an API behind it that
// can also be had without the relay. Pages of other hosts are there, too.
//
// tests/browser/cross-origin.test.mjs says why the hosts are what they are.

import { startPages } from "./browser.mjs";
import { startEmulator } from "./emulator.mjs";
import { startRecorder } from "./recorder.mjs";
import { startWitness } from "./witness.mjs";
import { startRelay } from "./workerd.mjs";

/** Leads to the API without the relay. */
export const UNGUARDED = "/unguarded";

/** Starts it all. `routes` has the routes of the relay by their paths, with what they have beside `path` and `upstream`. */
export async function startSite(routes) {
  const [api, pages] = await Promise.all([startRecorder(), startPages()]);
  const paths = [...Object.keys(routes), UNGUARDED];
  const emulator = await startEmulator({ app: { bypass: paths } });
  const relay = await startRelay({
    relay: {
      access: { issuer: emulator.issuer, audience: [emulator.app_aud] },
      routes: Object.entries(routes).map(([path, keys]) => ({ path, upstream: api.url, ...keys })),
    },
    secrets: { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: "s3cr3t-value" },
  });
  const witness = await startWitness((path) => (path.startsWith(`${UNGUARDED}/`) ? api.port : relay.port));
  await emulator.control("/backends", { app: [...paths.map((path) => ({ path, to: witness.url })), { path: "/", to: pages.url }] });
  return {
    api,
    pages,
    relay,
    witness,
    emulator,
    own: emulator.app_url,
    /** A page of another site, and one of the same site on another host. */
    evil: pages.origin("evil.localhost"),
    sibling: pages.origin("sibling.example.localhost"),
    /** Which requests reached the API: `GET /path`. */
    arrived: () => api.requests.map(({ method, url }) => `${method} ${url}`),
    /** Forgets what came. */
    forget() {
      api.reset();
      witness.requests.length = 0;
    },
    stop: () => Promise.all([relay, emulator, pages, witness, api].map((part) => part.stop())),
  };
}
