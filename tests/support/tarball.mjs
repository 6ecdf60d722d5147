// The package as `npm publish` would send it: the file that `npm run package` leaves in the project's root.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/tools.mjs";

/** The version that package.json has. */
export const version = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;

/** The tarball's path. */
export function tarball() {
  const path = join(root, `access-relay-${version}.tgz`);
  if (!existsSync(path)) throw new Error(`${path} is missing: run \`npm run package\``);
  return path;
}
