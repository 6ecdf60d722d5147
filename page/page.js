// The page "Why was I blocked?": takes what somebody drops, chooses or pastes, has the worker answer, and shows it.

import { decisionBody, decisionVerdict, element, findingsBody, findingsVerdict, sightsBody, sightsVerdict, troubleBody } from "./draw.js";
import { engineOf } from "./engine.js";
import { ask } from "./ask.js";

const byId = (id) => document.getElementById(id);
const field = (id) => byId(id).value.trim();

/** The recording that was chosen last; `key` tells the worker whether it is a new one. */
let har;
/** The name of the wrangler file, if it came with one. */
let configName;

byId("recording").addEventListener("submit", (event) => {
  event.preventDefault();
  lookIntoRecording();
});
byId("request").addEventListener("submit", (event) => {
  event.preventDefault();
  decide(written());
});
byId("addresses").addEventListener("submit", (event) => {
  event.preventDefault();
  const given = (place) => ({ url: field(`${place}-url`), answer: byId(`${place}-answer`).value });
  answer("sights", "Judging…", { job: "sights", page: given("page"), api: given("api") }, (report) => ({ ...sightsVerdict(report), body: sightsBody(report) }));
});
for (const id of ["har", "log", "config-file"]) byId(id).addEventListener("change", ({ target }) => target.files[0] && takes[id](target.files[0]));
// What is typed may be another language than the file's.
byId("config").addEventListener("input", () => (configName = undefined));
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.dataset.drop = "over";
});
addEventListener("dragleave", (event) => event.relatedTarget ?? delete document.body.dataset.drop);
addEventListener("drop", dropped);

const takes = {
  har(file) {
    takeRecording(file);
    return lookIntoRecording();
  },
  async log(file) {
    byId("console").value = await file.text();
    if (har) await lookIntoRecording();
  },
  async "config-file"(file) {
    takeConfig(file.name, await file.text());
  },
};

function takeRecording(file) {
  har = { file, key: (har?.key ?? 0) + 1 };
}

function takeConfig(name, text) {
  byId("config").value = text;
  configName = name;
}

/** Several at once, in whatever order: the recording is looked into with all of them. */
async function dropped(event) {
  event.preventDefault();
  delete document.body.dataset.drop;
  for (const file of event.dataTransfer.files) {
    if (/wrangler|\.toml$|\.jsonc$/i.test(file.name)) await takes["config-file"](file);
    else if (/\.(har|json)$/i.test(file.name)) takeRecording(file);
    else byId("console").value = await file.text();
  }
  if (har || byId("console").value.trim() !== "") await lookIntoRecording();
}

const config = () => ({ name: configName, text: byId("config").value });

// ---- Asking --------------------------------------------------------------------------------------

async function lookIntoRecording() {
  if (!har && byId("console").value.trim() === "") return missing("findings", "har", "Choose a HAR file, or paste the console's log.");
  const size = har ? (har.file.size / 1_000_000).toFixed(1) : 0;
  await answer("findings", `Reading ${size} MB…`, { job: "report", har, console: byId("console").value, config: config() }, ({ report, told }) => ({
    ...findingsVerdict(report),
    body: findingsBody(report, told, { explain: decideEntry, share: har && share }),
  }));
}

/** What is written into the form, as `access-relay explain` takes it. */
function written() {
  const asked = field("asked");
  const page = field("origin");
  const isAddress = /^https?:\/\/\S+$/i.test(asked);
  return {
    url: isAddress ? asked : undefined,
    line: isAddress || asked === "" ? undefined : asked,
    method: field("method") || undefined,
    headers: field("headers").split("\n").map((line) => line.trim()).filter(Boolean),
    as: as(page),
  };
}

const as = (page) => [field("who"), page && `page:${page}`].filter(Boolean);

function decideEntry(entry) {
  return decide({ as: as(""), headers: [] }, { har, entry });
}

async function decide(question, recorded = {}) {
  if (byId("config").value.trim() === "") return missing("decision", "config", "Paste the configuration first: it decides.");
  const asked = { job: "explain", question, config: config(), environment: field("environment") || undefined, ...recorded };
  const engine = engineOf(byId("console").value, navigator.userAgent);
  await answer("decision", "Deciding…", asked, ({ unsound, explanation, told, file }) => {
    if (unsound) return { state: "failed", verdict: "The configuration cannot serve, so every request gets 500 misconfigured", body: troubleBody(unsound) };
    document.dispatchEvent(new CustomEvent("decided", { detail: { explanation } }));
    return { ...decisionVerdict(explanation), body: decisionBody(explanation, told, { file, engine }) };
  });
}

async function share() {
  const url = URL.createObjectURL(new Blob([await ask({ job: "redacted", har })], { type: "application/json" }));
  element("a", { href: url, download: har.file.name.replace(/(\.har|\.json)?$/i, ".redacted.har") }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function missing(place, id, words) {
  show(place, { state: "failed", verdict: words, body: [] });
  byId(id).focus();
}

/** The latest question of each place: an answer that comes after the next question is not shown. */
const latest = {};

async function answer(place, meanwhile, asked, shown) {
  const number = (latest[place] = (latest[place] ?? 0) + 1);
  show(place, { state: "running", verdict: meanwhile });
  const found = await ask(asked).then(shown, ({ lines = [] }) => ({ state: "failed", verdict: "It cannot be told", body: troubleBody([lines.join("\n")]) }));
  if (number === latest[place]) show(place, found);
}

function show(place, { state, verdict, body }) {
  const section = byId(place);
  section.hidden = false;
  section.dataset.state = state;
  section.setAttribute("aria-busy", String(state === "running"));
  section.querySelector("[role=status]").textContent = verdict;
  if (body) section.querySelector(".body").replaceChildren(...body);
  // Who asks wants to see it, and the forms above may fill the window.
  const { top } = section.getBoundingClientRect();
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (top < 0 || top > innerHeight * 0.6) section.scrollIntoView({ behavior: calm ? "auto" : "smooth" });
}

/** For a page around this one, as that of `npm start`. */
globalThis.why = {
  takeConfig,
  look(name, recording) {
    takeRecording(new File([JSON.stringify(recording)], name));
    return lookIntoRecording();
  },
};
