// How answers are shown. Every text of theirs becomes a text node, and never markup.

import { ENGINES } from "./engine.js";

/** An element with properties (`data` and `aria` for attributes) and children; empty children are left out. */
export function element(name, { data = {}, aria = {}, ...properties } = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  Object.assign(made.dataset, data);
  for (const [key, value] of Object.entries(aria)) made.setAttribute(key === "role" ? key : `aria-${key}`, value);
  made.append(...children.flat().filter((child) => child !== undefined && child !== "" && child !== false));
  return made;
}

const text = (name, words, className = "") => element(name, { className }, words);

/** Something that a person may copy; the keyboard reaches it, to scroll. */
const code = (words, label) => element("pre", { tabIndex: 0, aria: { label, role: "group" } }, text("code", words));

export const troubleBody = (lines) => lines.map((line) => code(line, "What is wrong"));

// ---- A recording ---------------------------------------------------------------------------------

export function findingsVerdict({ causes }) {
  if (causes.length === 0) return { state: "ok", verdict: "Nothing failed, as far as the recording tells" };
  const more = causes.length > 1 ? `, and ${causes.length - 1} more` : "";
  return { state: "failed", verdict: `${causes[0].title}${more}` };
}

/** A recording can name thousands of entries of one kind. */
const MOST_ENTRIES = 6;

export function findingsBody({ creator, entries, causes, notes }, told, { explain, share }) {
  return [
    text("p", entries === 0 ? "The console's log alone; a recording tells more" : `${entries} ${entries === 1 ? "entry" : "entries"}, recorded by ${creator || "nobody says"}`, "soft"),
    element("ol", { className: "causes" }, causes.map((cause) => causeItem(cause, explain))),
    notes.length > 0 && element("ul", { className: "notes", aria: { label: "Notes" } }, notes.map((note) => text("li", note))),
    share && element("p", { className: "buttons" }, button("Save a copy that is safe to share", share)),
    share && text("p", "It holds no bodies, cookies, tokens, secrets or e-mail addresses.", "hint"),
    asText(told, "access-relay har"),
  ].filter(Boolean);
}

function causeItem({ code: name, title, inferred, entries, evidence, advice }, explain) {
  const shown = entries.slice(0, MOST_ENTRIES);
  return element(
    "li",
    { className: "cause", data: { code: name } },
    element("h3", {}, title, inferred && text("span", "inferred", "tag")),
    element("p", { className: "soft" }, text("code", name)),
    element("ul", { className: "evidence", aria: { label: "What shows it" } }, evidence.map((line) => text("li", line))),
    entries.length > evidence.length && text("p", `${entries.length} entries in all`, "soft"),
    advice.map((line) => element("p", { className: "help" }, text("strong", "What to do: "), line)),
    shown.length > 0 && element("p", { className: "buttons" }, shown.map((entry) => button(`Entry ${entry}, box by box`, () => explain(entry)))),
  );
}

function button(words, act) {
  const made = element("button", { type: "button" }, words);
  made.addEventListener("click", act);
  return made;
}

/** The same as the command line prints it, for whoever writes it to somebody. */
const asText = (told, command) => element("details", { className: "told" }, element("summary", {}, "As text, as ", text("code", command), " prints it"), code(told, "The answer as text"));

// ---- Two addresses -------------------------------------------------------------------------------

export function sightsVerdict({ mistakes, warnings }) {
  if (mistakes.length > 0) return { state: "failed", verdict: mistakes[0] };
  if (warnings.length > 0) return { state: "failed", verdict: `Look at this first: ${warnings[0]}` };
  return { state: "ok", verdict: "Nothing looks wrong, as far as both answers tell" };
}

export function sightsBody({ seen, mistakes, warnings, issuer, audience }) {
  const known = [["access.issuer", issuer], ["access.audience", audience]].filter(([, value]) => value);
  return [
    ...seen.map(({ place, url, application, strangers }) => part(place === "api" ? "The API" : "The page", element("p", {}, text("code", url)), text("p", application), text("p", strangers, "soft"))),
    mistakes.length + warnings.length > 1 && part("What to look at", element("ul", {}, [...mistakes, ...warnings].map((line) => text("li", line)))),
    known.length > 0 && part("For RELAY", element("dl", { className: "headers" }, known.map(([key, value]) => row(key, value)))),
  ].filter(Boolean);
}

// ---- One request ---------------------------------------------------------------------------------

