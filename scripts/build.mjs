// `npm run build`: leaves in build/ what `wrangler deploy` uploads. wrangler.toml names this as its build command.

import { spawnSync } from "node:child_process";
import { wranglerFilesIn } from "../cli/files.mjs";
import { env, fail, root } from "./tools.mjs";
import { buildWorker } from "./worker.mjs";

await buildWorker();

/** What wrangler builds for, if it is wrangler that builds. With `wrangler dev`, somebody is still at work on the file. */
const { WRANGLER_COMMAND: command } = process.env;
const [file] = wranglerFilesIn(".");
if (file && command !== "dev") {
  const words = ["run", "--quiet", "--locked", "--manifest-path", `${root}Cargo.toml`, "--package", "access-relay-companion", "--", file];
  const { status } = spawnSync("cargo", words, { env, stdio: "inherit" });
  // A fresh clone is not filled in yet, and can be built and tested all the same.
  if (status !== 0 && command) fail(`${file} is not deployed as it is: see above what is to be mended first`);
}
