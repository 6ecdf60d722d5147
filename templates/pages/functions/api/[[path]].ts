import relay from "access-relay";

// Cloudflare asks this function for /api and every path below it.
export const onRequest: PagesFunction<Env> = (context) => relay.fetch(context.request, context.env, context);
