// The load, in a process by itself: a fixed number of requests over kept-alive connections.
//
// Its parent sends `{ port, request, requests, connections }`, where `request` has a method, a path, headers, and the status and
// length of the right answer; `headers` may replace the request's, one set for each. Each connection sends its next request when
// the last one is answered. If there is a `rate`, a request is due so many times a second, whatever becomes of the others (an open
// loop), and its latency counts from when it was due: waiting for a connection is a part of it. The parent gets
// `{ seconds, latencies }` (milliseconds, sorted), or `{ error }` at the first wrong answer.

import { connect } from "node:net";
import { setImmediate as soon, setTimeout as later } from "node:timers/promises";
import { headOf, readMessages, sendBody } from "./http.mjs";

/** Idle connections by the port they lead to. */
const idle = new Map();

process.on("disconnect", () => process.exit());
process.on("SIGINT", () => {}); // The parent ends this process.
process.on("message", async (slice) => {
  try {
    process.send(await run(slice));
  } catch (error) {
    process.send({ error: error.message });
  }
});

async function run({ port, request: { method, path, headers, status, length }, headers: each, requests, connections, rate }) {
  const heads = (each ?? [headers]).map((set) => headOf(method, path, set));
  const latencies = new Float64Array(requests);
  const began = performance.now();
  const due = (index) => began + (index * 1000) / rate;
  let next = 0;
  const sender = async () => {
    while (next < requests) {
      const index = next++;
      if (rate) await until(due(index));
      const started = rate ? due(index) : performance.now();
      const answer = await once(port, heads[index % heads.length], method === "PUT" ? path : undefined);
      if (answer.status !== status) throw new Error(`answered ${answer.status}`);
      if (length !== undefined && answer.bytes !== length) throw new Error(`answered ${answer.bytes} bytes, not ${length}`);
      latencies[index] = performance.now() - started;
    }
  };
  await Promise.all(Array.from({ length: Math.min(connections, requests) }, sender));
  return { seconds: (performance.now() - began) / 1000, latencies: Array.from(latencies.sort()) };
}

/** One request, on an idle connection or a new one: the answer's status and how many bytes its body has. */
function once(port, head, path) {
  const connection = idle.get(port)?.pop() ?? open(port);
  return new Promise((resolve, reject) => {
    Object.assign(connection, { resolve, reject });
    connection.socket.write(head);
    if (path) sendBody(connection.socket, path);
  });
}

function open(port) {
  const connection = { socket: connect({ port, host: "127.0.0.1", noDelay: true }) };
  readMessages(connection.socket, (head, bytes) => {
    if (!idle.has(port)) idle.set(port, []);
    idle.get(port).push(connection);
    connection.resolve({ status: Number(head.slice(9, 12)), bytes });
  });
  connection.socket.on("error", (error) => connection.reject(error));
  // A Worker that is ended takes its connections along.
  connection.socket.on("close", () => {
    idle.delete(port);
    connection.reject(new Error("the connection was closed"));
  });
  return connection;
}

/** Waits until a time: timers are late by a millisecond or two, so that the end of it is spent looking at the clock. */
async function until(time) {
  const left = time - performance.now();
  if (left > 3) await later(left - 2);
  while (performance.now() < time) await soon();
}
