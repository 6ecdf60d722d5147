// HTTP/1.1 as far as the bench needs it, for a fraction of what `node:http` costs: the load and the API share the cores with workerd,
// so what they take is missing there.

import { Readable } from "node:stream";
import { bytesOf, pieces } from "./traffic.mjs";

const [LINE_END, HEAD_END] = ["\r\n", "\r\n\r\n"].map((text) => Buffer.from(text));

/** The head of a request, ready to send. */
export function headOf(method, path, headers) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1");
}

/** The headers of a message by their names, in lower case. */
export function headersIn(head) {
  const lines = head.split("\r\n").slice(1).map((line) => /^(.*?): *(.*)$/.exec(line));
  return Object.fromEntries(lines.map(([, name, value]) => [name.toLowerCase(), value]));
}

/** Sends the body that a path asks for, or brings, in pieces, as fast as they are taken. */
export function sendBody(socket, path) {
  Readable.from(pieces(bytesOf(path)), { objectMode: false }).pipe(socket, { end: false });
}

/** Calls `arrived` with the head of each message that has arrived in whole, and with how many bytes its body had. */
export function readMessages(socket, arrived) {
  const messages = read(arrived);
  messages.next();
  socket.on("data", (chunk) => messages.next(chunk));
}

/** Takes the bytes of a connection as they come. */
function* read(arrived) {
  let left = Buffer.alloc(0);
  function* textUpTo(mark) {
    let end;
    while ((end = left.indexOf(mark)) < 0) left = Buffer.concat([left, yield]);
    const text = left.latin1Slice(0, end);
    left = left.subarray(end + mark.length);
    return text;
  }
  function* skip(bytes) {
    while (left.length < bytes) {
      bytes -= left.length;
      left = yield;
    }
    left = left.subarray(bytes);
  }
  for (;;) {
    const head = yield* textUpTo(HEAD_END);
    let bytes = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    if (!/\r\ntransfer-encoding: *chunked/i.test(head)) yield* skip(bytes);
    else {
      for (let size = -1; size !== 0; bytes += size) {
        size = Number.parseInt(yield* textUpTo(LINE_END), 16);
        yield* skip(size + LINE_END.length);
      }
    }
    arrived(head, bytes);
  }
}
