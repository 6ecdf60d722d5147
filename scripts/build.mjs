// `npm run build`: leaves in build/ what `wrangler deploy` uploads. wrangler.toml names this as its build command.
import { buildWorker } from "./worker.mjs";

await buildWorker();
