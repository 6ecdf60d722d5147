// The least that a relay can do: hand the request on, and the answer back. No credentials, no checks.

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    url.host = env.API_HOST;
    return fetch(new Request(url, request));
  },
};
