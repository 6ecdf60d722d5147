// A relay whose upstream is itself.

import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { startRelay } from "../support/workerd.mjs";
import { secrets, sendTo } from "../support/setup.mjs";

test("a relay in front of itself: the loop ends at the second hop", async () => {
  // Its upstream is itself, by way of a door that counts.
  let hops = 0;
  let looping;
  const door = createServer((socket) => {
    hops++;
    const inner = connect({ port: looping.port, host: "127.0.0.1" });
    socket.on("error", () => {}).pipe(inner).on("error", () => {}).pipe(socket);
  });
  await new Promise((resolve) => door.listen({ port: 0, host: "127.0.0.1" }, resolve));
  looping = await startRelay({
    relay: { access: { dangerously_allow_anyone: true }, routes: [{ path: "/api", upstream: `http://127.0.0.1:${door.address().port}` }], health_path: "/healthz" },
    secrets,
  });
  const answer = await sendTo(looping.port, "GET", "/api/x");
  assert.deepEqual([answer.status, answer.code, hops], [508, "loop_detected", 1]);
  await looping.stop();
  door.close();
});
