// What Cloudflare's documentation publishes for this job ("CORS", with a Worker that sends a service token), written
// anew: it swaps the host, sets the token's two headers, deletes Set-Cookie. It checks nobody.

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    url.host = env.API_HOST;
    const forwarded = new Request(url.toString(), request);
    forwarded.headers.set("cf-access-client-id", env.CF_ACCESS_CLIENT_ID);
    forwarded.headers.set("cf-access-client-secret", env.CF_ACCESS_CLIENT_SECRET);
    try {
      const response = await fetch(forwarded);
      const answer = new Response(response.body, response);
      answer.headers.delete("set-cookie");
      return answer;
    } catch (error) {
      return new Response(JSON.stringify({ error: error.message }), { status: 500 });
    }
  },
};
