// Builds the companion as the command line calls it, in build/, and what it tells of the configuration: schema and types.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installBuildTools, root, run, say } from "./tools.mjs";
import { compileWasm, optimize } from "./wasm.mjs";

export async function buildCompanion() {
  await installBuildTools();
  say("building the companion");
  const glue = join("target", "wasm-bindgen-companion");
  compileWasm("access-relay-companion-wasm", glue);
  run("esbuild", [join(glue, "access_relay_companion_wasm.js"), "--minify", "--format=esm", "--log-level=warning", `--outfile=${join("build", "companion.js")}`]);
  optimize(join(glue, "access_relay_companion_wasm_bg.wasm"), join("build", "companion_bg.wasm"));
  const { bundledSchema, schemaOfFile, types } = await import("../cli/companion.mjs");
  // Where npm puts both packages side by side.
  writeFileSync(join(root, "build", "schema.json"), schemaOfFile("../../wrangler/config-schema.json"));
  // For who follows no reference: Taplo, and with it most editors of TOML. Without its indents, for it is large.
  const wrangler = (file) => readFileSync(join(root, "node_modules", "wrangler", file), "utf8");
  const bundled = bundledSchema(wrangler("config-schema.json"), JSON.parse(wrangler("package.json")).version);
  writeFileSync(join(root, "build", "schema-bundled.json"), `${JSON.stringify(JSON.parse(bundled))}\n`);
  writeFileSync(join(root, "build", "index.d.ts"), types());
}
