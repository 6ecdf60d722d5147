// Requests as they are written, byte for byte: what no HTTP client would send.

import { connect } from "node:net";

/**
 * Sends the text of a request; returns the status, the headers as a list of lines, and the body, as text: what has come
 * when the connection closes, or, with `headOnly`, when the headers are there.
 */
export function sendRaw(port, request, { headOnly = false } = {}) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1" });
    let answer = "";
    socket.setEncoding("latin1").on("data", (text) => {
      answer += text;
      if (headOnly && answer.includes("\r\n\r\n")) socket.destroy();
    });
    socket.on("error", reject);
    socket.on("close", () => {
      const [head, ...body] = answer.split("\r\n\r\n");
      const [status, ...headers] = head.split("\r\n");
      resolve({ status: Number(status.split(" ")[1]), statusLine: status, headers, body: body.join("\r\n\r\n") });
    });
    socket.write(Buffer.from(request, "latin1"));
  });
}

/** A GET with a raw target. */
export function getRaw(port, target, headers = []) {
  return sendRaw(port, [`GET ${target} HTTP/1.1`, "Host: app.example.com", "Connection: close", ...headers, "", ""].join("\r\n"));
}
