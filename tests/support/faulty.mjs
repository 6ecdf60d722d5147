// An API that fails, byte for byte: what it does stands in the path.

import { createServer } from "node:net";

const head = (status, ...headers) => [`HTTP/1.1 ${status} X`, ...headers, "", ""].join("\r\n");
const whole = (status, ...headers) => head(status, "Content-Length: 2", ...headers) + "ok";

/** What happens to a connection on which a request has arrived, by the last part of its path. */
const deeds = {
  reset: (socket) => socket.resetAndDestroy(),
  close: (socket) => socket.end(),
  "half-a-status-line": (socket) => socket.end("HTTP/1.1 2"),
  "half-a-head": (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Type: text/pl"),
  garbage: (socket) => socket.end("\x16\x03\x01 this is no HTTP\r\n\r\n"),
  silence: () => {},
  "half-a-body": (socket) => {
    socket.write(`${head(200, "Content-Length: 1000")}half`);
    setTimeout(() => socket.resetAndDestroy(), 50);
  },
  "half-a-chunked-body": (socket) => {
    socket.write(`${head(200, "Transfer-Encoding: chunked")}4\r\nhalf\r\n`);
    setTimeout(() => socket.destroy(), 50);
  },
  login: (socket) => socket.end(whole(302, "Location: https://acme.cloudflareaccess.com/cdn-cgi/access/login/api.example.com?kid=x")),
  challenge: (socket) => socket.end(whole(401, 'WWW-Authenticate: Cloudflare-Access resource_metadata="x"')),
  "challenged-redirect": (socket) => socket.end(whole(302, "Location: https://acme.cloudflareaccess.com/cdn-cgi/access/login/x", "WWW-Authenticate: Cloudflare-Access")),
  "403-aud": (socket) => socket.end(whole(403, "Cf-Access-Aud: x")),
  "401-error": (socket) => socket.end(whole(401, "Cf-Access-Error: x")),
  "own-401": (socket) => socket.end(whole(401, "WWW-Authenticate: Bearer")),
  "own-403": (socket) => socket.end(whole(403)),
  "own-302": (socket) => socket.end(whole(302, "Location: https://idp.example/login")),
  "own-500": (socket) => socket.end(whole(500)),
  "own-503": (socket) => socket.end(whole(503, "Retry-After: 1")),
};

/** Starts it. `calls` counts the requests by their whole path. */
export async function startFaulty() {
  const sockets = new Set();
  const faulty = { calls: {}, deeds: Object.keys(deeds) };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    let seen = "";
    socket.setEncoding("latin1").on("data", (text) => {
      const before = seen.includes("\r\n\r\n");
      seen += text;
      if (before || !seen.includes("\r\n\r\n")) return;
      const path = seen.split(" ")[1];
      faulty.calls[path] = (faulty.calls[path] ?? 0) + 1;
      deeds[path.split("/").pop()](socket);
    });
  });
  await new Promise((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  faulty.url = `http://127.0.0.1:${server.address().port}`;
  faulty.stop = () => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  };
  return faulty;
}
