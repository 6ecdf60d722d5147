// Many requests over a few kept connections.

import { Agent, request } from "node:http";

/**
 * Sends what `next()` gives, the headers of a request each, until it gives undefined. Returns how often each status came; a
 * request without an answer counts as `failed`.
 */
export async function sendMany(port, next, { connections = 16, path = "/api/x", method = "GET" } = {}) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const tally = {};
  const connection = async () => {
    for (let headers = next(); headers !== undefined; headers = next()) {
      const status = await statusOf({ host: "127.0.0.1", port, path, method, headers, agent });
      tally[status] = (tally[status] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, connection));
  agent.destroy();
  return tally;
}

function statusOf(options) {
  return new Promise((resolve) => {
    const sent = request(options, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode));
      response.on("error", () => resolve("failed"));
    });
    sent.on("error", () => resolve("failed"));
    sent.end();
  });
}
