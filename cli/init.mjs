// `access-relay init`: looks at a page and an API, and writes a project.

import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { byHand, check, fit, judge, lineOf, Mistake, plan, redacted, toJson, workerName, wranglerFile } from "./companion.mjs";
import { described, fromJson, scriptFrom, textOf, wranglerFilesIn } from "./files.mjs";
import { look } from "./look.mjs";
import { writeTheRest } from "./templates.mjs";
import { ask, choose, out, somebodyIsThere, warn, wrong } from "./terminal.mjs";
import { remaining, sights } from "./told.mjs";
import { writerFor } from "./writer.mjs";

const TEMPLATES = fileURLToPath(new URL("../templates", import.meta.url));

/** wrangler's own need; the commands of this package run on Node 20, too. */
const NODE = [22, 12];

const FORMS = {
  route: "the page is served from elsewhere; the relay is a Worker on a route of its host",
  assets: "the page's files and the relay are one Worker",
  wrap: "your own Worker hands the relay its requests",
  pages: "a Pages project",
  vite: "a Vite project with Cloudflare's plugin",
};

/** Writes a project; 1 if something is left to do by hand or looks wrong, 2 if an address gave no answer. */
export async function init(addresses, options) {
  if (options.jsonc && options.toml) throw new Mistake(["--jsonc and --toml: write one of the two"]);
  if (addresses.length > 2) throw new Mistake([`found ${addresses.length} addresses; write the page's and the API's`]);
  const asks = somebodyIsThere() && !options.yes && !options.json;
  const say = options.json ? () => {} : (line = "") => out(redacted(line));
  const directory = resolve(options.directory ?? ".");
  const folder = described(directory);
  const about = readPackage(folder.package);
  const older = olderNode();

  const fits = fit(folder);
  const form = options.form ?? (asks ? await choose("The form", FORMS, fits.form, fits.why) : fits.form);
  const path = options.path ?? "/api";
  folder.script = fits.main ? (textOf(resolve(directory, fits.main)) ?? null) : null;
  const steps = byHand(form, folder, path, options.name);
  const [page, api] = await bothAddresses(addresses, asks);
  const said = { page, api, path, strip_prefix: options["strip-prefix"] ?? false, issuer: options.issuer, audience: options.audience };
  const planned = plan(said);
  const { host, zone, upstream, loopback } = planned;

  if (!options.json) older.forEach((line) => warn(line));
  if (!asks) say(`The form is ${form}${options.form ? "" : `: ${fits.why}`}.`);
  say("Looking at both addresses, without any credential:");
  const report = judge(said, await look(planned), Date.now() / 1000);
  say(`${sights(report.seen)}\n`);

  const known = {
    name: options.name ?? fits.name ?? workerName(form, fits.project ? about.name : undefined, host),
    script: scriptFrom(directory),
    assets: fits.assets,
    path,
    loopback,
    host,
    zone,
    upstream,
    strip_prefix: said.strip_prefix,
    issuer: report.issuer ?? (asks ? await askFor("The Access team's address (https://<team>.cloudflareaccess.com)") : null),
    audience: report.audience ?? (asks ? await askFor("The AUD tag of the page's application") : null),
  };
  const name = wranglerName(form, directory, options);
  const file = wranglerFile(form, name, known);
  const writer = writerFor(directory, { ...options, asks });
  const [there] = wranglerFilesIn(directory);
  const writes = there === undefined || (options.overwrite && fits.ours);
  // What is there has been written by an earlier run, or by somebody: what it lacks is left to do all the same.
  const body = writes ? file.text : fits.relay ? textOf(resolve(directory, there)) : undefined;
  const found = body === undefined ? { mistakes: [], warnings: [] } : check(name, body);
  if (writes) await writer.file(name, file.text);
  else if (!fits.relay) writer.left.push(`Add RELAY to ${there}, which is there and stays as it is:\n\n${indented(file.alone)}`);
  if (found.mistakes.length > 0) writer.left.unshift(`Mend ${name}:\n${found.mistakes.map((finding) => `     ${lineOf(finding)}`).join("\n")}`);
  await writeTheRest(writer, { template: join(TEMPLATES, form), form, directory, folder, project: fits.project, known });
  if (report.unseen) writer.left.unshift("An address gave no answer. When it does, run the same command with --overwrite.");
  const written = writer.finish();

  const left = [...writer.left, ...(fits.project ? steps : [])];
  const warnings = [...report.warnings, ...file.warnings, ...found.warnings.map((finding) => `${name}: ${lineOf(finding)}`)];
  if (options.json) {
    out(toJson({ form, ...report, warnings: [...older, ...warnings], written, left, unfinished: file.unfinished }));
  } else {
    say(written.length > 0 ? `Written: ${written.join(", ")}` : "Nothing was written.");
    warnings.forEach((line) => warn(redacted(line)));
    report.mistakes.forEach((line) => wrong(redacted(line)));
    say(`\n${remaining({ form, name: known.name, isNew: !fits.project, left, path, upstream, strips: said.strip_prefix, loopback })}`);
  }
  if (report.unseen) return 2;
  return left.length > 0 || report.mistakes.length > 0 ? 1 : 0;
}

async function bothAddresses(given, asks) {
  const page = given[0] ?? (asks ? await ask("The page's address, as in https://app.example.com") : "");
  const api = given[1] ?? (asks ? await ask("The API's address, as in https://api.example.com") : "");
  if (page && api) return [page, api];
  throw new Mistake([
    `${page ? "API_URL" : "PAGE_URL"} is missing; write both addresses: access-relay init https://app.example.com https://api.example.com`,
  ]);
}

const askFor = async (question) => (await ask(`${question}; empty if you do not know it yet`)) || null;

/** What package.json has, if there is one. */
function readPackage(text) {
  const isTable = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  let table;
  try {
    table = fromJson(text ?? "{}");
  } catch {
    // Told below.
  }
  if (!isTable(table)) throw new Mistake(["package.json: found no JSON object; mend it first"]);
  const isText = (value) => typeof value === "string";
  for (const [key, fits, wanted] of [["name", isText, "a text"], ...["scripts", "dependencies", "devDependencies", "allowScripts"].map((key) => [key, isTable, "an object"])]) {
    if (table[key] !== undefined && !fits(table[key])) throw new Mistake([`package.json: found something else than ${wanted} as ${key}; mend it first`]);
  }
  return table;
}

/** The wrangler file's name: that of the one that is there; or else as in the form's template, unless a language is asked for. */
function wranglerName(form, directory, { jsonc, toml }) {
  const [there] = wranglerFilesIn(directory);
  if (there === undefined && (jsonc || toml)) return jsonc ? "wrangler.jsonc" : "wrangler.toml";
  return there ?? wranglerFilesIn(join(TEMPLATES, form))[0];
}

const indented = (text) => text.trimEnd().replace(/^(?=.)/gm, "     ");

/** A warning, if wrangler would refuse this Node. */
function olderNode() {
  const { node } = process.versions;
  const [major, minor] = node.split(".").map(Number);
  const isOld = major < NODE[0] || (major === NODE[0] && minor < NODE[1]);
  return isOld ? [`this is Node ${node}, and wrangler needs ${NODE.join(".")} or later: install that before you go on`] : [];
}
