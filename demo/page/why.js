// The page "Why was I blocked?": asks the relay, through the page's own server, and shows the decision step by step.

import { decide, readCall } from "/decision.js";

const form = byTestId("question");
const MARKS = { ok: "passed", failed: "failed", skipped: "not needed", unreached: "not reached" };
const BLOCKED = {
  origin: "the origin is not allowed here",
  credentials: "cookies are not allowed",
  method: "the method is not listed",
  headers: "a header is not listed",
};

/** The latest question: an answer that comes after the next question is not shown. */
let latest = 0;

start();

function start() {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    explain();
  });
  for (const button of document.querySelectorAll("[data-preset]")) {
    button.addEventListener("click", () => {
      fill(JSON.parse(button.dataset.preset));
      explain();
    });
  }
  byTestId("preset-own").addEventListener("click", () => {
    fill({ origin: location.origin, method: "DELETE", path: "/api/notes/1", headers: "x-custom" });
    explain();
  });
  byTestId("reload").addEventListener("click", () => location.reload());
  getJson("/policy.json").then(({ text }) => showPolicy(text), showTrouble);
}

function fill({ origin, method, path, headers }) {
  form.elements.origin.value = origin;
  form.elements.method.value = method;
  form.elements.path.value = path;
  form.elements.headers.value = headers;
  form.elements.credentials.checked = true;
}

async function explain() {
  const question = (latest += 1);
  form.setAttribute("aria-busy", "true");
  showVerdict("running", "Asking the relay…");
  const shown = await decisionOf().then((found) => () => showDecision(found), (error) => () => showTrouble(error));
  if (question !== latest) return;
  shown();
  form.removeAttribute("aria-busy");
  // On a phone the decision is below the form; who asks wants to see it.
  const { top } = byTestId("verdict-line").getBoundingClientRect();
  if (top < 0 || top > innerHeight * 0.75) byTestId("result").scrollIntoView();
}

async function decisionOf() {
  const field = (name) => form.elements[name].value.trim();
  const call = readCall({
    origin: field("origin"),
    method: field("method"),
    path: field("path"),
    headers: field("headers"),
    credentials: form.elements.credentials.checked,
  });
  // What is asked on the page's own origin is never a question of CORS.
  if (call.origin === location.origin) return { call, ...decide({ call, policy: {}, ownOrigin: location.origin }) };
  const { answer, policy } = await ask(call);
  return { call, answer, policy, ...decide({ call, answer, policy: policy.values, ownOrigin: location.origin }) };
}

async function ask({ origin, method, path, headers }) {
  const { answer, policy } = await getJson("/why", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ origin, method, path, headers }),
  });
  if (answer.status !== 204) {
    const why = "Is its policy without mistakes, and debug = true? The relay’s log in the terminal says more.";
    throw new Error(`The relay answered ${answer.status}, and not with a decision. ${why}`);
  }
  return { answer, policy };
}

// ---- Showing -------------------------------------------------------------------------------------

function showDecision({ call, answer, policy, steps, failed, simple, sameOrigin }) {
  const title = failed ? `Blocked: ${BLOCKED[failed.name]}` : allowedWords(simple, sameOrigin);
  showVerdict(failed ? "failed" : "ok", title);
  byTestId("steps").replaceChildren(...steps.map(stepItem));
  byTestId("decision").hidden = false;
  showConsole(call, failed);
  showAnswer(answer, simple);
  if (policy) showPolicy(policy.text);
}

function allowedWords(simple, sameOrigin) {
  if (sameOrigin) return "Allowed: the same origin, so CORS has no say";
  return simple ? "Allowed: no preflight, and the page may read the answer" : "Allowed: the browser sends the call";
}

function showVerdict(state, text) {
  byTestId("verdict-line").dataset.state = state;
  byTestId("verdict").textContent = text;
  byTestId("reload").hidden = true;
}

/** No decision: a mistake in the form, an ended session, a relay that cannot be reached. */
function showTrouble(error) {
  showVerdict("failed", error.message);
  byTestId("decision").hidden = true;
  byTestId("reload").hidden = error.status !== 401;
}

function stepItem({ name, title, state, asked, answered, fix }) {
  const item = element("li", { className: "step" });
  item.dataset.state = state;
  item.dataset.testid = `step-${name}`;
  const mark = element("span", { className: "mark" });
  mark.setAttribute("aria-hidden", "true");
  const heading = element("h3", {}, mark, element("span", { textContent: title }), element("em", { textContent: MARKS[state] }));
  const rows = [["Asked", asked], ["Answered", answered]].filter(([, text]) => text);
  item.append(heading, element("dl", {}, ...rows.map(([label, text]) => row(label, text))));
  if (fix) item.append(fixBox(fix));
  return item;
}

function fixBox({ line, note }) {
  const box = element("div", { className: "fix" });
  if (note) box.append(element("p", { textContent: note }));
  if (line) {
    const code = element("code", { textContent: line });
    code.dataset.testid = "suggestion";
    box.append(element("p", { textContent: "This line would let it pass:" }), element("pre", {}, code));
  }
  return box;
}

function showConsole({ origin, path }, failed) {
  byTestId("console-part").hidden = !failed;
  if (!failed) return;
  const start = `Access to fetch at '${location.origin}${path}' from origin '${origin}' has been blocked by CORS policy: `;
  byTestId("console").textContent = start + failed.browser;
  byTestId("code-part").hidden = !failed.code;
  byTestId("code").textContent = failed.code ?? "";
}

function showAnswer(answer, simple) {
  byTestId("answer-part").hidden = !answer;
  if (!answer) return;
  const lines = answer.headers.map(([name, value]) => `${name}: ${value}`);
  byTestId("answer").textContent = [`HTTP/1.1 ${answer.status} ${answer.reason}`, ...lines].join("\n");
  byTestId("answer-simple").hidden = !simple;
}

function showPolicy(text) {
  byTestId("policy").textContent = text;
}

function row(label, text) {
  return element("div", {}, element("dt", { textContent: label }), element("dd", { textContent: text }));
}

// ---- Small helpers -------------------------------------------------------------------------------

/** With X-Requested-With, Access answers an ended session with a 401, and not with a redirect. */
async function getJson(path, { headers, ...init } = {}) {
  const response = await fetch(path, { ...init, headers: { ...headers, "X-Requested-With": "XMLHttpRequest" } });
  if (response.status === 401) throw Object.assign(new Error("Your session ended. Log in again to go on."), { status: 401 });
  const value = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(value.error ?? `The page’s server answered ${response.status}.`);
  return value;
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function byTestId(name) {
  return document.querySelector(`[data-testid="${name}"]`);
}
