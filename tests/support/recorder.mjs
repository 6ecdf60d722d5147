// An API that records what it gets, and answers what a test tells it to.

import { createServer } from "node:http";

/** Starts it. `answer(request, response, body)` may be replaced at any time; `requests` holds what came. */
export async function startRecorder() {
  const recorder = { requests: [], answer: ok };
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("error", () => {});
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      recorder.requests.push({ method: request.method, url: request.url, headers: request.headers, raw: request.rawHeaders, body });
      recorder.answer(request, response, body);
    });
  });
  // An upgrade is recorded, and echoed byte by byte.
  server.on("upgrade", (request, socket) => {
    recorder.requests.push({ method: request.method, url: request.url, headers: request.headers, raw: request.rawHeaders });
    recorder.upgrade?.(request, socket);
  });
  await new Promise((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  recorder.port = server.address().port;
  recorder.url = `http://127.0.0.1:${recorder.port}`;
  recorder.reset = () => {
    recorder.requests.length = 0;
    recorder.answer = ok;
  };
  recorder.stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return recorder;
}

function ok(request, response) {
  response.writeHead(200, { "content-type": "text/plain" });
  response.end("hello");
}
