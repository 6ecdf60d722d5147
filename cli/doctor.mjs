// `access-relay doctor`: sends what the companion asks, and no credential without proof.

import { execFile } from "node:child_process";
import { check } from "./check.mjs";
import { diagnose, metadataRead, Mistake, toJson } from "./companion.mjs";
import { WRANGLER_FILES, wranglerFilesIn } from "./files.mjs";
import { fault, reasonOf, request, textAt } from "./look.mjs";
import { textIn } from "./reading.mjs";
import { coloursOn, out, tellOut } from "./terminal.mjs";
import { version } from "./version.mjs";

const MOST_REQUESTS = 40;
const LONGEST_BODY = 64 * 1024;
const METHODS = ["GET", "HEAD", "OPTIONS"];

/** Looks at a deployment; 1 if something is wrong, 2 if a host gave no answer. */
export async function doctor(addresses, { api, path, door = [], "env-file": envFile, "token-from": tokenFrom, config, env: environment, json }) {
  if (addresses.length > 1) throw new Mistake([`found ${addresses.length} addresses; write the page's alone`]);
  const [url] = addresses;
  const secrets = secretsOf(envFile);
  let file = config ?? wranglerFilesIn(".")[0];
  // A wrangler file that is there by chance, and has nothing to do with the relay.
  if (file !== undefined && config === undefined && url !== undefined && !textIn(file).includes("RELAY")) file = undefined;
  if (file === undefined && url === undefined) throw new Mistake([`found no ${WRANGLER_FILES.join(", ")} here; write the page's address, or name a file with --config`]);
  if (file !== undefined && api !== undefined) throw new Mistake([`--api: leave it out, for ${file} has the routes; or look from a folder without a wrangler file`]);
  const said = { url, api, path, doors: door, file, text: file === undefined ? "" : textIn(file), environment, secrets: Object.keys(secrets) };

  const now = Math.floor(Date.now() / 1000);
  const colours = coloursOn(process.stdout);
  const first = diagnose(said, {}, now, colours);
  if (first.unsound) return check([file], { json, env: environment });
  if (tokenFrom !== undefined) said.person = await personsToken(tokenFrom, first.page);
  const asker = askerWith(secrets, said.person, now, json ? () => {} : progress);
  const answers = {};
  for (;;) {
    const { asks, report, told } = diagnose(said, answers, now, colours);
    if (report === undefined) {
      for (const ask of asks) answers[ask.id] = await asker(ask);
      continue;
    }
    progress();
    if (json) out(toJson(report));
    else tellOut(told);
    return report.first ? 1 : report.unseen ? 2 : 0;
  }
}

/**
 * Asks one question at a time. A credential goes along only to an address of a host about which the answers have brought, before that, a word
 * that Access has signed, and that was checked here: whatever the plan says.
 */
export function askerWith(secrets, person, now, tell) {
  let sent = 0;
  const proven = new Map();
  const keys = new Map();
  const hidden = [...Object.values(secrets), person].filter(Boolean);

  const counted = (method, url, headers, ...rest) => {
    if (!METHODS.includes(method)) throw new Error(`${method} is never sent`);
    if (sent >= MOST_REQUESTS) throw new Error(`not asked: ${MOST_REQUESTS} requests were sent already`);
    sent += 1;
    tell(`${sent}. ${method} ${url}`);
    return request(method, url, { "user-agent": `access-relay/${version} (doctor; read-only)`, ...headers }, ...rest);
  };
  const keysAt = (url) => {
    if (!keys.has(url)) keys.set(url, textAt(url, counted));
    return keys.get(url);
  };

  return async ({ id, method, url, headers, body, with: along }) => {
    try {
      const credentials = credentialsFor(url, along);
      const answer = await counted(method, url, { ...Object.fromEntries(headers), ...credentials }, body ? LONGEST_BODY : 0, true);
      const token = id.endsWith(".word") ? answer.headers["cf-access-metadata"] : undefined;
      const came = JSON.parse(hiddenIn(JSON.stringify({ ...answer, headers: joined(answer.headers) })));
      return token === undefined ? came : { ...came, metadata: { token, unproven: await unproven(token, url) } };
    } catch (error) {
      return { failed: hiddenIn(reasonOf(error)) };
    }
  };

  async function unproven(token, url) {
    const why = (await fault(token, url, keysAt)) ?? null;
    if (why === null) {
      try {
        metadataRead(token, url, now);
        proven.set(url, token);
      } catch {
        // The companion says so.
      }
    }
    return why;
  }

  function credentialsFor(url, along) {
    if (along === "nothing") return {};
    const { proof, names } = along.service ?? along.person;
    const isHost = new URL(proof.url).origin === new URL(url).origin;
    if (proven.get(proof.url) !== proof.token || !isHost || (along.service && proof.url !== url)) {
      throw new Error("not sent: nothing that Access has signed says that it stands in front of this address");
    }
    if (along.person) return { cookie: `CF_Authorization=${person}` };
    const [id, secret] = names.map((name) => secrets[name]);
    return { "cf-access-client-id": id, "cf-access-client-secret": secret };
  }

  function hiddenIn(text) {
    return hidden.reduce((text, secret) => text.replaceAll(secret, "(not shown)"), text);
  }
}

const joined = (headers) => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]));

/** Client IDs and Client Secrets by their names: the environment's, and over them those of a file. */
function secretsOf(file) {
  const lines = file === undefined ? [] : [...textIn(file).matchAll(/^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=[ \t]*(?:"([^"\n]*)"|'([^'\n]*)'|([^\n#]*))/gm)];
  const all = [...Object.entries(process.env), ...lines.map(([, name, ...values]) => [name, values.find((value) => value !== undefined).trim()])];
  const secrets = Object.fromEntries(all.filter(([name, value]) => /_CLIENT_(ID|SECRET)$/.test(name) && value));
  const odd = Object.keys(secrets).find((name) => !/^[\x21-\x7e]+$/.test(secrets[name]));
  if (odd) throw new Mistake([`${odd}: found something that cannot be sent in a header (not shown)`]);
  return secrets;
}

/** A person's token: from standard input, or from cloudflared, which ends with 0 where it has none. */
async function personsToken(where, page) {
  if (where !== "-" && where !== "cloudflared") throw new Mistake(["--token-from: write cloudflared, or - for the standard input"]);
  const text = where === "-" ? textIn("-") : await cloudflaredToken(page);
  const token = text.trim();
  if (token === "") throw new Mistake([where === "-" ? "--token-from -: the standard input is empty" : `cloudflared has no token that is still good; log in first: cloudflared access login ${page}`]);
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) throw new Mistake([`--token-from ${where}: found no token (not shown)`]);
  return token;
}

const cloudflaredToken = (page) =>
  new Promise((resolve, reject) => {
    execFile("cloudflared", ["access", "token", `--app=${page}`], { timeout: 60_000 }, (error, stdout) => {
      if (error?.code === "ENOENT") reject(new Mistake(["cloudflared is not installed; give a token on the standard input: --token-from -"]));
      else resolve(error ? "" : stdout);
    });
  });

/** On a terminal, what is asked now, on one line; nothing takes it away. */
function progress(text = "") {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${text.replace(/[^\x20-\x7e]/g, "?").slice(0, (process.stderr.columns || 80) - 1)}`);
}
