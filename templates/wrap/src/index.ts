import relay from "access-relay";

export default {
  fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (pathname === "/api" || pathname.startsWith("/api/")) return relay.fetch(request, env, ctx);

    // The rest is your own.
    return new Response("Hello from my app.\n");
  },
} satisfies ExportedHandler<Env>;
