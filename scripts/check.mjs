// `npm run check`: `access-relay check` from a clone.

import { buildCompanion } from "./companion.mjs";

await buildCompanion();
const { run } = await import("../cli/run.mjs");
process.exitCode = await run(["check", ...process.argv.slice(2)]);
