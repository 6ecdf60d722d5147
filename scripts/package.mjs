// `npm run package`: builds all that ships, and leaves it in the package access-relay-<version>.tgz.

import { readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildCompanion } from "./companion.mjs";
import { root, run, say } from "./tools.mjs";
import { buildWorker } from "./worker.mjs";

/** Packs what is in build/ as it is; the package's path. */
export function pack() {
  for (const old of readdirSync(root).filter((name) => /^access-relay-.*\.tgz$/.test(name))) rmSync(join(root, old));
  run("npm", ["pack", "--ignore-scripts", "--loglevel=error"]);
  const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return join(root, `${name}-${version}.tgz`);
}

if (process.argv[1] === import.meta.filename) {
  await buildWorker();
  await buildCompanion();
  say(`the package: ${pack()}`);
}
