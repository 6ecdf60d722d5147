// The two servers behind the demo: the page, and the protected API.
//
//   node demo/server.mjs [--page-port 8705] [--api-port 8706] [--direct-api http://api.example.localhost:8701]
//     [--relay http://127.0.0.1:8704] [--handles http://127.0.0.1:8703]
//
// DEMO_PAGE_PORT, DEMO_API_PORT, DEMO_DIRECT_API, DEMO_RELAY and DEMO_HANDLES say the same in the environment; an option wins.
// Both servers listen on the loopback interface only. Nobody is meant to open them by hand: the Access
// emulator stands in front of each of them, as Cloudflare does in production.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { askRelay, BadQuestion, readQuestion } from './ask.mjs';

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
    ({ values } = parseArgs({ options: { 'page-port': text, 'api-port': text, 'direct-api': text, relay: text, handles: text } }));
  } catch (error) {
    fail(error.message);
  }
  const { DEMO_PAGE_PORT, DEMO_API_PORT, DEMO_DIRECT_API, DEMO_RELAY, DEMO_HANDLES } = process.env;
  return {
    pagePort: readPort('--page-port', values['page-port'] ?? DEMO_PAGE_PORT ?? '8705'),
    apiPort: readPort('--api-port', values['api-port'] ?? DEMO_API_PORT ?? '8706'),
    directApi: readOrigin('--direct-api', values['direct-api'] ?? DEMO_DIRECT_API ?? 'http://api.example.localhost:8701'),
    relay: readOrigin('--relay', values.relay ?? DEMO_RELAY ?? 'http://127.0.0.1:8704'),
    handles: readOrigin('--handles', values.handles ?? DEMO_HANDLES ?? 'http://127.0.0.1:8703'),
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
  ['/', ['page/index.html', 'text/html; charset=utf-8']],
  ['/style.css', ['page/style.css', 'text/css; charset=utf-8']],
  ['/app.js', ['page/app.js', 'text/javascript; charset=utf-8']],
  ['/favicon.svg', ['page/favicon.svg', 'image/svg+xml']],
  // "Why was I blocked?", as scripts/page.mjs builds it; /why/ itself is put together below.
  ['/why/style.css', ['../build/why/style.css', 'text/css; charset=utf-8']],
  ['/why/page.js', ['../build/why/page.js', 'text/javascript; charset=utf-8']],
  ['/why/companion.js', ['../build/why/companion.js', 'text/javascript; charset=utf-8']],
  ['/why/live.js', ['page/live.js', 'text/javascript; charset=utf-8']],
  ['/why/policy', ['wrangler.toml', 'text/plain; charset=utf-8']],
]);

function servePage({ directApi, relay, handles }) {
  const headers = {
    'Content-Security-Policy': [
      "default-src 'self'",
      "script-src 'self' 'wasm-unsafe-eval'",
      "img-src 'self' data:",
      'worker-src blob:',
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
    if (url.pathname === '/why/ask' && request.method === 'POST') return ask(request, response, relay);
    if (url.pathname === '/why/break' && request.method === 'POST') return breakOne(request, response, handles);
    if (!['GET', 'HEAD'].includes(request.method)) {
      response.setHeader('Allow', 'GET, HEAD');
      return sendJson(response, 405, { error: 'method not allowed' });
    }
    if (url.pathname === '/config.json') return sendJson(response, 200, { directApi });
    if (url.pathname === '/why') return redirect(response, '/why/');
    if (url.pathname === '/why/') return sendWhy(response);
    // A script cannot see HttpOnly cookies, so the page asks its own server which ones the browser holds.
    if (url.pathname === '/cookies.json') return sendJson(response, 200, { cookies: cookieNames(request) });

    const file = PAGE_FILES.get(url.pathname);
    if (!file) return sendJson(response, 404, { error: 'not found' });
    sendBody(response, 200, file[1], await readFile(new URL(file[0], import.meta.url)));
  };
}

/** The page as it ships, with what only the demo has: this server beside it, which the page may then ask. */
async function sendWhy(response) {
  const [page, live] = await Promise.all(['../build/why/index.html', 'page/live.html'].map((file) => readFile(new URL(file, import.meta.url), 'utf8')));
  const html = page
    .replace("connect-src 'none'", "connect-src 'self'")
    .replace('<script src="page.js" defer></script>', '$&\n  <script src="live.js" defer></script>')
    .replace('<div class="given">', () => `${live}\n    <div class="given">`)
    .replace('<p id="links"></p>', '<p id="links"><a href="/">Back to the calls</a></p>');
  sendBody(response, 200, 'text/html; charset=utf-8', Buffer.from(html));
}

/** Asks the relay what a browser would ask it, for a page of whatever origin. */
async function ask(request, response, relay) {
  const text = await readJsonText(request, response);
  if (text === undefined) return;
  try {
    sendJson(response, 200, await askRelay(relay, request.headers.host, readQuestion(text)));
  } catch (error) {
    if (error instanceof BadQuestion) return sendJson(response, 400, { error: error.message });
    sendJson(response, 502, { error: `the relay could not be asked: ${error.message}` });
  }
}

/** What can be broken, and mended: a handle of the emulator, and what it is told. */
const BREAKS = new Map([
  ['session', ['/expire-sessions', {}]],
  ['token', ['/refuse-service-token', { on: true }]],
  ['mend-token', ['/refuse-service-token', { on: false }]],
]);

/** Breaks one thing, for the page to find out which. */
async function breakOne(request, response, handles) {
  const text = await readJsonText(request, response);
  if (text === undefined) return;
  const [handle, body] = BREAKS.get(text.replaceAll('"', '')) ?? [];
  if (handle === undefined) return sendJson(response, 400, { error: `expected one of ${[...BREAKS.keys()].join(', ')}` });
  const pulled = await fetch(handles + handle, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  sendJson(response, pulled.ok ? 200 : 502, { ok: pulled.ok });
}

/** A small JSON text that a page of ours has sent; a form of another site cannot send its type. Else it is answered, and there is none. */
async function readJsonText(request, response) {
  if (request.headers['content-type'] !== 'application/json') return sendJson(response, 415, { error: 'expected application/json' });
  const body = await readBody(request, MAX_QUESTION_BYTES);
  if (body === null) return sendJson(response, 413, { error: `the question is larger than ${MAX_QUESTION_BYTES} bytes` });
  return body.toString('utf8');
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
  sendBody(response, status, 'application/json; charset=utf-8', Buffer.from(json));
}

function sendBody(response, status, type, body) {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': body.length });
  response.end(body);
}

function redirect(response, to) {
  response.writeHead(308, { Location: to });
  response.end();
}
