// Every command in the documents is run by a test, or its block says what a test cannot have. A line that is neither fails here.
//
// | the line | is held by |
// |---|---|
// | in a block `console` of docs/ | transcripts.test.mjs, which runs it and compares all that it prints |
// | in `READ`: a server, or a package from the registry | the test that is named there, which runs it; this one looks that it does |
// | `npm start`, `npm run soak -- 600` and others that take minutes in a clone | here, up to `npm`: the shell runs the line, `npm` only tells its words; the script and its options must be there |
// | one of `ACCOUNT`, in a block marked ```` ```sh account ````: a login at Cloudflare, a deployment | nobody; the script that it names must be there |
// | in a block that is marked with another word of `MARKS` | nobody |
// | any other | here: it is run in a folder with the page's files, where the emulator stands for Access |

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { WORKS } from "../../bench/works.mjs";
import { commands } from "../../cli/help.mjs";
import { ask, root } from "../../scripts/tools.mjs";
import { startEmulator } from "../support/emulator.mjs";
import { readGuide } from "../support/guide.mjs";
import { parts } from "../support/markdown.mjs";
import { makeFolder, variables } from "../support/processes.mjs";
import { startRecorder } from "../support/recorder.mjs";
import { tarball } from "../support/tarball.mjs";
import { unpack } from "../support/unpacked.mjs";
import { startRelay } from "../support/workerd.mjs";

const read = (file) => readFileSync(join(root, file), "utf8");
const pages = ask("git", ["ls-files", "*.md"]).split("\n");
const scriptsOf = (folder) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).scripts ?? {};

