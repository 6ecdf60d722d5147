// The two servers behind the demo: the page, and the protected API.
//
//   node demo/server.mjs [--page-port 8705] [--api-port 8706] [--direct-api http://api.example.localhost:8701]
//     [--relay http://127.0.0.1:8704]
//
// DEMO_PAGE_PORT, DEMO_API_PORT, DEMO_DIRECT_API and DEMO_RELAY say the same in the environment; an option wins.
// Both servers listen on the loopback interface only. Nobody is meant to open them by hand: the Access
// emulator stands in front of each of them, as Cloudflare does in production.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { askRelay, BadQuestion, readPolicy, readQuestion } from './why.mjs';

const HOST = '127.0.0.1';
const MAX_BODY_BYTES = 1_000_000;
const MAX_QUESTION_BYTES = 5_000;
const MAX_NOTES = 100;
const MAX_NOTES_BYTES = 5_000_000;
const MAX_DOWNLOAD_MB = 200;
const MEGABYTE = 1_000_000;
const CHUNK = Buffer.alloc(64 * 1024, 'access-relay ');
const EVENT_COUNT = 10;
const EVENT_INTERVAL_MS = 250;

main();

async function main() {
  const options = readOptions();
  const servers = [
    createServer(guarded(servePage(options))),
    createServer(guarded(serveApi(createNotes()))),
  ];
  const [page, api] = await Promise.all([
    listen(servers[0], options.pagePort, 'page', '--page-port'),
    listen(servers[1], options.apiPort, 'API', '--api-port'),
  ]);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));
  console.log(JSON.stringify({ page, api }));
}

// ---- Options -------------------------------------------------------------------------------------

function readOptions() {
  const text = { type: 'string' };
  let values;
  try {
    ({ values } = parseArgs({ options: { 'page-port': text, 'api-port': text, 'direct-api': text, relay: text } }));
  } catch (error) {
    fail(error.message);
  }
  const { DEMO_PAGE_PORT, DEMO_API_PORT, DEMO_DIRECT_API, DEMO_RELAY } = process.env;
  return {
    pagePort: readPort('--page-port', values['page-port'] ?? DEMO_PAGE_PORT ?? '8705'),
    apiPort: readPort('--api-port', values['api-port'] ?? DEMO_API_PORT ?? '8706'),
    directApi: readOrigin('--direct-api', values['direct-api'] ?? DEMO_DIRECT_API ?? 'http://api.example.localhost:8701'),
    relay: readOrigin('--relay', values.relay ?? DEMO_RELAY ?? 'http://127.0.0.1:8704'),
  };
}

function readPort(name, value) {
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65535) fail(`${name}: expected a port (0 to 65535), found "${value}"`);
  return Number(value);
}

/** The origin becomes a part of the Content-Security-Policy, so nothing but an origin is accepted. */
function readOrigin(name, value) {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.href !== `${url.origin}/`) {
    fail(`${name}: expected an origin such as http://api.example.localhost:8701, found "${value}"`);
  }
  return url.origin;
}

function listen(server, port, what, option) {
  return new Promise((resolve) => {
    server.once('error', (error) => {
      const reason = error.code === 'EADDRINUSE' ? 'the port is taken by another program' : error.message;
      fail(`the ${what} cannot listen on ${HOST}:${port}: ${reason} (choose another one with ${option})`);
    });
    server.listen(port, HOST, () => resolve(`http://${HOST}:${server.address().port}`));
  });
}

function fail(message) {
  console.error(`demo: ${message}`);
  process.exit(1);
}

// ---- The page ------------------------------------------------------------------------------------

const PAGE_FILES = new Map([
  ['/', ['index.html', 'text/html; charset=utf-8']],
  ['/style.css', ['style.css', 'text/css; charset=utf-8']],
  ['/app.js', ['app.js', 'text/javascript; charset=utf-8']],
  ['/why', ['why.html', 'text/html; charset=utf-8']],
  ['/why.css', ['why.css', 'text/css; charset=utf-8']],
  ['/why.js', ['why.js', 'text/javascript; charset=utf-8']],
  ['/decision.js', ['decision.js', 'text/javascript; charset=utf-8']],
  ['/favicon.svg', ['favicon.svg', 'image/svg+xml']],
]);

