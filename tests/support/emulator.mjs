// The emulator of Cloudflare Access, with its handles.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { env, root } from "../../scripts/tools.mjs";

/** Starts it on free ports, with `settings` on top of its defaults. */
export async function startEmulator(settings = {}) {
  const free = { team: { port: 0 }, control: { port: 0 }, app: { port: 0 }, api: { port: 0 } };
  for (const [key, value] of Object.entries(settings)) free[key] = typeof value === "object" && !Array.isArray(value) ? { ...free[key], ...value } : value;
  const child = spawn(join(root, "target", "debug", "access-emulator"), ["--until-stdin-closes", "--settings", JSON.stringify(free)], {
    env,
    cwd: root,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const line = await new Promise((resolve, reject) => {
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
      if (text.includes("\n")) resolve(text.split("\n")[0]);
    });
    child.on("exit", (status) => reject(new Error(`the emulator ended (${status})`)));
  });
  const addresses = JSON.parse(line);
  return {
    ...addresses,
    /** Calls a handle, as emulator/README.md lists them. */
    async control(handle, body = {}) {
      const answer = await fetch(new URL(handle, addresses.control_url), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      if (!answer.ok) throw new Error(`${handle}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    },
    async stats() {
      return (await fetch(new URL("/stats", addresses.control_url))).json();
    },
    /** A token; by default a person's for the app. */
    async mint(request = {}) {
      return (await this.control("/mint", request)).token;
    },
    async stop() {
      child.removeAllListeners("exit");
      const ended = new Promise((resolve) => child.on("exit", resolve));
      child.stdin.end();
      await ended;
    },
  };
}
