// What a careful person builds from libraries for the relay's job: Hono with its `cors` and `csrf`, @hono/cloudflare-access,
// and its proxy helper, as their documentation shows them. Nothing of the caller's that Access or the relay is to say goes
// on, the API is told who calls, from where, and in which trace, no redirect is followed, no answer is cached by URL, a
// deadline runs, and no cookie comes back.

import { cloudflareAccess } from "@hono/cloudflare-access";
import { Hono } from "hono";
import { cors } from "hono/cors";
import { csrf } from "hono/csrf";
import { proxy } from "hono/proxy";
import { newTrace } from "../new-trace.mjs";
import { foreign, policy } from "../traffic-policy.mjs";

// The library takes the name of a team, never an address: its certs are fetched from the bench's issuer instead.
const outside = globalThis.fetch;
let [published, certs, checkAccess] = [];
globalThis.fetch = (resource, init) => outside(resource === published ? certs : resource, init);

const app = new Hono();
app.use("/api/*", cors({ origin: foreign.allowed_origins, credentials: foreign.allow_credentials }));
app.use(
  "/cors/*",
  cors({
    origin: policy.allowed_origins,
    allowMethods: policy.allowed_methods,
    allowHeaders: policy.allowed_headers,
    credentials: policy.allow_credentials,
    maxAge: policy.max_age,
  }),
);
app.use(csrf());
app.use((context, next) => {
  const { TEAM, AUDIENCE, API_HOST } = context.env;
  published ??= `https://${TEAM}.cloudflareaccess.com/cdn-cgi/access/certs`;
  certs ??= `http://${API_HOST}/cdn-cgi/access/certs`;
  checkAccess ??= cloudflareAccess(TEAM, AUDIENCE);
  return checkAccess(context, next);
});

/** What is not the caller's to say. */
const dropped = /^(cookie$|forwarded$|cf[-_]access[-_]|x[-_]forwarded[-_])/;

app.all("*", async (context) => {
  const url = new URL(context.req.url);
  const from = { host: url.host, protocol: url.protocol.slice(0, -1) };
  url.protocol = "http:";
  url.host = context.env.API_HOST;
  const headers = Object.entries(context.req.header()).filter(([name]) => !dropped.test(name));
  const answer = await proxy(url, {
    ...context.req,
    redirect: "manual",
    cache: "no-store",
    signal: AbortSignal.timeout(30_000),
    headers: {
      ...Object.fromEntries(headers),
      "cf-access-client-id": context.env.CF_ACCESS_CLIENT_ID,
      "cf-access-client-secret": context.env.CF_ACCESS_CLIENT_SECRET,
      traceparent: context.req.header("traceparent") ?? newTrace(),
      "x-forwarded-email": context.get("accessPayload").email,
      "x-forwarded-for": context.req.header("cf-connecting-ip"),
      "x-forwarded-host": from.host,
      "x-forwarded-proto": from.protocol,
      "x-forwarded-user": context.get("accessPayload").sub,
    },
  });
  answer.headers.delete("set-cookie");
  return answer;
});

export default app;
