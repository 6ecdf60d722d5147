// The Workers that are compared: what each consists of, and whether it does its job.

import { readFileSync } from "node:fs";
import { request } from "node:http";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { bin, cargoBin, installCargoTool, root, run, say } from "../scripts/tools.mjs";
import { audience } from "../tests/support/issuer.mjs";
import { asked, prepareWorkerd } from "./processes.mjs";
import { foreign, policy } from "./traffic-policy.mjs";
import { blobHeader, body, clientId, clientSecret, email, path } from "./traffic.mjs";
import { byHand, cachedRelay, manyRelay, platformRelay, platformSample, platformToken, port, relay, stack } from "./works.mjs";

/** The team whose name one of the peers takes in place of the issuer's address. */
const TEAM = "acme";

const compatibilityDate = readFileSync(join(root, "wrangler.toml"), "utf8").match(/^compatibility_date = "(.+)"/m)[1];
const secrets = { CF_ACCESS_CLIENT_ID: clientId, CF_ACCESS_CLIENT_SECRET: clientSecret };

/**
 * Makes the peers ready to start, in `folder`: each with its name, its compiled configuration, the issuer whose tokens it
 * takes, whether it is a relay, and whether the runtime vouches for its callers (`platform`). `also` are folders with other builds of the relay.
 */
export async function preparePeers({ apiPort, folder, also }) {
  const api = `http://127.0.0.1:${apiPort}`;
  const script = (name) => {
    const bundled = join(folder, `${name}.mjs`);
    const source = fileURLToPath(new URL(`peers/${name}.mjs`, import.meta.url));
    run("esbuild", [source, "--bundle", "--minify", "--format=esm", `--outfile=${bundled}`, "--log-level=warning"]);
    return [{ from: bundled, to: "index.js" }];
  };
  const built = (from) => ["index.js", "index_bg.wasm"].map((file) => ({ from: join(from, file), to: file }));

  // The same process by another name: a relay takes no upstream that is the issuer.
  const issuer = `http://localhost:${apiPort}`;
  const access = { issuer, audience: [audience] };
  const [served, preflighted] = [{ path: "/api", upstream: api, cors: foreign }, { path: "/cors", upstream: api, cors: policy }];
  const one = { access, routes: [served, preflighted] };
  // As deep as the one that is asked for, so that all are looked at.
  const others = Array.from({ length: 98 }, (_, number) => ({ path: `/ap${number}`, upstream: api }));
  const strangers = Array.from({ length: 999 }, (_, number) => `https://page-${number}.example.com`);
  const allowed = { ...foreign, allowed_origins: [...strangers, ...foreign.allowed_origins] };
  const many = { access, routes: [...others, { ...served, cors: allowed }, preflighted] };

  const theirs = { API_HOST: `127.0.0.1:${apiPort}`, TEAM, AUDIENCE: audience };
  const modules = {
    ...Object.fromEntries(["pass-through", "sample", stack, byHand].map((name) => [name, script(name)])),
    [port]: built(await buildPort()),
  };
  const ours = built(join(root, "build"));
  const prepared = (peer, modules, variables) => {
    const bindings = { ...variables, ...secrets };
    const place = join(folder, peer.name.replace(/\W+/g, "-"));
    return { ...peer, ...prepareWorkerd({ folder: place, modules, bindings, compatibilityDate, cache: peer.cache, platform: peer.platform }) };
  };
  return [
    ...Object.entries(modules).map(([name, modules]) => prepared({ name, issuer: `https://${TEAM}.cloudflareaccess.com` }, modules, theirs)),
    prepared({ name: relay, relays: true, issuer }, ours, { RELAY: one }),
    prepared({ name: cachedRelay, relays: true, cache: `127.0.0.1:${apiPort}`, issuer }, ours, { RELAY: one }),
    prepared({ name: platformRelay, relays: true, platform: true, issuer }, ours, { RELAY: { ...one, access: { platform: true } } }),
    prepared({ name: platformToken, relays: true, platform: true, issuer }, ours, { RELAY: one }),
    prepared({ name: platformSample, platform: true, issuer }, script(platformSample), theirs),
    prepared({ name: manyRelay, relays: true, issuer }, ours, { RELAY: many }),
    ...also.map((other) => prepared({ name: other, relays: true, issuer }, built(resolve(other)), { RELAY: one })),
  ];
}

/** Builds the port to workers-rs as its own tool does it by default. Returns the folder with the result. */
async function buildPort() {
  const folder = fileURLToPath(new URL("peers/workers-rs", import.meta.url));
  await installCargoTool("worker-build");
  say("building the port to workers-rs");
  // What it would download.
  const tools = { WASM_BINDGEN_BIN: join(cargoBin, "wasm-bindgen"), WASM_OPT_BIN: join(bin, "wasm-opt"), ESBUILD_BIN: join(bin, "esbuild") };
  run("worker-build", ["--release"], { cwd: folder, variables: tools });
  return join(folder, "build");
}

/** One request by hand: no peer is measured while it fails, or while it does less than it should. */
export async function checkJob(peer, upstream) {
  const { headers } = peer.requests.get;
  const wrong = (what) => new Error(`${peer.name}: ${what}\n${peer.said()}`);
  const answer = await get(peer.port, headers);
  if (answer.status !== 200 || answer.length !== body.length) throw wrong(`answered ${answer.status}, ${answer.length} bytes`);
  if (peer.name === "pass-through") return;

  const { headers: arrived, certs } = await asked(upstream, "seen");
  if (arrived["cf-access-client-id"] !== clientId || arrived["cf-access-client-secret"] !== clientSecret) {
    throw wrong("the API did not get the service token");
  }
  if (answer.headers["set-cookie"]) throw wrong("a Set-Cookie came back");
  if (!peer.relays && ![stack, byHand].includes(peer.name)) return;

  for (const name of ["cookie", "cf-access-jwt-assertion", blobHeader.toLowerCase()]) if (arrived[name]) throw wrong(`the API got the caller's ${name}`);
  const told = { "x-forwarded-email": email, "x-forwarded-for": headers["CF-Connecting-IP"], "x-forwarded-host": headers.Host, "x-forwarded-proto": "http" };
  for (const [name, value] of Object.entries(told)) if (arrived[name] !== value) throw wrong(`the API was told ${name}: ${arrived[name]}`);
  for (const name of ["x-forwarded-user", "traceparent"]) if (!arrived[name]) throw wrong(`the API was not told ${name}`);
  if (certs === 0) throw wrong("the signing keys were never fetched");
  const { "Cf-Access-Jwt-Assertion": token, Cookie, [blobHeader]: _, ...others } = headers;
  const forged = `${token.slice(0, -6)}AAAAAA`;
  for (const strangers of [others, { ...others, "Cf-Access-Jwt-Assertion": forged }]) {
    const refused = await get(peer.port, strangers);
    if (refused.status !== 401) throw wrong(`answered ${refused.status} to a caller without a valid token`);
  }
}

/** One GET on a connection of its own. */
export function get(port, headers) {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, headers, agent: false }, async (response) => {
      let length = 0;
      for await (const chunk of response) length += chunk.length;
      resolve({ status: response.statusCode, headers: response.headers, length });
    });
    sent.on("error", reject);
    sent.end();
  });
}
