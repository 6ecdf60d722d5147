// What most people write for CORS on Workers: Hono and its `cors`, with the relay's policy, and a proxy behind it.

import { Hono } from "hono";
import { cors } from "hono/cors";
import { proxy } from "hono/proxy";
import { policy } from "../traffic-policy.mjs";

const app = new Hono();
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
app.all("/cors/*", (context) => {
  const url = new URL(context.req.url);
  url.host = context.env.API_HOST;
  return proxy(url, context.req.raw);
});

export default app;
