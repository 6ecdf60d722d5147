// The page of the demo: it makes the same calls directly and through the relay, and shows what came of each.

/** The calls. `path` may prepare something first; `facts` reads the answer, as pairs of a label and a text. */
const SCENARIOS = {
  whoami: {
    path: async () => '/api/whoami',
    init: { credentials: 'include' },
    facts: whoamiFacts,
  },
  post: {
    path: async () => '/api/notes',
    init: jsonPost({ text: 'Written from the browser' }),
    facts: noteFacts,
  },
  delete: {
    path: deletableNote,
    init: { method: 'DELETE', credentials: 'include', headers: { 'X-Demo-Reason': 'tidy-up' } },
    facts: async (response) => [seenAs(response), ['Answer', 'the note is gone']],
  },
  download: {
    path: async () => '/api/download?mb=20',
    init: { credentials: 'include' },
    facts: downloadFacts,
  },
};
const TIMEOUT_MS = 60_000;
const MEGABYTE = 1_000_000;

/** Runs under way, so that a second press of a button joins the first one. */
const underWay = new Map();
let directApi = 'http://api.example.localhost:8701';

start();

async function start() {
  for (const button of document.querySelectorAll('[data-run]')) {
    button.addEventListener('click', () => run(button.dataset.run));
  }
  byTestId('run-all').addEventListener('click', runAll);
  byTestId('reload').addEventListener('click', () => location.reload());
  showPerson();
  await showHosts();
  await run('whoami');
}

// ---- Running -------------------------------------------------------------------------------------

/** One after the other, so that the times are comparable. */
async function runAll() {
  const button = byTestId('run-all');
  button.setAttribute('aria-busy', 'true');
  for (const name of Object.keys(SCENARIOS)) await run(name);
  button.removeAttribute('aria-busy');
}

function run(name) {
  if (!underWay.has(name)) underWay.set(name, runBoth(name).finally(() => underWay.delete(name)));
  return underWay.get(name);
}

async function runBoth(name) {
  const button = byTestId(`run-${name}`);
  button.setAttribute('aria-busy', 'true');
  await Promise.all([runSide(name, 'direct'), runSide(name, 'relay')]);
  button.removeAttribute('aria-busy');
}

async function runSide(name, side) {
  const scenario = SCENARIOS[name];
  const result = byTestId(`${side}-${name}`);
  show(result, 'running', 'Calling…');
  let started = performance.now();
  try {
    const path = await scenario.path(side);
    started = performance.now();
    const response = await send(side, path, scenario.init);
    const facts = await scenario.facts(response, result);
    show(result, 'ok', statusLine(response), elapsed(started), facts);
  } catch (error) {
    showFailure(result, side, error, elapsed(started));
  }
}

/**
 * Sends the call. Through the relay it carries X-Requested-With: to a call with it, Access answers an
 * ended session with a 401 that can be read, and not with a redirect. It costs no preflight on the own origin.
 */
async function send(side, path, init) {
  const direct = side === 'direct';
  const headers = direct ? init.headers : { ...init.headers, 'X-Requested-With': 'XMLHttpRequest' };
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch(direct ? directApi + path : path, { ...init, headers, signal });
  if (!response.ok) throw await Refusal.from(response);
  return response;
}

/** An answer that arrived and said no. Anything else that fails is the browser's own error. */
class Refusal extends Error {
  static async from(response) {
    const problem = await response.json().catch(() => ({}));
    const refusal = new Refusal(problem.title ?? problem.error ?? 'No reason was given.');
    return Object.assign(refusal, { status: response.status, line: statusLine(response), problem });
  }
}

// ---- The scenarios -------------------------------------------------------------------------------

function jsonPost(value) {
  return {
    method: 'POST',
    credentials: 'include',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(value),
  };
}

/** There must be a note to delete. The direct call does not get far enough to need a real one. */
async function deletableNote(side) {
  if (side === 'direct') return '/api/notes/1';
  const response = await send(side, '/api/notes', jsonPost({ text: 'Written to be deleted' }));
  return `/api/notes/${(await response.json()).id}`;
}

async function whoamiFacts(response) {
  const seen = await response.json();
  await showCookies(seen.cookies_set);
  return [
    ['Person', seen.forwarded_email ?? 'not named'],
    ['Caller', seen.access_token?.common_name ?? seen.access_token?.email ?? 'no Access token'],
    ['Cookies', list(seen.cookies, 'none reached the API')],
    ['Trace', seen.traceparent ?? 'none'],
  ];
}

async function noteFacts(response) {
  const { id, note } = await response.json();
  return [
    seenAs(response),
    ['Location', response.headers.get('Location') ?? 'none'],
    ['Answer', `note ${id}: “${note.text}”`],
  ];
}

