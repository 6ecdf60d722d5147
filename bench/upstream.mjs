// The API behind the peers, and the issuer of the token: a process of its own with fixed answers, and files of any
// length. If a Worker's calls tell what they ask of Cloudflare's cache, it stands for that cache, too, and has the keys; else the
// issuer is as far away as another continent.
//
// Its parent sends `{ certs }` to start it and "seen" to ask for what it has got so far.

import { createServer } from "node:http";
import { Readable } from "node:stream";
import { setTimeout as later } from "node:timers/promises";
import { body, bytesOf, pieces, responseHeaders } from "./traffic.mjs";

/** How far away the issuer is, there and back, in milliseconds. */
const DISTANCE = 50;

const seen = { headers: undefined, certs: 0 };
let certs = "";

const server = createServer({ keepAliveTimeout: 60_000 }, async (request, response) => {
  if (request.url === "/cdn-cgi/access/certs") {
    seen.certs += 1;
    const { cacheEverything } = JSON.parse(request.headers["cf-blob"] ?? "{}");
    if (!cacheEverything) await later(DISTANCE);
    response.writeHead(200, { "content-type": "application/json" }).end(certs);
    return;
  }
  seen.headers = request.headers;
  const bytes = bytesOf(request.url);
  if (request.method === "GET" && bytes > 0) {
    response.writeHead(200, { "content-type": "application/octet-stream", "content-length": bytes });
    Readable.from(pieces(bytes), { objectMode: false }).pipe(response);
    return;
  }
  let got = 0;
  if (request.method === "PUT") for await (const chunk of request) got += chunk.length;
  // Nothing but all of it is right.
  response.writeHead(got === bytes ? 200 : 400, responseHeaders);
  response.end(body);
});

process.on("disconnect", () => process.exit());
process.on("SIGINT", () => {}); // The parent ends this process.
process.on("message", (message) => {
  if (message === "seen") {
    process.send(seen);
    return;
  }
  certs = message.certs;
  server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
});
