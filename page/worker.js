// All of the work, beside the page: a recording of 50 MB must not hold up a key that somebody presses. It talks to nobody but the page.

import { initSync, check_file, explain_request, har_redacted, har_report, judge, redacted } from "../target/wasm-bindgen-companion/access_relay_companion_wasm.js";

let ready;
/** The bytes of the recording. */
let recording = new Uint8Array();

self.onmessage = async ({ data: { id, job, bytes, ...given } }) => {
  if (bytes) recording = new Uint8Array(bytes);
  try {
    await ready;
    const value = await jobs[job](given);
    self.postMessage({ id, value });
  } catch (error) {
    self.postMessage({ id, errors: error.lines ?? [`This page has a fault: ${error.message}`], isFault: error.lines === undefined });
  }
};

/** The name of the wrangler file; of a pasted text, one that says its language. */
const nameOf = ({ name, text }) => name ?? (/^\s*(\{|\/\/|\/\*)/.test(text) ? "wrangler.jsonc" : "wrangler.toml");

const jobs = {
  start({ wasm }) {
    ready = unpacked(wasm).then((module) => initSync({ module }));
    return ready.then(() => true);
  },

  /** What failed in a recording: `{ report, told }`. */
  report({ console, config }) {
    return shown(told(har_report(recording, console, nameOf(config), config.text, false)));
  },

  /** A copy of it that is safe to share. */
  redacted() {
    return told(har_redacted(recording)).text;
  },

  /** What stands in front of a page and an API, by their answers to a stranger: what `access-relay init` says of them. */
  sights({ page, api }) {
    const said = JSON.stringify({ page: page.url, api: api.url, path: "/api" });
    const seen = [["page", page], ["api", api]].map(([place, { answer }]) => ({ place, metadata: null, answer: answerOf(place, answer) }));
    return shown(told(judge(said, JSON.stringify(seen), Date.now() / 1000)));
  },

  /** One request, box by box: `{ explanation, told, file }`, or `{ unsound }`, a list of what is wrong with the configuration. */
  explain({ question, entry, config, environment }) {
    const asked = { ...question, recorded: entry !== undefined, entry, now: Math.floor(Date.now() / 1000) };
    const file = nameOf(config);
    const found = told(explain_request(JSON.stringify(asked), recording, file, config.text, environment, false, () => false));
    if (!found.unsound) return { ...shown(found), file };
    return { unsound: JSON.parse(check_file(file, config.text, environment, false, "[]")).marked };
  },
};

/** Status and headers of what `curl -si` prints, repeated ones joined; what comes before an answer (100, a proxy's 200) is none. */
function answerOf(place, text) {
  const blocks = text.replaceAll("\r", "").split(/\n(?=HTTP\/)/).filter((block) => /^\s*HTTP\/\S+ +\d{3}/.test(block) && !/^\s*HTTP\/\S+ +(1\d\d|200 connection established)/i.test(block));
  if (blocks.length === 0) throw unclear([`The answer of the ${place}: found no line that begins with HTTP/; paste all that curl -si prints`]);
  const [first, ...lines] = blocks[0].trim().split("\n");
  const headers = {};
  for (const line of lines.slice(0, [...lines, ""].indexOf(""))) {
    const [, name, value] = /^([^:]+):\s*(.*)$/.exec(line) ?? [];
    if (name) headers[name.toLowerCase()] = [headers[name.toLowerCase()], value].filter((part) => part !== undefined).join(", ");
  }
  delete headers["set-cookie"];
  return { status: Number(/\d{3}/.exec(first.slice(first.indexOf(" ")))[0]), headers };
}

function told(text) {
  const value = JSON.parse(text);
  const wrong = value.errors ?? (value.error === undefined ? undefined : [value.error]);
  if (wrong) throw unclear(wrong);
  return value;
}

const unclear = (lines) => Object.assign(new Error(lines.join("\n")), { lines });

/** No secret in any of its texts, as the command line has it. */
const shown = (value) => JSON.parse(JSON.stringify(value), (key, part) => (typeof part === "string" && key !== "told" ? redacted(part) : part));

/** Without a Blob: WebKit reads none in the worker of a page that is a file. */
function unpacked(wasm) {
  const { readable, writable } = new DecompressionStream("gzip");
  const writer = writable.getWriter();
  writer.write(Uint8Array.from(atob(wasm), (letter) => letter.charCodeAt(0)));
  writer.close();
  return new Response(readable).arrayBuffer();
}