const SHELLS = ["sh", "bash", "zsh", "shell", "console", "powershell", "cmd", "bat"];
/** What a block needs that no test has. */
const MARKS = { account: "an account at Cloudflare", fusionauth: "a server of FusionAuth" };
/** What needs an account, and nothing else does. */
const ACCOUNT = [/^npx wrangler login$/, /^npx wrangler pages project create [\w-]+ --production-branch main$/, /^npm run (secrets|deploy)$/, /^cloudflared access (login|token) \S+$/];
/** What is run in a clone, and takes minutes; `by` drives the same, with a text that shows it. */
const CLONE = {
  start: ["tests/support/demo.mjs", "scripts/start.mjs"],
  test: [".ci/run", "npm test"],
  build: ["scripts/test.mjs", "await buildWorker()"],
  page: ["tests/browser/page.test.mjs", "await buildPage()"],
  soak: ["tests/workerd/soak.test.mjs", 'from "../../soak/traffic.mjs"'],
  // No test measures: a machine that is busy would fail it. What it measures is checked to do its job whenever it runs.
  bench: ["bench/run.mjs", "await checkJob("],
  // No test tries mutants: that takes hours.
  mutants: ["scripts/mutants.mjs", "copyTree();"],
};
const cloned = /(?:^|[(&] *)npm (?:run )?([\w-]+)/g;

/** The lines that another test reads off the page and runs, and the texts that show it. */
const READ = [
  ["docs/local-development.md", "npx wrangler dev", "local-development", 'guide("Against the real API")', "serve(t, `${commands[0]} ${QUIET}`)"],
  ["docs/local-development.md", "ACCESS_TOKEN=$(cloudflared access token --app=https://app.example.com) npx vite", "local-development", 'guide("Behind `vite dev`")', "start(commands[0])"],
  ["docs/local-development.md", "cargo run --package access-emulator -- --settings ../my-app/emulator.json", "local-development", 'startsWith("cargo run --package access-emulator -- --settings ")', "--print-settings"],
  ...["README.md", "docs/deploy.md"].map((page) => [page, "npm install", "walk", 'finish("npm", ["install", ...npm], project)']),
  ...["route", "assets", "wrap", "pages", "vite"].map((form) => [`templates/${form}/README.md`, "npm install", "templates", "await project.install(", `${form}: {`]),
];

/** What a line prints when it is run here, where it is not enough that it ends well. */
const PRINTS = [
  ["README.md", /^npm install /, 0, /added 1 package/],
  ["docs/deploy.md", /^npm install /, 0, /added 1 package/],
  ["README.md", / init /, 0, /Written: wrangler\.toml, package\.json, \.gitignore, \.dev\.vars\.example/],
  // The file on that page has the wrong AUD tag, and doctor says so.
  ["docs/doctor.md", /--env-file/, 1, /^ok +does the service token open the API\?/m],
  ["docs/doctor.md", /--token-from/, 1, /^ok +does the relay take a person's token\?/m],
  ["docs/explain.md", /^curl -o keys\.json /, 0, /^$/],
  ["docs/explain.md", /--keys/, 0, /\(its signature was checked with the keys of --keys\)/],
  ["templates/", /^npm run check/, 1, /<page host>|<team>/],
  ["templates/", /^curl /, 0, /^hello$/m],
  ["docs/local-development.md", /^curl /, 0, /^\{"ok":true\}$/m],
];

let emulator, api, relay, programs, token;
before(async () => {
  [api, emulator] = await Promise.all([startRecorder(), startEmulator()]);
  relay = await startRelay({
    relay: { access: { issuer: emulator.issuer, audience: [emulator.app_aud] }, routes: [{ path: "/api", upstream: emulator.api_local_url }] },
    secrets: { CF_ACCESS_CLIENT_ID: emulator.client_id, CF_ACCESS_CLIENT_SECRET: emulator.client_secret },
  });
  await emulator.control("/backends", { app: [{ path: "/api", to: relay.url }, { path: "/", to: api.url }], api: api.url });
  token = await emulator.mint({ email: "ada@example.com" });
  const cli = `exec '${process.execPath}' '${join(unpack(), "cli", "main.mjs")}' "$@"`;
  programs = makeFolder({
    npx: `#!/bin/sh\n[ "$1" = access-relay ] || { echo "npx $1: no test has it" >&2; exit 99; }\nshift\n${cli}\n`,
    "access-relay": `#!/bin/sh\n${cli}\n`,
    cloudflared: `#!/bin/sh\n[ "$1 $2" = "access token" ] && printf %s '${token}'\n`,
    curl: `#!/bin/sh\nexec '${process.execPath}' '${join(root, "tests", "support", "curl.mjs")}' "$@"\n`,
  });
  for (const name of ["npx", "access-relay", "cloudflared", "curl"]) chmodSync(join(programs, name), 0o755);
});
after(() => Promise.all([emulator?.stop(), api?.stop(), relay?.stop()]));

/** What the documents name, and what stands in its place here. */
const inPlace = (text) =>
  [
    ["https://app.example.com", emulator.app_local_url],
    ["https://api.example.com", emulator.api_local_url],
    ["https://acme.cloudflareaccess.com", emulator.issuer],
    ["4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2", emulator.app_aud],
    ["http://localhost:8787", relay.url],
    ["http://127.0.0.1:8703", emulator.control_url.replace(/\/$/, "")],
    ["http://127.0.0.1:8701", emulator.api_local_url],
    ["<token>", token],
  ].reduce((text, [name, value]) => text.replaceAll(name, value), text);

/** The commands of a block: a line that ends with a backslash goes on, and in a transcript only what stands after `$ ` is one. */
function commandsOf({ language, lines, at }) {
  const found = [];
  for (let index = 0; index < lines.length; index++) {
    if (language === "console" && !lines[index].startsWith("$ ")) continue;
    const begun = index;
    while (lines[index].endsWith("\\")) index++;
    const script = lines.slice(begun, index + 1).join("\n").replace(/^\$ /, "");
    // A comment tells the reader something, not the shell.
    const typed = script.replace(/ +# .*$/, "").trim();
    if (typed !== "" && !typed.startsWith("# ")) found.push({ typed, at: at + begun });
  }
  return found;
}

/** The folder that a page's commands are run in, with what the page lets its reader have there. */
function folderOf(page) {
  const folder = makeFolder();
  copyFileSync(tarball(), join(folder, basename(tarball())));
  writeFileSync(join(folder, ".dev.vars"), `CF_ACCESS_CLIENT_ID="${emulator.client_id}"\nCF_ACCESS_CLIENT_SECRET="${emulator.client_secret}"\n`);
  writeFileSync(join(folder, "copied.txt"), `curl '${emulator.app_local_url}/api/notes' -H 'Cf-Access-Jwt-Assertion: ${token}'\n`);
  if (page.startsWith("templates/")) cpSync(join(root, dirname(page)), folder, { recursive: true, filter: (file) => !/[\\/](node_modules|dist|\.wrangler|package-lock\.json)$/.test(file) });
  return folder;
}

/** Runs a line to its end: `{ status, out }`. */
function run(line, cwd, path = [programs]) {
  return new Promise((resolve) => {
    const child = spawn("sh", ["-c", `exec 2>&1\n${line}`], { cwd, env: { ...variables, PATH: [...path, variables.PATH].join(delimiter), npm_config_offline: "true", npm_config_cache: join(programs, "npm-cache") }, stdio: ["ignore", "pipe", "inherit"] });
    let out = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
    child.on("close", (status) => resolve({ status, out }));
  });
}

/** Holds a line to one of the ways at the head of this file: which it was. Fails if there is none. */
async function hold(page, block, { typed }, folder) {
  const needs = ACCOUNT.some((pattern) => pattern.test(typed));
  if (needs) {
    assert.ok(block.marks.includes("account"), "it needs an account: mark the block, ```sh account");
    const [, script] = typed.match(/^npm run (\w+)$/) ?? [];
    if (script) assert.ok(scriptsOf(folder)[script], `package.json has a script "${script}"`);
    return "account";
  }
  const [other] = block.marks.filter((mark) => mark !== "account");
  if (other) return other;
  const by = READ.find(([where, line]) => where === page && line === typed);
  if (by) return holdRead(page, block, typed, by);
  if (block.language === "console" && dirname(page) === "docs") {
    // It is compared there; here it only leaves its files for the lines below it.
    await run(inPlace(typed), folder);
    return "transcript";
  }
  if (/^(npm (start|test|run (?!check|dev))|git )/.test(typed)) return holdClone(typed);
  return holdRun(page, typed, folder, block);
}

function holdRead(page, block, typed, [, , name, ...texts]) {
  const file = `tests/package/${name}.test.mjs`;
  for (const text of texts) assert.ok(read(file).includes(text), `${file} has ${text}`);
  if (name === "local-development") assert.ok(readGuide(basename(page))(block.section).commands.includes(typed), "the guide reads it");
  return "read";
}

/** The shell runs the line where git has two commits; `npm` tells its words, which must be a script's, with options that it takes. */
async function holdClone(typed) {
  const folder = makeFolder({ "clone/package.json": read("package.json"), "bin/npm": '#!/bin/sh\necho "npm $*" >> "$TOLD"\n' });
  chmodSync(join(folder, "bin", "npm"), 0o755);
  const clone = join(folder, "clone");
  const git = (...words) => assert.equal(spawnSync("git", ["-c", "user.name=a", "-c", "user.email=a@b.c", ...words], { cwd: clone }).status, 0, words.join(" "));
  git("init", "--quiet");
  git("add", ".");
  for (const message of ["one", "two"]) git("commit", "--quiet", "--allow-empty", "-m", message);
  const { status, out } = await run(`export TOLD='${join(folder, "told")}'\n${typed}`, clone, [join(folder, "bin")]);
  assert.equal(status, 0, out);
  const told = existsSync(join(folder, "told")) ? readFileSync(join(folder, "told"), "utf8").trim().split("\n") : [];
  assert.equal(told.length, [...typed.matchAll(cloned)].length, "each npm of the line was run");
  for (const words of told) holdScript(words);
  return "clone";
}

/** The words of an `npm` name a script of package.json, a file that it runs, and options and parts that it has. */
function holdScript(words) {
  const [, name, rest = ""] = words.match(/^npm (?:run )?([\w-]+)(?: -- (.*))?$/) ?? [];
  const script = scriptsOf(root)[name];
  assert.ok(script, `package.json has a script "${name}"`);
  const file = script.replace(/^node /, "");
  const source = read(file);
  const [by, text] = CLONE[name] ?? [];
  assert.ok(by && read(by).includes(text), `CLONE says what drives "${name}": ${by} has ${text}`);
  for (const [, option, value] of rest.matchAll(/--([\w-]+)(?: ([^\s-]\S*))?/g)) {
    assert.match(source, new RegExp(`\\b${option}: \\{ type:|"(--)?${option}"`), `${file} takes --${option}`);
    if (option === "work") assert.ok(value in WORKS, `there is a work ${value}`);
  }
  if (name === "test") for (const part of rest.split(" ").filter(Boolean)) assert.match(source, new RegExp(`^  (async )?${part}\\(\\) \\{`, "m"), `there is a part ${part}`);
}

/** Runs the line in the page's folder. */
async function holdRun(page, typed, folder, block) {
  if (page === "emulator/README.md") return holdEmulator(typed, block);
  const [, , expected, prints] = PRINTS.find(([where, line]) => page.startsWith(where) && line.test(typed)) ?? [];
  const bin = join(folder, "node_modules", ".bin");
  const { status, out } = await run(inPlace(typed), folder, [programs, bin]);
  assert.ok(prints, `a row of PRINTS says what it prints; it was ${status}:\n${out}`);
  assert.equal(status, expected, out);
  assert.match(out, prints);
  return "run";
}

/** The emulator as its README starts and asks it, on other ports: what it prints begins as it is told there. */
async function holdEmulator(typed, { lines }) {
  const begun = lines.slice(lines.findIndex((line) => line.startsWith("$ ")) + 1).map((line) => line.replace(/ *…,?.*$/, ""));
  const [, settings] = typed.match(/^cargo run -p access-emulator -- --settings '(.*)'$/) ?? [];
  if (settings === undefined) {
    const { status, out } = await run(inPlace(typed), root);
    assert.equal(status, 0, out);
    for (const line of begun) assert.ok(out.split(/\r?\n/).some((other) => other.startsWith(line.slice(0, 40))), `${line} in\n${out}`);
    return "run";
  }
  const started = await startEmulator(JSON.parse(settings));
  await started.stop();
  const told = [...begun[0].matchAll(/"(\w+)":"/g)].map(([, key]) => key);
  assert.ok(told.length > 0);
  assert.deepEqual(told.filter((key) => !(key in started)), []);
  return "run";
}

/** Holds all lines of a page: which ways they were, and which were none. */
async function holdPage(page, text) {
  const [ways, unheld] = [[], []];
  const { blocks } = parts(text);
  if (!blocks.some(({ language }) => SHELLS.includes(language))) return { ways, unheld };
  const folder = folderOf(page);
  // A page may have told the emulator to break something.
  await emulator.control("/refuse-service-token", { on: false });
  for (const block of blocks) {
    if (block.file) writeFileSync(join(folder, block.file), inPlace(`${block.lines.join("\n")}\n`));
    if (!SHELLS.includes(block.language)) continue;
    const place = `${page}:${block.at - 1}`;
    const found = commandsOf(block);
    if (found.length === 0) unheld.push(`${place}: a block of commands without a command`);
    const ofBlock = [];
    for (const command of found) {
      try {
        ofBlock.push(await hold(page, block, command, folder));
      } catch (error) {
        unheld.push(`${page}:${command.at}: ${command.typed}\n    ${error.message}`);
      }
    }
    // A mark excuses those that need it, and must excuse one.
    for (const mark of block.marks) {
      if (!(mark in MARKS)) unheld.push(`${place}: nobody knows the mark "${mark}"; there are ${Object.keys(MARKS).join(", ")}`);
      else if (!ofBlock.includes(mark)) unheld.push(`${place}: no command here needs ${MARKS[mark]}`);
    }
    ways.push(...ofBlock);
  }
  return { ways, unheld };
}

test("each command of a page is run by a test, or its block says what a test cannot have", async (t) => {
  const all = { ways: [], unheld: [] };
  for (const page of pages) {
    const { ways, unheld } = await holdPage(page, read(page));
    all.ways.push(...ways);
    all.unheld.push(...unheld);
  }
  assert.deepEqual(all.unheld, []);
  const counts = Object.groupBy(all.ways, (way) => way);
  for (const way of ["transcript", "run", "read", "clone", "account"]) assert.ok(counts[way]?.length > 0, way);
  t.diagnostic(Object.entries(counts).map(([way, { length }]) => `${way} ${length}`).join(", "));
});

for (const [what, block, wrong] of [
  ["a line that nobody runs", "sh\necho hello", /a row of PRINTS says what it prints/],
  ["a line that ends badly", "sh\nnpx access-relay explain --keys none.json - < copied.txt", /2 !== 0/],
  ["a deployment without a mark", "sh\nnpm run deploy", /mark the block, ```sh account/],
  ["a mark that nothing needs", "sh account\ncurl -o keys.json https://acme.cloudflareaccess.com/cdn-cgi/access/certs", /no command here needs an account/],
  ["a mark that nobody knows", "sh later\nnpm run check", /nobody knows the mark "later"/],
  ["a script that is not there", "sh\nnpm run polish", /has a script "polish"/],
  ["an option that is not there", "sh\nnpm run soak -- --forever 1", /takes --forever/],
  ["a part that is not there", "sh\nnpm test -- everything", /there is a part everything/],
  ["a block without a command", "console\nhello", /without a command/],
  ["a block of another shell", "powershell\nGet-Help", /a row of PRINTS says what it prints/],
]) {
  test(`${what} is found`, async () => {
    const { unheld } = await holdPage("docs/explain.md", `# Made up\n\n\`\`\`${block}\n\`\`\`\n`);
    assert.equal(unheld.length, 1, unheld.join("\n"));
    assert.match(unheld[0], wrong);
  });
}

test("what is typed stands in a block that says so", () => {
  const typed = /^ *(\$ |(npm (install|run|start|test|ci)|npx|node|cargo|curl|git|wrangler|cloudflared|access-relay) \S)/;
  const hidden = pages.flatMap((page) => parts(read(page)).blocks.filter(({ language }) => !SHELLS.includes(language)).flatMap(({ lines, at }) => lines.flatMap((line, index) => (typed.test(line) ? [`${page}:${at + index}: ${line}`] : []))));
  assert.deepEqual(hidden, []);
});

test("a command in a sentence names what is there", () => {
  const templates = ["route", "assets", "wrap", "pages", "vite"].map((form) => Object.keys(scriptsOf(join(root, "templates", form))));
  const wrong = [];
  let count = 0;
  for (const page of pages) {
    for (const [, code] of parts(read(page)).prose.join("\n").matchAll(/`([^`]+)`/g)) {
      const ok = isThere(code, page, templates);
      if (ok === undefined) continue;
      count += 1;
      if (!ok) wrong.push(`${page}: ${code}`);
    }
  }
  assert.ok(count > 60, `${count} are read`);
  assert.deepEqual(wrong, []);
});

/** Whether a command in a sentence names a script, a command with its options, or a file that is there; nothing if it is no such command. */
function isThere(code, page, templates) {
  const [, script] = code.match(/^npm (?:run )?(start|test|[\w-]+)\b/) ?? [];
  if (script && /^npm (run|start|test)\b/.test(code)) return script in scriptsOf(root) || templates.some((names) => names.includes(script));
  const [, name, rest] = code.match(/^(?:npx )?access-relay ([a-z]+)(.*)$/s) ?? [];
  if (name) {
    const options = Object.entries(commands[name]?.options ?? {});
    const words = rest.split(" curl ")[0].match(/(?<= )--?[A-Za-z][\w-]*/g) ?? [];
    return name in commands && words.every((word) => options.some(([option, { short }]) => word === `--${option}` || word === `-${short}`));
  }
  const [, file] = code.match(/(?:^|\s)(?:npx )?node (?:--test )?([\w./-]+\.mjs)/) ?? [];
  if (file) return existsSync(join(root, file));
  const [, member] = code.match(/^cargo .*--package ([\w-]+)/) ?? [];
  if (member) return ask("git", ["ls-files", "*Cargo.toml"]).split("\n").some((manifest) => read(manifest).includes(`name = "${member}"`));
  return undefined;
}
