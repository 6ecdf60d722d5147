// WebKit as GTK has it, by its WebDriver, on a display that nobody sees. In place of MiniBrowser, which writes no console in
// automation, it drives webkit.py.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PYTHON, findWebKit } from "../../../scripts/tools.mjs";
import { begin, freePort, makeFolder } from "../processes.mjs";
import { WebDriverBrowser, until } from "./webdriver.mjs";

const browser = fileURLToPath(new URL("webkit.py", import.meta.url));

/** WebDriver's commands, as HTTP has them (WebDriver §6.2). */
const ENDPOINTS = {
  "Set Timeouts": ["POST", "timeouts"],
  "Get Window Handle": ["GET", "window"],
  "Get Window Handles": ["GET", "window/handles"],
  "Switch To Window": ["POST", "window"],
  "Close Window": ["DELETE", "window"],
  "Switch To Frame": ["POST", "frame"],
  "Navigate To": ["POST", "url"],
  "Get Current URL": ["GET", "url"],
  "Get Title": ["GET", "title"],
  "Find Elements": ["POST", "elements"],
  "Element Click": ({ id, ...rest }) => ["POST", `element/${id}/click`, rest],
  "Element Clear": ({ id, ...rest }) => ["POST", `element/${id}/clear`, rest],
  "Element Send Keys": ({ id, ...rest }) => ["POST", `element/${id}/value`, rest],
  "Execute Async Script": ["POST", "execute/async"],
  "Get All Cookies": ["GET", "cookie"],
};

/** Starts WebKit with a fresh profile. It takes every cookie that is not `Secure`, and by https those as well; any certificate does. */
export async function launchWebKit() {
  const home = makeFolder();
  const log = join(home, "console");
  // It takes a free display, and says which.
  const screen = begin("Xvfb", ["-displayfd", "1", "-screen", "0", "1600x1200x24", "-nolisten", "tcp"], home);
  const display = await until(() => screen.output().match(/^(\d+)\n/m)?.[1], () => `Xvfb does not start:\n${screen.output()}`);
  const port = await freePort();
  const alone = { DISPLAY: `:${display}`, HOME: home, XDG_RUNTIME_DIR: home, LIBGL_ALWAYS_SOFTWARE: "1", GTK_A11Y: "none", NO_AT_BRIDGE: "1" };
  const driver = begin(findWebKit(), [`--port=${port}`], home, { ...process.env, ...alone, CONSOLE: log });
  const call = async (method, path, body) => {
    const answer = await fetch(`http://127.0.0.1:${port}/${path}`, { method, body: body && JSON.stringify(body) });
    const { value } = await answer.json();
    if (value?.error) throw new Error(`${value.error}: ${value.message}`);
    return value;
  };
  await until(() => call("GET", "status").catch(() => undefined), "WebKitWebDriver does not answer");
  const wanted = { acceptInsecureCerts: true, "webkitgtk:browserOptions": { binary: PYTHON, args: [browser, "--automation"] } };
  const { sessionId, capabilities } = await call("POST", "session", { capabilities: { alwaysMatch: wanted } });
  const send = (command, parameters) => {
    const endpoint = ENDPOINTS[command];
    const [method, path, body = parameters] = typeof endpoint === "function" ? endpoint(parameters) : endpoint;
    return call(method, `session/${sessionId}/${path}`, method === "POST" ? (body ?? {}) : undefined);
  };
  let read = 0;
  return Object.assign(await new WebDriverBrowser(send).begin(), {
    version: `WebKitGTK ${capabilities.browserVersion}`,
    /** What the console has said since the last question. */
    console() {
      const text = existsSync(log) ? readFileSync(log, "utf8") : "";
      const fresh = text.slice(read);
      read = text.length;
      return fresh.split(/^(?=CONSOLE )/m).map((message) => message.trim()).filter(Boolean);
    },
    downloads: join(home, "Downloads"),
    async close() {
      await call("DELETE", `session/${sessionId}`).catch(() => {});
      for (const process of [driver, screen]) await process.stop();
    },
  });
}
