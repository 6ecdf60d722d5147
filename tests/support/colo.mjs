// What stands for Cloudflare's cache in one of its places: every call of a Worker's passes here, and tells in `cf-blob` what it asks of
// the cache (workerd's `cfBlobHeader`).

import { createServer } from "node:http";

/** Starts it. `asked` has what each call said: its URL, and what it asked of the cache; `later(seconds)` lets time pass. */
export async function startColo() {
  const kept = new Map();
  const asked = [];
  let ahead = 0;
  const now = () => Date.now() / 1000 + ahead;
  const server = createServer(async (request, response) => {
    const url = `http://${request.headers.host}${request.url}`;
    const cf = JSON.parse(request.headers["cf-blob"] ?? "{}");
    asked.push({ url, cf });
    const found = cf.cacheEverything ? kept.get(url) : undefined;
    if (found && found.until > now()) return found.send(response, "HIT");
    const { "cf-blob": _, host: __, connection: ___, ...headers } = request.headers;
    try {
      const answer = await fetch(url, { method: request.method, headers, redirect: "manual" });
      const body = Buffer.from(await answer.arrayBuffer());
      const send = (response, status) => response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "text/plain", "cf-cache-status": status }).end(body);
      const seconds = secondsFor(cf.cacheTtlByStatus, answer.status);
      if (cf.cacheEverything && seconds > 0) kept.set(url, { until: now() + seconds, send });
      send(response, cf.cacheEverything ? "MISS" : "BYPASS");
    } catch {
      response.destroy();
    }
  });
  await new Promise((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  return {
    address: `127.0.0.1:${server.address().port}`,
    asked,
    later: (seconds) => (ahead += seconds),
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** How long an answer of this status is kept, as Cloudflare has it (Workers, "cf", `cacheTtlByStatus`). */
function secondsFor(byStatus, status) {
  for (const [range, seconds] of Object.entries(byStatus ?? {})) {
    const [from, to = from] = range.split("-").map(Number);
    if (from <= status && status <= to) return seconds;
  }
  return 0;
}
