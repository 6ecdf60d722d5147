// The load: a fixed number of requests over a fixed number of kept-alive connections, in a process of its own.
//
// Its parent sends `{ port, request, requests, connections }`, where `request` has a method, a path, headers, and the
// status and length of the right answer; `headers` may replace the request's, one set for each. It gets
// `{ seconds, latencies }` (milliseconds, sorted), or `{ error }` at the first wrong answer.

import { Agent, request } from "node:http";
import { Readable } from "node:stream";
import { bytesOf, pieces } from "./traffic.mjs";

const agents = new Map();

process.on("disconnect", () => process.exit());
process.on("SIGINT", () => {}); // The parent ends this process.
process.on("message", async (slice) => {
  try {
    process.send(await run(slice));
  } catch (error) {
    process.send({ error: error.message });
  }
});

async function run({ port, request: { method, path, status, length, ...request }, headers, requests, connections }) {
  if (!agents.has(port)) agents.set(port, new Agent({ keepAlive: true, maxSockets: connections }));
  const options = { host: "127.0.0.1", port, method, path, agent: agents.get(port) };
  const latencies = new Float64Array(requests);
  let next = 0;
  const connection = async () => {
    while (next < requests) {
      const index = next++;
      const started = performance.now();
      await once({ ...options, headers: headers?.[index] ?? request.headers }, { status, length });
      latencies[index] = performance.now() - started;
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: connections }, connection));
  return { seconds: (performance.now() - started) / 1000, latencies: Array.from(latencies.sort()) };
}

function once(options, right) {
  return new Promise((resolve, reject) => {
    const sent = request(options, (response) => {
      let length = 0;
      response.on("data", (chunk) => {
        length += chunk.length;
      });
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode !== right.status) reject(new Error(`answered ${response.statusCode}`));
        else if (right.length !== undefined && length !== right.length) reject(new Error(`answered ${length} bytes, not ${right.length}`));
        else resolve();
      });
    });
    sent.on("error", reject);
    if (options.method === "PUT") Readable.from(pieces(bytesOf(options.path)), { objectMode: false }).pipe(sent);
    else sent.end();
  });
}
