// Firefox, by Marionette: the protocol in which geckodriver talks to it. Beside WebDriver's commands it reads the console's own
// messages, those about CORS among them, which WebDriver BiDi does not tell.

import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { findFirefox } from "../../../scripts/tools.mjs";
import { begin, makeFolder } from "../processes.mjs";
import { WebDriverBrowser, until } from "./webdriver.mjs";

/** WebDriver's commands as Marionette names them, where that is not `WebDriver:` and the words. */
const NAMES = { "Navigate To": "Navigate", "Get All Cookies": "GetCookies" };

const PREFERENCES = {
  // Third parties' cookies are let through, as Chrome does: else no request of a foreign page has the login, and nothing is proven.
  "network.cookie.cookieBehavior": 0,
  "dom.disable_open_during_load": false,
  "media.autoplay.default": 0,
  // Nothing is asked of the network that a test has not asked for.
  "app.normandy.enabled": false,
  "app.update.enabled": false,
  "browser.safebrowsing.downloads.remote.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.homepage_override.mstone": "ignore",
  "datareporting.policy.dataSubmissionEnabled": false,
  "extensions.update.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "data:,#remote-settings-dummy/v1",
  "toolkit.telemetry.server": "",
};

/** Starts Firefox without a window, with a fresh profile. */
export async function launchFirefox({ preferences = {} } = {}) {
  const lines = Object.entries({ ...PREFERENCES, "marionette.port": 0, ...preferences }).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`);
  const profile = makeFolder({ "user.js": lines.join("") });
  const flags = ["--headless", "--no-remote", "--marionette", "--remote-allow-system-access", "--profile", profile, "about:blank"];
  const child = begin(findFirefox(), flags, profile, { ...process.env, HOME: profile, MOZ_CRASHREPORTER_DISABLE: "1" });
  // It writes down which port it has taken.
  const file = join(profile, "MarionetteActivePort");
  const taken = () => existsSync(file) && readFileSync(file, "utf8");
  const port = Number(await until(taken, () => `Firefox does not listen:\n${child.output()}`, 60_000));
  const { call, end } = await connect(port);
  const { capabilities } = await call("WebDriver:NewSession", { capabilities: { alwaysMatch: { acceptInsecureCerts: true } } });
  const send = async (command, parameters = {}) => {
    const answer = await call(`WebDriver:${NAMES[command] ?? command.replaceAll(" ", "")}`, parameters);
    return answer !== null && typeof answer === "object" && "value" in answer ? answer.value : answer;
  };
  const browser = await new WebDriverBrowser(send).begin();
  const chrome = async (script) => {
    await call("Marionette:SetContext", { value: "chrome" });
    const { value } = await call("WebDriver:ExecuteScript", { script, args: [] });
    await call("Marionette:SetContext", { value: "content" });
    return value;
  };
  return Object.assign(browser, {
    version: `Firefox ${capabilities.browserVersion}`,
    /** What the console has said since the last question. */
    console: () => chrome("const texts = Services.console.getMessageArray().map((message) => message.errorMessage ?? message.message); Services.console.reset(); return texts;"),
    downloads: join(profile, "Downloads"),
    async close() {
      end();
      await child.stop();
    },
  });
}

/** A connection: each message is its length, a colon, and JSON (Marionette's protocol, version 3). */
async function connect(port) {
  const socket = createConnection({ port, host: "127.0.0.1" });
  await once(socket, "connect");
  const waiting = new Map();
  let [buffer, last] = [Buffer.alloc(0), 0];
  socket.on("data", (bytes) => {
    buffer = Buffer.concat([buffer, bytes]);
    for (let colon = buffer.indexOf(":"); colon > 0; colon = buffer.indexOf(":")) {
      const end = colon + 1 + Number(buffer.subarray(0, colon));
      if (buffer.length < end) return;
      const message = JSON.parse(buffer.subarray(colon + 1, end));
      buffer = buffer.subarray(end);
      // The first one is a greeting.
      if (!Array.isArray(message)) continue;
      const [, id, error, result] = message;
      const { resolve, reject } = waiting.get(id);
      waiting.delete(id);
      if (error) reject(new Error(`${error.error}: ${error.message}`));
      else resolve(result);
    }
  });
  const lost = () => waiting.forEach(({ reject }) => reject(new Error("Firefox has gone")));
  socket.on("error", lost).on("close", lost);
  return {
    call: (name, parameters) =>
      new Promise((resolve, reject) => {
        waiting.set(++last, { resolve, reject });
        const text = JSON.stringify([0, last, name, parameters]);
        socket.write(`${Buffer.byteLength(text)}:${text}`);
      }),
    end: () => socket.end(),
  };
}
