// `node bench/check.mjs`: how long `access-relay check` takes, process and all, for one route and for a thousand. `npm run package` first.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../scripts/tools.mjs";

const ROUNDS = 15;

const access = `workers_dev = false
preview_urls = false
[vars.RELAY.access]
issuer = "https://acme.cloudflareaccess.com"
audience = ["${"0f1e2d3c4b5a6978".repeat(4)}"]
`;
const route = (number) => `[[vars.RELAY.routes]]\npath = "/api/${number}"\nupstream = "https://api-${number}.acme.internal"\n`;
const wrangler = (routes, wrong) => access + Array.from({ length: routes }, (_, number) => route(number) + (wrong ? "timeout_ms = 0\n" : "")).join("");

const folder = mkdtempSync(join(tmpdir(), "access-relay-bench-"));
try {
  const works = { "1 route": wrangler(1), "1,000 routes": wrangler(1000), "1,000 routes, each wrong": wrangler(1000, true) };
  const times = Object.fromEntries(Object.keys(works).map((name) => [name, []]));
  // In turn, so that all have the same machine.
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, text] of Object.entries(works)) {
      const file = join(folder, "wrangler.toml");
      writeFileSync(file, text);
      const begin = performance.now();
      const { status } = spawnSync(process.execPath, [join(root, "cli", "main.mjs"), "check", file], { maxBuffer: 64 * 1024 * 1024 });
      times[name].push(performance.now() - begin);
      if (status !== (name.endsWith("wrong") ? 1 : 0)) throw new Error(`${name}: ended with ${status}`);
    }
  }
  for (const [name, list] of Object.entries(times)) {
    const sorted = list.toSorted((a, b) => a - b);
    process.stdout.write(`${name}: ${Math.round(sorted[ROUNDS >> 1])} ms (least ${Math.round(sorted[0])})\n`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
