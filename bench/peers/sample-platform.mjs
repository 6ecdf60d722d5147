// The sample for a Worker that Access protects: it lets in whom the runtime vouches for, asks who that is, and tells the API.

export default {
  async fetch(request, env, ctx) {
    if (ctx.access === undefined) return new Response("Not logged in", { status: 401 });
    const url = new URL(request.url);
    url.host = env.API_HOST;
    const forwarded = new Request(url.toString(), request);
    forwarded.headers.set("cf-access-client-id", env.CF_ACCESS_CLIENT_ID);
    forwarded.headers.set("cf-access-client-secret", env.CF_ACCESS_CLIENT_SECRET);
    const identity = await ctx.access.getIdentity();
    if (identity?.email) forwarded.headers.set("x-forwarded-email", identity.email);
    const response = await fetch(forwarded);
    const answer = new Response(response.body, response);
    answer.headers.delete("set-cookie");
    return answer;
  },
};
