// What only the demo's "Why was I blocked?" has: the configuration and the answers of the relay that runs here, and three things to break.
// The page itself decides and explains (page/); here are its questions.

const byTestId = (name) => document.querySelector(`[data-testid="${name}"]`);
const say = (place, words) => (byTestId(place).textContent = words);

/** What the page decided last. */
let decided;

for (const button of document.querySelectorAll("[data-call]")) button.addEventListener("click", () => guarded("compared", () => decideCall(JSON.parse(button.dataset.call))));
for (const button of document.querySelectorAll("[data-break]")) button.addEventListener("click", () => guarded("broken", () => breaks[button.dataset.break]()));
byTestId("compare").addEventListener("click", () => guarded("compared", compare));
byTestId("reload").addEventListener("click", () => location.reload());
document.addEventListener("decided", ({ detail }) => {
  decided = detail.explanation;
  // The relay answers preflights by itself. Any other request would go on to the API.
  byTestId("compare").disabled = decided.preflight === undefined;
  say("compared", decided.preflight ? "" : "No preflight is asked here, so there is no answer of the relay’s own to compare.");
});
guarded("compared", takePolicy);

// ---- The live policy, and the running relay ------------------------------------------------------

async function takePolicy() {
  why.takeConfig("demo/wrangler.toml", await (await get("/why/policy")).text());
}

/** As a person would write it into the form, for them to change. */
async function decideCall({ origin = location.origin, method, path = "/api/notes", headers = "" }) {
  await takePolicy();
  for (const [id, value] of Object.entries({ asked: location.origin + path, origin, method, headers, who: "person", environment: "" })) document.getElementById(id).value = value;
  document.getElementById("request").requestSubmit();
}

/** What a browser compares. The rest, such as the date, is the server's. */
const isDecided = (name) => name === "vary" || name === "cache-control" || name.startsWith("access-control-");

async function compare() {
  const { status, headers } = await askRelay(decided.preflight);
  const { answer } = decided.preflight;
  const text = (status, headers) => [status, ...headers.map(([name, value]) => [name.toLowerCase(), value]).filter(([name]) => isDecided(name)).map((line) => line.join(": ")).sort()].join("\n");
  const [said, expected] = [text(status, headers), text(answer.status, answer.headers.map(({ name, value }) => [name, value]))];
  const count = said.split("\n").length - 1;
  say("compared", said === expected
    ? `The running relay answers the same: ${status}, with the same headers (${count} of CORS and caching).`
    : `The running relay answers otherwise. It says ${said.replaceAll("\n", "; ")}. Decided was ${expected.replaceAll("\n", "; ")}. Has demo/wrangler.toml changed?`);
}

/** The server asks in place of the browser, which lets no page choose its Origin. */
async function askRelay({ url, asks }) {
  const asked = Object.fromEntries(asks.map(({ name, value }) => [name, value]));
  const names = asked["access-control-request-headers"];
  const question = { origin: asked.origin, method: asked["access-control-request-method"], path: new URL(url).pathname, headers: names ? names.split(",") : [] };
  return (await post("/why/ask", question)).json();
}

// ---- Break one thing -----------------------------------------------------------------------------

const breaks = {
  async session() {
    await post("/why/break", "session");
    await look("Your session of Access was ended, and the page called the API", await call());
    byTestId("reload").hidden = false;
  },

  async token() {
    await post("/why/break", "token");
    try {
      await look("Access refused the relay’s service token, and the page called the API; the token counts again now", await call());
    } finally {
      await post("/why/break", "mend-token");
    }
  },

  async policy() {
    const done = new Promise((resolve) => document.addEventListener("decided", resolve, { once: true }));
    await decideCall({ origin: "https://admin.example.com", method: "PUT", headers: "x-forgotten: 1" });
    await done;
    const { preflight } = decided;
    const { status, headers } = await askRelay(preflight);
    const recorded = entry({ method: preflight.method, url: preflight.url, asked: preflight.asks.map(({ name, value }) => [name, value]), status, answered: headers, kind: "preflight" });
    await look("A page of https://admin.example.com called with x-forgotten, which no list of the policy has", recorded);
  },
};

async function look(words, recorded) {
  say("broken", `${words}. Below is what this page makes of what the browser saw.`);
  const page = entry({ method: "GET", url: location.href, asked: [], status: 200, answered: [], kind: "document" });
  await why.look("broken.har", { log: { version: "1.2", creator: { name: "access-relay demo", version: "" }, entries: [page, recorded] } });
}

/** A call of this page's, as its browser would record it. */
async function call() {
  const url = `${location.origin}/api/notes`;
  const asked = { "X-Requested-With": "XMLHttpRequest" };
  const answer = await fetch(url, { headers: asked });
  return entry({
    method: "GET",
    url,
    asked: [...Object.entries(asked), ["sec-fetch-site", "same-origin"], ["sec-fetch-mode", "cors"], ["sec-fetch-dest", "empty"]],
    status: answer.status,
    answered: [...answer.headers],
    kind: "fetch",
    content: { mimeType: answer.headers.get("content-type") ?? "", text: await answer.text() },
  });
}

/** An entry of a recording (HAR 1.2). */
function entry({ method, url, asked, status, answered, kind, content = {} }) {
  const lines = (headers) => headers.map(([name, value]) => ({ name, value }));
  return { startedDateTime: new Date().toISOString(), _resourceType: kind, request: { method, url, headers: lines(asked) }, response: { status, headers: lines(answered), content } };
}

// ---- Small helpers -------------------------------------------------------------------------------

async function guarded(place, work) {
  await work().catch((error) => {
    say(place, error.message);
    byTestId("reload").hidden = !error.isOver;
  });
}

function get(path) {
  return asked(path);
}

function post(path, value) {
  return asked(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(value) });
}

/** With X-Requested-With, Access answers an ended session with a 401, and not with a redirect. */
async function asked(path, { headers, ...init } = {}) {
  const answer = await fetch(path, { ...init, headers: { ...headers, "X-Requested-With": "XMLHttpRequest" } });
  if (answer.status === 401) throw Object.assign(new Error("Your session ended. Log in again to go on."), { isOver: true });
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error ?? `The page’s server answered ${answer.status}.`);
  return answer;
}
