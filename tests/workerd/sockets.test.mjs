// WebSockets: both directions, close codes, and who may open one.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { audience, startIssuer } from "../support/issuer.mjs";
import { sendRaw } from "../support/raw.mjs";
import { startRelay } from "../support/workerd.mjs";

let issuer, server, relay, opened, closes;

before(async () => {
  issuer = await startIssuer();
  server = createServer((_, response) => response.end());
  server.on("upgrade", (request, socket) => {
    opened.push(request.headers);
    const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    socket.on("error", () => {});
    let bytes = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (let frame = readFrame(bytes); frame; frame = readFrame(bytes)) {
        bytes = bytes.subarray(frame.length);
        serve(frame, socket);
      }
    });
  });
  await new Promise((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  relay = await startRelay({
    relay: { access: { issuer: issuer.url, audience: [audience] }, routes: [{ path: "/api", upstream: `http://127.0.0.1:${server.address().port}` }] },
    secrets: { CF_ACCESS_CLIENT_ID: "0123.access", CF_ACCESS_CLIENT_SECRET: "s3cr3t-value" },
  });
});
after(async () => {
  await Promise.all([relay?.stop(), issuer?.stop()]);
  server?.closeAllConnections();
  server?.close();
});
beforeEach(() => ([opened, closes] = [[], []]));

/** A client's frame: short, and masked as all of a client's are (RFC 6455 §5.2). */
function readFrame(bytes) {
  if (bytes.length < 6 || bytes.length < 6 + (bytes[1] & 0x7f)) return undefined;
  const size = bytes[1] & 0x7f;
  const payload = Buffer.from(bytes.subarray(6, 6 + size).map((byte, index) => byte ^ bytes[2 + (index % 4)]));
  return { kind: bytes[0] & 0x0f, payload, length: 6 + size };
}

/** Echoes what comes; "bye" is answered by a close with a code and a reason. */
function serve({ kind, payload }, socket) {
  const send = (kind, payload) => socket.write(Buffer.concat([Buffer.from([0x80 | kind, payload.length]), payload]));
  if (kind === 8) {
    closes.push(payload.length >= 2 ? [payload.readUInt16BE(0), payload.subarray(2).toString()] : []);
    send(8, payload);
    socket.end();
  } else if (payload.toString() === "bye") send(8, Buffer.concat([Buffer.from([0x0f, 0xa2]), Buffer.from("so long")]));
  else send(kind, payload);
}

/** Opens a socket, sends, and waits for as many messages; then closes, or is closed. */
function talk(headers, messages, close) {
  return new Promise((resolve) => {
    const socket = new WebSocket(`${relay.url.replace("http", "ws")}/api/socket`, { headers });
    socket.binaryType = "arraybuffer";
    const got = [];
    socket.onopen = () => messages.forEach((message) => socket.send(message));
    socket.onmessage = ({ data }) => {
      got.push(typeof data === "string" ? data : [...new Uint8Array(data)]);
      if (got.length === messages.length && close) socket.close(...close);
    };
    socket.onclose = ({ code, reason }) => resolve({ got, code, reason });
    socket.onerror = () => {};
  });
}

const own = () => ({ "cf-access-jwt-assertion": issuer.token() });

test("messages pass both ways, as text and as bytes, and the API gets our token", async () => {
  const { got, code, reason } = await talk(own(), ["hello", Uint8Array.of(0, 255, 7)], [4001, "done"]);
  assert.deepEqual(got, ["hello", [0, 255, 7]]);
  assert.deepEqual([code, reason], [4001, "done"]);
  assert.deepEqual(closes, [[4001, "done"]]);
  assert.deepEqual([opened[0]["cf-access-client-secret"], opened[0]["cf-access-jwt-assertion"], opened[0]["x-forwarded-email"]], ["s3cr3t-value", undefined, "ada@example.com"]);
});

test("the API's close arrives with its code and its reason", async () => {
  const { code, reason } = await talk(own(), ["bye"]);
  assert.deepEqual([code, reason], [4002, "so long"]);
});

test("no socket without a token, none for a page of another origin", async () => {
  const token = `Cf-Access-Jwt-Assertion: ${issuer.token()}`;
  for (const [status, ...headers] of [[401], [401, "Cf-Access-Jwt-Assertion: x"], [403, token, "Origin: https://evil.example"], [403, token, "Sec-Fetch-Site: cross-site"]]) {
    const upgrade = ["GET /api/socket HTTP/1.1", "Host: app.example.com", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", ...headers, "", ""];
    assert.equal((await sendRaw(relay.port, upgrade.join("\r\n"), { headOnly: true })).status, status);
  }
  assert.equal(opened.length, 0);
});