function servePage({ directApi, relay }) {
  const headers = {
    'Content-Security-Policy': [
      "default-src 'self'",
      `connect-src 'self' ${directApi}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "object-src 'none'",
    ].join('; '),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cache-Control': 'no-cache',
  };

  return async (request, response, url) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (url.pathname === '/why' && request.method === 'POST') return explain(request, response, relay);
    if (!['GET', 'HEAD'].includes(request.method)) {
      response.setHeader('Allow', 'GET, HEAD');
      return sendJson(response, 405, { error: 'method not allowed' });
    }
    if (url.pathname === '/config.json') return sendJson(response, 200, { directApi });
    if (url.pathname === '/policy.json') return sendPolicy(response);
    // A script cannot see HttpOnly cookies, so the page asks its own server which ones the browser holds.
    if (url.pathname === '/cookies.json') return sendJson(response, 200, { cookies: cookieNames(request) });

    const file = PAGE_FILES.get(url.pathname);
    if (!file) return sendJson(response, 404, { error: 'not found' });
    const body = await readFile(new URL(`page/${file[0]}`, import.meta.url));
    response.writeHead(200, { 'Content-Type': file[1], 'Content-Length': body.length });
    response.end(body);
  };
}

/** Whoever changes the policy while the demo runs should see a mistake in it on the page. */
async function sendPolicy(response) {
  await readPolicy().then((policy) => sendJson(response, 200, policy), (error) => sendJson(response, 500, { error: error.message }));
}

/** Asks the relay what a browser would ask it, for a page of whatever origin. */
async function explain(request, response, relay) {
  // A form of another site cannot send this type, so no page but ours gets as far as asking.
  if (request.headers['content-type'] !== 'application/json') return sendJson(response, 415, { error: 'expected application/json' });
  const body = await readBody(request, MAX_QUESTION_BYTES);
  if (body === null) return sendJson(response, 413, { error: `the question is larger than ${MAX_QUESTION_BYTES} bytes` });
  try {
    const question = readQuestion(body.toString('utf8'));
    const policy = await readPolicy();
    sendJson(response, 200, { answer: await askRelay(relay, request.headers.host, question), policy });
  } catch (error) {
    if (error instanceof BadQuestion) return sendJson(response, 400, { error: error.message });
    sendJson(response, 502, { error: `the relay could not be asked: ${error.message}` });
  }
}

// ---- The API -------------------------------------------------------------------------------------

function serveApi(notes) {
  return async (request, response, url) => {
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('X-Seen-As', printable(seenAs(request)));

    const noteId = /^\/api\/notes\/(\d{1,15})$/.exec(url.pathname)?.[1];
    if (noteId !== undefined && request.method === 'DELETE') return deleteNote(response, notes, Number(noteId));

    switch (`${request.method} ${url.pathname}`) {
      case 'GET /api/whoami': return whoami(request, response);
      case 'GET /api/notes': return sendText(response, 200, notes.list());
      case 'POST /api/notes': return createNote(request, response, notes);
      case 'GET /api/download': return download(response, url.searchParams.get('mb') ?? '20');
      case 'GET /api/events': return events(response);
      default: return sendJson(response, 404, { error: 'not found', method: request.method, path: url.pathname });
    }
  };
}

/** Says who the API saw, and tries to leave two cookies in the browser: the relay must not let them through. */
function whoami(request, response) {
  const session = randomBytes(8).toString('hex');
  response.setHeader('Set-Cookie', [
    `api_session=${session}; Path=/; SameSite=Lax`, // Readable by scripts on purpose: were it let through, the page would see it.
    `api_affinity=${session}; Path=/; SameSite=Lax; HttpOnly`,
  ]);
  sendJson(response, 200, {
    method: request.method,
    forwarded_user: request.headers['x-forwarded-user'] ?? null,
    forwarded_email: request.headers['x-forwarded-email'] ?? null,
    access_token: decodeAssertion(request),
    cookies: cookieNames(request),
    cookies_set: ['api_session', 'api_affinity'],
    traceparent: request.headers.traceparent ?? null,
  });
}

async function createNote(request, response, notes) {
  const body = await readBody(request);
  if (body === null) return sendJson(response, 413, { error: `the body is larger than ${MAX_BODY_BYTES} bytes` });
  let created;
  try {
    created = notes.add(JSON.parse(body.toString('utf8')), seenAs(request));
  } catch {
    return sendJson(response, 400, { error: 'the body is not JSON, or is nested too deeply' });
  }
  response.setHeader('Location', `/api/notes/${created.id}`);
  sendText(response, 201, created.text);
}

function deleteNote(response, notes, id) {
  if (!notes.remove(id)) return sendJson(response, 404, { error: `there is no note ${id}` });
  response.writeHead(204);
  response.end();
}

/** `pipeline` waits while the reader is slow, and stops generating when the reader goes away. */
async function download(response, mb) {
  if (!/^\d{1,3}$/.test(mb) || Number(mb) < 1 || Number(mb) > MAX_DOWNLOAD_MB) {
    return sendJson(response, 400, { error: `mb must be a whole number from 1 to ${MAX_DOWNLOAD_MB}` });
  }
  const size = Number(mb) * MEGABYTE;
  response.writeHead(200, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': size,
    'Content-Disposition': `attachment; filename="demo-${mb}mb.bin"`,
  });
  await pipeline(Readable.from(generate(size), { objectMode: false }), response);
}

function* generate(size) {
  for (let left = size; left > 0; left -= CHUNK.length) yield left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK;
}

async function events(response) {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  for (let id = 1; id <= EVENT_COUNT && !response.destroyed; id += 1) {
    response.write(`id: ${id}\nevent: tick\ndata: ${JSON.stringify({ id, of: EVENT_COUNT, at: new Date().toISOString() })}\n\n`);
    if (id < EVENT_COUNT) await sleep(EVENT_INTERVAL_MS);
  }
  response.end();
}

/** Notes in memory, as JSON text: the oldest ones make room for new ones. `add` throws if a note cannot be serialised. */
function createNotes() {
  const notes = new Map();
  let lastId = 0;
  let bytes = 0;
  const remove = (id) => {
    bytes -= notes.get(id)?.length ?? 0;
    return notes.delete(id);
  };
  return {
    remove,
    list: () => `{"notes":[${[...notes.values()].join(',')}]}`,
    add(note, author) {
      const id = lastId + 1;
      const text = JSON.stringify({ id, author, created_at: new Date().toISOString(), note });
      lastId = id;
      bytes += text.length;
      notes.set(id, text);
      while (notes.size > MAX_NOTES || bytes > MAX_NOTES_BYTES) remove(notes.keys().next().value);
      return { id, text };
    },
  };
}

// ---- Who is calling ------------------------------------------------------------------------------

function seenAs(request) {
  const token = decodeAssertion(request);
  return request.headers['x-forwarded-email'] ?? token?.email ?? token?.common_name ?? 'nobody';
}

/** Decoded for display only. A real API behind Access must verify the signature, the issuer and the audience. */
function decodeAssertion(request) {
  const payload = String(request.headers['cf-access-jwt-assertion'] ?? '').split('.')[1];
  if (!payload) return null;
  try {
    const { common_name = null, email = null, aud = null } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return { signature: 'not verified, decoded for display only', common_name, email, aud };
  } catch {
    return { signature: 'not verified, and not readable', common_name: null, email: null, aud: null };
  }
}

function cookieNames(request) {
  const pairs = (request.headers.cookie ?? '').split(';');
  return pairs.map((pair) => pair.split('=')[0].trim()).filter((name) => name !== '');
}

/** A header value must be visible ASCII, whatever the token said. */
function printable(value) {
  return String(value).slice(0, 200).replace(/[^\x20-\x7e]/g, '?');
}

// ---- HTTP ----------------------------------------------------------------------------------------

/** Turns whatever goes wrong into an answer: bad input must not end the demo. */
function guarded(handle) {
  return async (request, response) => {
    response.on('error', () => {}); // The client went away; there is nobody left to tell.
    try {
      const target = `http://${HOST}${request.url}`;
      if (!request.url.startsWith('/') || !URL.canParse(target)) return sendJson(response, 400, { error: 'bad request target' });
      await handle(request, response, new URL(target));
    } catch (error) {
      if (response.destroyed) return;
      if (response.headersSent) return response.destroy();
      console.error(`demo: ${request.method} ${request.url}:`, error);
      sendJson(response, 500, { error: 'internal error' });
    }
  };
}

/** Reads to the end even when it is too much, so that the sender gets to see the 413. */
async function readBody(request, most = MAX_BODY_BYTES) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= most) chunks.push(chunk);
  }
  return size <= most ? Buffer.concat(chunks) : null;
}

function sendJson(response, status, value) {
  sendText(response, status, `${JSON.stringify(value, null, 2)}\n`);
}

function sendText(response, status, json) {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': Buffer.byteLength(json) });
  response.end(json);
}
