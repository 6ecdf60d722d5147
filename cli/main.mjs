#!/usr/bin/env node
// `access-relay`, the command. Exit status: 0 all is sound, 1 something is wrong, 2 it could not look.

import { run } from "./run.mjs";

// Whoever reads may have read enough: `access-relay --help | head -1`.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => process.exit());

process.exitCode = await run(process.argv.slice(2));
