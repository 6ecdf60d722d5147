// Builds the Worker as `wrangler deploy` uploads it, in build/.

import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { installBuildTools, root, run, say } from "./tools.mjs";
import { compileWasm, optimize } from "./wasm.mjs";

/** Installs what is missing, compiles, and leaves in build/ what ships. */
export async function buildWorker() {
  await installBuildTools();
  say("building the Worker");
  // src/entry.js imports the script that this leaves, and src/border.rs says where that finds the scripts it imports.
  const glue = join("target", "wasm-bindgen");
  // Panics abort: the flag has the script see it, and begin a new instance with the next request.
  compileWasm("access-relay", glue, ["--force-enable-abort-handler"]);

  // As for runtimes without them: then nothing keeps the classes that the crate `worker` exports and nobody uses, a third of the
  // script. A promise that Rust awaits must settle, for nothing else frees what waits for it.
  const absent = ["--define:FinalizationRegistry=undefined", "--define:Symbol.dispose=undefined"];
  const external = ["--external:cloudflare:*", "--external:./index_bg.wasm"];
  run("esbuild", [join("src", "entry.js"), "--bundle", "--minify", "--format=esm", "--log-level=warning", ...external, ...absent, `--outfile=${join(glue, "index.js")}`]);
  optimize(join(glue, "access_relay_bg.wasm"), join(glue, "index_bg.wasm"));
  for (const file of ["index_bg.wasm", "index.js"]) replace(join(root, glue, file), join(root, "build", file));
}

/** Puts a file in the place of another one, as a whole, and only if it differs: a `wrangler dev` may be serving what is there. */
function replace(from, to) {
  if (existsSync(to) && readFileSync(to).equals(readFileSync(from))) return;
  mkdirSync(join(root, "build"), { recursive: true });
  copyFileSync(from, `${to}.new`);
  renameSync(`${to}.new`, to);
}
