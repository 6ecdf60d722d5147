// The API behind the peers, and the issuer of the token: a process by itself with fixed answers, and files of any length. If a
// Worker's calls tell what they ask of Cloudflare's cache, it stands for that cache, too, and has the keys; else the issuer is as far
// away as another continent.
//
// Its parent sends `{ certs }` to start it and "seen" to ask for what it has got so far.

import { createServer } from "node:net";
import { headersIn, readMessages, sendBody } from "./http.mjs";
import { body, bytesOf, responseHeaders } from "./traffic.mjs";

/** How far away the issuer is, there and back, in milliseconds. */
const DISTANCE = 50;

const answer = (status, headers, body = "") => Buffer.concat([`HTTP/1.1 ${status}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`, body].map((part) => Buffer.from(part)));
const [right, wrong] = [answer("200 OK", responseHeaders, body), answer("400 Bad Request", [["Content-Length", "0"]])];

const seen = { head: "", certs: 0 };
let certs;

const server = createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => {}); // A Worker that is ended takes its connections along.
  readMessages(socket, (head, bytes) => {
    const [method, path] = head.split(" ", 2);
    if (path === "/cdn-cgi/access/certs") {
      seen.certs += 1;
      const { cacheEverything } = JSON.parse(headersIn(head)["cf-blob"] ?? "{}");
      setTimeout(() => socket.write(certs), cacheEverything ? 0 : DISTANCE);
      return;
    }
    seen.head = head;
    const due = bytesOf(path);
    if (method === "GET" && due > 0) {
      socket.write(answer("200 OK", [["Content-Type", "application/octet-stream"], ["Content-Length", due]]));
      sendBody(socket, path);
      return;
    }
    // Nothing but all of a body is right.
    socket.write(method !== "PUT" || bytes === due ? right : wrong);
  });
});

process.on("disconnect", () => process.exit());
process.on("SIGINT", () => {}); // The parent ends this process.
process.on("message", (message) => {
  if (message === "seen") {
    process.send({ headers: headersIn(seen.head), certs: seen.certs });
    return;
  }
  certs = answer("200 OK", [["Content-Type", "application/json"], ["Content-Length", Buffer.byteLength(message.certs)]], message.certs);
  server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
});
