// A project that a user starts from a template: copied to a folder of its own, filled in, with the packages that npm installs there.

import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/tools.mjs";
import { begin, freePort } from "./processes.mjs";
import { tarball } from "./tarball.mjs";

/** The file of each template that holds the configuration. */
export const wranglerFiles = { route: "wrangler.toml", assets: "wrangler.jsonc", wrap: "wrangler.jsonc", pages: "wrangler.toml", vite: "wrangler.jsonc" };

/** A file of a template. */
export const readTemplate = (template, file) => readFileSync(join(root, "templates", template, file), "utf8");

/** Copies a template into `folder`, with the tarball for its dependency `access-relay`. */
export function startProject(template, folder) {
  const path = join(folder, template);
  // What somebody left in the template who tried it there is no part of it.
  cpSync(join(root, "templates", template), path, { recursive: true, filter: (file) => !/[\\/](node_modules|dist|\.wrangler|\.dev\.vars|package-lock\.json)$/.test(file) });
  writeFileSync(join(path, "package.json"), readTemplate(template, "package.json").replace(/("access-relay": )"[^"]+"/, (_, key) => key + JSON.stringify(`file:${tarball()}`)));
  return {
    path,
    /** Writes `values` where their placeholders stand, and `secrets` into .dev.vars. */
    fillIn(values, secrets) {
      const file = wranglerFiles[template];
      writeFileSync(join(path, file), Object.entries(values).reduce((text, [placeholder, value]) => text.replaceAll(placeholder, value), readTemplate(template, file)));
      writeFileSync(join(path, ".dev.vars"), Object.entries(secrets).map(([name, value]) => `${name}="${value}"\n`).join(""));
    },
    /** Changes a file. What is changed must be there. */
    change(file, from, to) {
      const text = readFileSync(join(path, file), "utf8");
      if (!from.test(text)) throw new Error(`${from} is not in ${file}`);
      writeFileSync(join(path, file), text.replace(from, to));
    },
    /** `npm install`, with that folder for npm's cache. */
    install: (cache) => finish("npm", ["install", "--cache", cache, "--no-audit", "--no-fund"], path),
    /** One of the project's scripts, to its end: what it printed. */
    script: (name, ...args) => finish("npm", ["run", name, "--", ...args], path),
    /** A program out of the project's packages, to its end: what it printed. */
    program: (name, ...args) => finish(join(path, "node_modules", ".bin", name), args, path),
    /** One of the project's scripts as a server. */
    serve: (script, args) => serve(script, args, path),
  };
}

/** Runs a command to its end: what it printed, which is the error's text if it fails. */
export async function finish(command, args, cwd) {
  const child = begin(command, args, cwd);
  const status = await child.ended;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed (${status}):\n${child.output()}`);
  return child.output();
}

/** Starts a server on a free port of 127.0.0.1, and waits until it answers: where it is, its output so far, and `stop()`. */
export async function serve(script, args, cwd) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = begin("npm", ["run", script, "--", "--port", String(port), ...args], cwd);
  let running = true;
  child.ended.then(() => (running = false));
  const answers = () => fetch(url, { signal: AbortSignal.timeout(10_000) }).then((answer) => answer.arrayBuffer(), () => undefined);
  for (const deadline = Date.now() + 60_000; !(await answers()); await new Promise((resolve) => setTimeout(resolve, 100))) {
    if (running && Date.now() < deadline) continue;
    await child.stop();
    throw new Error(`npm run ${script} ${running ? "does not answer" : "ended"}:\n${child.output()}`);
  }
  return { url, port, output: child.output, stop: child.stop };
}
