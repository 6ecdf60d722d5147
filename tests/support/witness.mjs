// A witness in front of what a test asks about: what a browser sent, with which headers, and what became of it.

import { createServer, request as send } from "node:http";

/** Starts it. `leadTo(path)` is the port of the server that a path leads to, which gets headers `besides`; `requests` holds what came, in order. */
export async function startWitness(leadTo, besides = {}) {
  const witness = { requests: [] };
  const server = createServer((request, response) => {
    const { method, url, headers } = request;
    const seen = { method, url, headers, status: undefined };
    witness.requests.push(seen);
    const onwards = send({ host: "127.0.0.1", port: leadTo(url), path: url, method, headers: { ...headers, ...besides } }, (answer) => {
      seen.status = answer.statusCode;
      response.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(response);
    });
    for (const side of [request, response, onwards]) side.on("error", () => response.destroy());
    request.pipe(onwards);
  });
  server.on("upgrade", (request, socket) => {
    const { method, url, headers } = request;
    const seen = { method, url, headers, status: undefined };
    witness.requests.push(seen);
    const onwards = send({ host: "127.0.0.1", port: leadTo(url), path: url, method, headers: { ...headers, ...besides } });
    const head = ({ statusCode, statusMessage, rawHeaders }) => {
      seen.status = statusCode;
      const lines = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${rawHeaders[at + 1]}`] : []));
      socket.write([`HTTP/1.1 ${statusCode} ${statusMessage}`, ...lines, "", ""].join("\r\n"));
    };
    onwards.on("upgrade", (answer, other, first) => {
      head(answer);
      socket.write(first);
      for (const [one, next] of [[socket, other], [other, socket]]) one.pipe(next).on("error", () => one.destroy());
    });
    onwards.on("response", (answer) => (head(answer), answer.pipe(socket)));
    for (const side of [socket, onwards]) side.on("error", () => socket.destroy());
    onwards.end();
  });
  await new Promise((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  witness.url = `http://127.0.0.1:${server.address().port}`;
  /** The answered requests for a path, with whatever query, once there are so many of them. */
  witness.seen = async (path, count = 1) => {
    for (let tries = 0; ; tries++) {
      const seen = witness.requests.filter(({ url, status }) => url.split("?")[0] === path && status !== undefined);
      if (seen.length >= count || tries > 150) return seen;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  witness.stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return witness;
}