async function downloadFacts(response, result) {
  const total = Number(response.headers.get('Content-Length')) || 0;
  const started = performance.now();
  let received = 0;
  for await (const chunk of chunks(response.body)) {
    received += chunk.length;
    showProgress(result, received, total);
  }
  const seconds = Math.max(performance.now() - started, 1) / 1000;
  const megabytes = received / MEGABYTE;
  return [
    seenAs(response),
    ['Received', `${megabytes.toFixed(1)} MB`],
    ['Speed', `${(megabytes / seconds).toFixed(0)} MB/s`],
  ];
}

/** Not every browser can iterate over a stream, so this reads it by hand. */
async function* chunks(stream) {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

/** The API says in this header whom it saw, since not every answer has a body to say it in. */
function seenAs(response) {
  return ['Person', response.headers.get('X-Seen-As') ?? 'not named'];
}

// ---- Showing -------------------------------------------------------------------------------------

function show(result, state, verdict, time = '', facts = []) {
  result.dataset.state = state;
  part(result, 'verdict').textContent = verdict;
  part(result, 'time').textContent = time;
  part(result, 'facts').replaceChildren(...facts.map(factRow));
  if (state === 'running') hide(result, 'progress');
  hide(result, 'why');
}

function showFailure(result, side, error, time) {
  if (error instanceof Refusal) return showRefusal(result, side, error, time);
  // A script learns no more than "TypeError" about a blocked call; the explanation stands in the page.
  const blocked = side === 'direct' && error instanceof TypeError;
  const verdict = blocked ? 'Blocked by the browser' : 'No answer';
  show(result, 'failed', verdict, time, [['Browser', `${error.name}: ${error.message}`]]);
  if (blocked) part(result, 'why').hidden = false;
}

function showRefusal(result, side, { status, line, message, problem }, time) {
  if (side === 'relay' && status === 401) byTestId('session-ended').hidden = false;
  const facts = [['Reason', message], ['Detail', problem.detail], ['Code', problem.code]];
  show(result, 'failed', line, time, facts.filter(([, text]) => text));
}

function factRow([label, text]) {
  const row = document.createElement('div');
  const term = document.createElement('dt');
  const value = document.createElement('dd');
  term.textContent = label;
  value.textContent = text;
  row.append(term, value);
  return row;
}

function showProgress(result, received, total) {
  const bar = part(result, 'progress');
  bar.hidden = false;
  if (total > 0) bar.value = received / total;
  else bar.removeAttribute('value');
  part(result, 'time').textContent = `${(received / MEGABYTE).toFixed(1)} MB`;
}

function hide(result, name) {
  const element = part(result, name);
  if (element) element.hidden = true;
}

/** The places where a cookie of the API would show up if the relay had let it through. */
async function showCookies(set) {
  const visible = document.cookie.split(';').map((pair) => pair.split('=')[0].trim()).filter(Boolean);
  const sent = await ownJson('/cookies.json').then((answer) => answer.cookies, () => null);
  byTestId('cookies-set').textContent = list(set, 'none');
  byTestId('cookies-document').textContent = list(visible, 'empty');
  byTestId('cookies-sent').textContent = sent ? list(sent, 'none') : 'could not be asked';
  const leaked = set.filter((name) => visible.includes(name) || sent?.includes(name));
  if (leaked.length > 0) return showCookieVerdict('failed', `These reached this browser: ${leaked.join(', ')}.`);
  if (!sent) return showCookieVerdict('failed', 'No cookie is visible to scripts; the others could not be checked.');
  showCookieVerdict('ok', 'No cookie of the API reached this browser.');
}

function showCookieVerdict(state, text) {
  const verdict = byTestId('cookies-verdict');
  verdict.dataset.state = state;
  verdict.textContent = text;
}

async function showPerson() {
  const identity = await ownJson('/cdn-cgi/access/get-identity').catch(() => null);
  byTestId('person').textContent = identity?.email ?? 'Not logged in through Access';
  byTestId('logout').hidden = !identity?.email;
}

async function showHosts() {
  const config = await ownJson('/config.json').catch(() => null);
  directApi = config?.directApi ?? directApi;
  for (const place of document.querySelectorAll('[data-direct-host]')) place.textContent = new URL(directApi).hostname;
  for (const place of document.querySelectorAll('[data-page-host]')) place.textContent = location.hostname;
}

// ---- Small helpers -------------------------------------------------------------------------------

async function ownJson(path) {
  const response = await fetch(path, { headers: { 'X-Requested-With': 'XMLHttpRequest' } });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

function byTestId(name) {
  return document.querySelector(`[data-testid="${name}"]`);
}

function part(result, name) {
  return result.querySelector(`[data-part="${name}"]`);
}

function statusLine(response) {
  return `${response.status} ${response.statusText}`.trim();
}

function elapsed(started) {
  return `${Math.round(performance.now() - started)} ms`;
}

function list(names, none) {
  return names.length > 0 ? names.join(', ') : none;
}
