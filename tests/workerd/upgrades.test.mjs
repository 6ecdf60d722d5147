// Upgrades that nobody asked for, and those that nobody may ask for.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { sendRaw } from "../support/raw.mjs";
import { startRelay } from "../support/workerd.mjs";
import { secrets, sendTo, startWithIssuer } from "../support/setup.mjs";

const { api, relay, login } = await startWithIssuer();

test("a 101 that nobody asked for opens nothing", async () => {
  const upgraded = [];
  api.upgrade = (incoming, socket) => {
    upgraded.push(incoming.headers.upgrade);
    socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
  };
  const server = createServer();
  server.on("connection", (socket) => socket.on("error", () => {}).on("data", () => socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")));
  server.removeAllListeners("request");
  await new Promise((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  const odd = await startRelay({
    relay: {
      access: { dangerously_allow_anyone: true },
      routes: [{ path: "/api", upstream: `http://127.0.0.1:${server.address().port}`, cors: { allowed_origins: ["https://admin.example.com"], preflight: "upstream" } }],
    },
    secrets,
  });
  const preflight = ["Origin: https://admin.example.com", "Access-Control-Request-Method: PUT"];
  for (const [method, lines] of [["GET", []], ["POST", ["Content-Length: 0"]], ["OPTIONS", preflight]]) {
    const answer = await sendTo(odd.port, method, "/api/x", lines);
    assert.deepEqual([answer.status, answer.code], [502, "upstream_unreachable"], method);
  }
  assert.equal((await odd.records(3)).filter(({ code }) => code === "upstream_unreachable").length, 3);
  await odd.stop();
  server.closeAllConnections();
  server.close();
  // Who offers several protocols is asked for none.
  for (const upgrade of ["h2c, websocket", "websocket, h2c", "h2c"]) {
    const answer = await sendRaw(relay.port, ["GET /api/x HTTP/1.1", "Host: app.example.com", login, "Connection: Upgrade, close", `Upgrade: ${upgrade}`, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "", ""].join("\r\n"), { headOnly: true });
    assert.notEqual(answer.status, 101, upgrade);
  }
  assert.deepEqual(upgraded, []);
});
