// TLS in front of a server that speaks http, with a certificate that nobody has signed.

import { execFileSync } from "node:child_process";
import { connect } from "node:net";
import { createServer } from "node:tls";

/** Starts it; `port` is its own. Everything passes as it is, upgrades too. */
export async function startTls(plainPort) {
  const sockets = new Set();
  const server = createServer(certificate(), (socket) => {
    const onwards = connect({ port: plainPort, host: "127.0.0.1" });
    for (const [one, other] of [[socket, onwards], [onwards, socket]]) {
      sockets.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => sockets.delete(one));
    }
  });
  server.on("tlsClientError", () => {});
  await new Promise((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  return {
    port: server.address().port,
    stop() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

let made;
function certificate() {
  if (made) return made;
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "-"];
  const pem = execFileSync("openssl", ["req", "-x509", ...key, "-days", "2", "-subj", "/CN=localhost", "-out", "-"], { stdio: ["ignore", "pipe", "ignore"] });
  return (made = { key: pem, cert: pem });
}