export function decisionVerdict({ served, code: name, preflight, request, browser }) {
  if (served) return { state: "ok", verdict: "It passes, and whoever asks can read the answer" };
  const ways = [preflight, request].filter(Boolean);
  const box = ways.flatMap(({ boxes }) => boxes).find(({ state }) => state === "refused");
  if (box) return { state: "failed", verdict: `Blocked at the ${box.name}: ${name}` };
  return { state: "failed", verdict: `Blocked by the browser${browser ? `: ${browser.text}` : ""}` };
}

export function decisionBody(explanation, told, { file, engine }) {
  const { by, preflight, request, tokens = [], signatures_checked: isChecked, browser, recorded, changes = [], advice = [], served, places } = explanation;
  const words = browser?.console?.[engine];
  return [
    preflight && wayPart(preflight, "the browser's preflight", places, file),
    request && wayPart(request, by && `by ${by}`, places, file),
    browser && part("The browser", text("p", browser.text)),
    words && part(`What the console of ${ENGINES[engine]} says`, code(words, "What the console says")),
    changes.length > 0 && part("To let it pass, write", element("dl", { className: "changes" }, changes.map((change) => changeRow(change, file)))),
    advice.length > 0 && part(served || changes.length > 0 ? "Know, too" : "What to do", element("ul", {}, advice.map((line) => text("li", line)))),
    recorded && part("The recording", text("p", recordedWords(recorded))),
    ...tokens.map((token) => tokenPart(token, isChecked)),
    request?.upstream && upstreamPart(request),
    asText(told, "access-relay explain"),
  ].filter(Boolean);
}

const part = (title, ...children) => element("section", { className: "part" }, text("h3", title), ...children);

const STATES = { passed: "passed", answered: "answered here", refused: "refused", unreached: "not reached" };

function wayPart({ method, url, boxes, answer, warnings = [] }, about, places, file) {
  return element(
    "section",
    { className: "part way" },
    element("h3", {}, text("code", `${method} ${url}`)),
    about && text("p", about, "soft"),
    element("ol", { className: "flow" }, boxes.map((box) => boxItem(box, places, file))),
    warnings.map((warning) => text("p", `Note: ${warning}`, "soft")),
    answer && element("details", {}, element("summary", {}, "The relay's own answer"), code([`${answer.status}`, ...answer.headers.map(({ name, value }) => `${name}: ${value}`)].join("\n"), "The relay's own answer")),
  );
}

function boxItem({ name, state, text: words, key }, places, file) {
  const place = key && places[key];
  return element(
    "li",
    { className: "box", data: { state } },
    element("h4", {}, element("span", { className: "mark", aria: { hidden: "true" } }), name),
    text("p", STATES[state], "state"),
    state !== "unreached" && text("p", words),
    state !== "unreached" && key && element("p", { className: "key" }, text("code", key), place && text("span", `${file}:${place.line}:${place.column}`)),
  );
}

function changeRow({ table, key, value, note }, file) {
  const json = JSON.stringify(value).replaceAll('","', '", "');
  const line = /\.jsonc?$/.test(file) ? `"${key}": ${json}` : `${key} = ${json}`;
  return element("div", {}, element("dt", {}, "in ", text("code", table)), element("dd", {}, text("code", line), note && text("p", note, "soft")));
}

function recordedWords({ status, access }) {
  if (access) return `It has ${access}: Access answered, and the relay never saw the request`;
  return status === 0 ? "It has no answer that the page could read" : `It has the status ${status}`;
}

function tokenPart({ from, claims, wrong }, isChecked) {
  const rows = Array.isArray(claims) ? claims : Object.entries(claims);
  return part(
    `The token in ${from} says`,
    element("dl", { className: "headers" }, rows.map(([name, value]) => row(name, String(value)))),
    text("p", wrong ?? (isChecked ? "Its signature was checked." : "Its signature is not checked; access-relay explain --keys FILE does it."), "soft"),
  );
}

const row = (name, value) => element("div", {}, text("dt", name), text("dd", value));

function upstreamPart({ upstream: { method, url, headers, left_out: leftOut }, adds = [] }) {
  const from = (who) => headers.filter((line) => line.from === who).map(({ name, value }) => row(name, value));
  const group = (title, rows) => rows.length > 0 && [text("h4", title), element("dl", { className: "headers" }, rows)];
  return part(
    "What the API gets",
    element("p", {}, text("code", `${method} ${url}`)),
    group("From the caller", from("caller")) || [],
    group("From the relay", from("relay")) || [],
    group("Left out", leftOut.map(({ name, why }) => row(name, why))) || [],
    group("To an answer of the API in JSON, the relay adds", adds.map(({ name, value }) => row(name, value))) || [],
  );
}
