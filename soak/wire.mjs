// HTTP/1.1 on raw sockets, byte for byte, over connections that are kept: what a client library would mend stays as it is.

import { connect } from "node:net";

/** Takes messages out of what arrives on a connection, one after the other. Texts are latin1: a character is a byte. */
export class Reader {
  #text = "";

  push(text) {
    this.#text += text;
  }

  /** Whether nothing is left over. */
  get empty() {
    return this.#text === "";
  }

  /**
   * The next message, once all of it is there; `undefined` before. `bodiless(status)` says of answers whether they have no
   * body whatever their headers say. With `ended`, a body that only the connection's end could end is whole.
   */
  next(bodiless = () => false, ended = false) {
    const end = this.#text.indexOf("\r\n\r\n");
    if (end < 0) return undefined;
    const head = this.#text.slice(0, end);
    const [start, ...lines] = head.split("\r\n");
    const headers = lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    });
    const isAnswer = start.startsWith("HTTP/");
    const status = isAnswer ? Number(start.split(" ")[1]) : 0;
    const message = { start, status, head, headers, body: "" };
    const from = end + 4;
    const named = (wanted) => headers.find(([name]) => name === wanted)?.[1];
    if (isAnswer && (status < 200 || status === 204 || status === 304 || bodiless(status))) return this.#taken(message, from);
    if (/chunked/i.test(named("transfer-encoding") ?? "")) return this.#chunked(message, from);
    const length = named("content-length");
    if (length === undefined && isAnswer) {
      if (!ended) return undefined;
      message.body = this.#text.slice(from);
      return this.#taken(message, this.#text.length);
    }
    const to = from + Number(length ?? 0);
    if (this.#text.length < to) return undefined;
    message.body = this.#text.slice(from, to);
    return this.#taken(message, to);
  }

  #chunked(message, from) {
    for (let at = from; ; ) {
      const line = this.#text.indexOf("\r\n", at);
      if (line < 0) return undefined;
      const size = parseInt(this.#text.slice(at, line), 16);
      if (size === 0) {
        // Trailers belong to the head, as far as the judge is concerned: nothing may hide in them.
        const end = this.#text.indexOf("\r\n\r\n", line);
        if (end < 0) return undefined;
        message.head += this.#text.slice(line, end);
        return this.#taken(message, end + 4);
      }
      if (this.#text.length < line + 2 + size + 2) return undefined;
      message.body += this.#text.slice(line + 2, line + 2 + size);
      at = line + 2 + size + 2;
    }
  }

  #taken(message, to) {
    this.#text = this.#text.slice(to);
    return message;
  }
}

/** A connection to the relay that is kept for as long as both sides like, and made anew when it is needed. */
export class Connection {
  #port;
  #socket;
  #used = false;
  #waiting;

  constructor(port) {
    this.#port = port;
  }

  /**
   * Sends a request as it is written; resolves to its answer, with all interim ones in `interim`. The status is 0 where the
   * connection closed before, and -1 where nothing came in time. A kept connection may be closed at any time, so there is one
   * more try then, of which `again` is told.
   */
  async ask(text, { isHead = false, patience = 8_000, again = () => {} } = {}) {
    const kept = this.#used && this.#socket !== undefined;
    const answer = await this.#askOnce(text, isHead, patience);
    if (!kept || answer.status !== 0 || answer.received !== "") return answer;
    again();
    return this.#askOnce(text, isHead, patience);
  }

  #askOnce(text, isHead, patience) {
    return new Promise((resolve) => {
      const socket = (this.#socket ??= this.#open());
      this.#used = true;
      const timer = setTimeout(() => {
        this.close();
        waiting.done({ ...NOTHING, status: -1 });
      }, patience);
      const waiting = {
        isHead,
        interim: "",
        reader: new Reader(),
        received: "",
        done: (answer) => {
          clearTimeout(timer);
          this.#waiting = undefined;
          resolve(answer);
        },
      };
      this.#waiting = waiting;
      socket.write(text, "latin1");
    });
  }

  #open() {
    const socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    socket.setEncoding("latin1");
    socket.on("error", () => {});
    socket.on("data", (text) => {
      const waiting = this.#waiting;
      if (waiting === undefined || socket !== this.#socket) return;
      waiting.received = text;
      waiting.reader.push(text);
      this.#take(waiting, false);
    });
    socket.on("close", () => {
      if (socket !== this.#socket) return;
      this.#socket = undefined;
      this.#used = false;
      const waiting = this.#waiting;
      if (waiting === undefined) return;
      this.#take(waiting, true);
      if (this.#waiting === waiting) waiting.done({ ...NOTHING, received: waiting.received });
    });
    return socket;
  }

  #take(waiting, ended) {
    for (;;) {
      const answer = waiting.reader.next(() => waiting.isHead, ended);
      if (answer === undefined) return;
      if (answer.status < 200 && answer.status !== 101) {
        waiting.interim += answer.head;
        continue;
      }
      // What is no HTTP any more, or more than one answer, ends the connection.
      if (answer.status === 101 || !waiting.reader.empty || answer.headers.some(([name, value]) => name === "connection" && /close/i.test(value))) this.close();
      waiting.done({ ...answer, interim: waiting.interim });
      return;
    }
  }

  close() {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#used = false;
    socket?.destroy();
  }
}

const NOTHING = { start: "", status: 0, head: "", headers: [], body: "", interim: "", received: "" };
