// The companion, in a worker that is made of the text in build/why/companion.js: a file may start none, and the policy fetches none.

const { worker: source, wasm } = globalThis.companion;
const waiting = new Map();
let worker;
let asked = 0;

/** Which recording the worker has. */
let held;

/**
 * Has the worker do a job. Throws an error whose `lines` say why it cannot be told. The bytes of a recording are read here and handed over,
 * for in WebKit the worker of a page that is a file can read none.
 */
export async function ask({ har, ...job }) {
  const bytes = har && held !== har.key ? await bytesOf(har.file) : undefined;
  worker ??= started();
  if (bytes) held = har.key;
  return sent({ ...job, bytes }, bytes && [bytes]);
}

const bytesOf = (file) =>
  file.arrayBuffer().catch(() => {
    throw failure([`${file.name}: cannot be read; choose it again`]);
  });

function started() {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const begun = new Worker(url);
  URL.revokeObjectURL(url);
  begun.onmessage = ({ data: { id, value, errors, isFault } }) => {
    // After a fault, what is in the memory of Wasm is worth nothing.
    if (isFault) return ended(errors);
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (errors) reject(failure(errors));
    else resolve(value);
  };
  begun.onerror = ({ message = "the browser says no more" }) => ended([`The worker of this page did not start: ${message}`]);
  worker = begun;
  sent({ job: "start", wasm }).catch(() => {});
  return begun;
}

/** Nobody waits for a worker that is gone; the next question starts another one. */
function ended(lines) {
  worker?.terminate();
  worker = held = undefined;
  for (const { reject } of waiting.values()) reject(failure(lines));
  waiting.clear();
}

function sent(job, handedOver = []) {
  const id = (asked += 1);
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    worker.postMessage({ id, ...job }, handedOver);
  });
}

const failure = (lines) => Object.assign(new Error(lines.join("\n")), { lines });

// While somebody reads the page, it gets ready.
worker = started();
