// What the scripts share: running commands, and installing what is missing with the project's own means.
//
// Everything lands inside the project (`.tools/`, `node_modules/`, `target/`), so that a second run finds it there.

import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
export const bin = join(root, "node_modules", ".bin");
const cargoRoot = join(root, ".tools", "cargo");
export const cargoBin = join(cargoRoot, "bin");

/**
 * The pinned build tools from crates.io, by the names of their programs. wasm-bindgen-cli must be the version of wasm-bindgen in
 * Cargo.lock; its default feature is for downloads that its test runner makes.
 */
const cargoTools = {
  "wasm-bindgen": { crate: "wasm-bindgen-cli", version: lockedVersion("wasm-bindgen"), options: ["--no-default-features"] },
  "cargo-deny": { crate: "cargo-deny", version: "0.20.2", options: [] },
  // It says its version as a command of Cargo's only.
  "cargo-mutants": { crate: "cargo-mutants", version: "27.1.0", options: [], command: ["mutants"] },
  // For one peer of the bench.
  "worker-build": { crate: "worker-build", version: "0.8.7", options: [] },
};

/** They run for a second: optimising them takes three times as long as compiling them does. */
const QUICKLY = { CARGO_PROFILE_DEV_DEBUG: "false", CARGO_PROFILE_DEV_INCREMENTAL: "false", CARGO_TARGET_DIR: undefined };

/** The environment of every command: the project's own tools first, Node 22 for wrangler among them, and Cargo's results in target/. */
export const env = {
  ...process.env,
  PATH: [bin, cargoBin, process.env.PATH].join(delimiter),
  CARGO_TARGET_DIR: join(root, "target"),
  WRANGLER_SEND_METRICS: "false",
};

/** Says what is going on, on a line of its own. */
export function say(text) {
  process.stdout.write(`\x1b[36m▸\x1b[0m ${text}\n`);
}

/** Ends with a message instead of a stack trace. */
export function fail(text) {
  process.stderr.write(`\x1b[31m✗\x1b[0m ${text}\n`);
  process.exit(1);
}

/** Runs a command to its end with its output shown; ends the script where it fails. `variables` go on top of `env`. */
export function run(command, args, { variables = {}, ...options } = {}) {
  const result = spawnSync(command, args, { cwd: root, env: { ...env, ...variables }, stdio: "inherit", ...options });
  if (result.error) fail(`${command} could not be started: ${result.error.message}`);
  if (result.status !== 0) fail(`${[command, ...args].join(" ")} failed (${result.signal ?? `exit status ${result.status}`})`);
  return result;
}

/** The same beside others, which go on meanwhile. */
export function runBeside(command, args, { variables = {} } = {}) {
  return new Promise((resolve) => {
    const child = start(command, args, { env: { ...env, ...variables }, stdio: "inherit" });
    child.on("error", (error) => fail(`${command} could not be started: ${error.message}`));
    child.on("exit", (status, signal) => (status === 0 ? resolve() : fail(`${[command, ...args].join(" ")} failed (${signal ?? `exit status ${status}`})`)));
  });
}

/** Runs a command quietly; its output, or undefined where it fails. */
export function ask(command, args) {
  const result = spawnSync(command, args, { cwd: root, env, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/** Starts a command that goes on beside the script. */
export function start(command, args, options = {}) {
  return spawn(command, args, { cwd: root, env, ...options });
}

/** npm's packages, Rust's Wasm target and the build tools: what every build needs, side by side. */
export async function installBuildTools() {
  installRust();
  await Promise.all([installPackages(), installCargoTool("wasm-bindgen")]);
}

/** `npm ci`, unless npm has installed since the lock file changed: it writes that file in node_modules last of all. */
export async function installPackages() {
  const time = (file) => statSync(join(root, file), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (time("node_modules/.package-lock.json") >= time("package-lock.json")) return;
  say("installing npm packages");
  await runBeside("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
}

/** The Rust of rust-toolchain.toml, and its Wasm target. */
export function installRust() {
  if (ask("cargo", ["--version"]) === undefined && onPath("rustup")) run("rustup", ["toolchain", "install"]);
  if (ask("cargo", ["--version"]) === undefined) fail("Rust is missing: install it from https://rustup.rs, then run this again");
  const sysroot = ask("rustc", ["--print", "sysroot"]);
  if (sysroot && existsSync(join(sysroot, "lib", "rustlib", "wasm32-unknown-unknown"))) return;
  if (!onPath("rustup")) fail("this Rust has no target wasm32-unknown-unknown: install Rust from https://rustup.rs, then run this again");
  say("adding Rust's wasm32-unknown-unknown target");
  run("rustup", ["target", "add", "wasm32-unknown-unknown"]);
}

/** rustfmt and clippy, which rustup's minimal profile leaves out. */
export function installRustComponents() {
  for (const [component, probe] of [["rustfmt", "fmt"], ["clippy", "clippy"]]) {
    if (ask("cargo", [probe, "--version"]) === undefined) run("rustup", ["component", "add", component]);
  }
}

export async function installCargoTool(name) {
  const { crate, version, options, command = [] } = cargoTools[name];
  const installed = ask(join(cargoBin, name), [...command, "--version"]) ?? "";
  if (installed.split(/\s+/).includes(version)) return;
  say(`compiling ${crate} ${version} into .tools/ (once; about a minute)`);
  mkdirSync(cargoRoot, { recursive: true });
  await runBeside("cargo", ["install", crate, "--version", version, "--locked", "--force", "--debug", "--bin", name, "--root", cargoRoot, ...options], { variables: QUICKLY });
}

/** Where a browser is: $CHROMIUM, a Chromium or Chrome on the path; else it is installed. */
export function installBrowser() {
  const known = [process.env.CHROMIUM, ...["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"].map(onPath)];
  const found = known.find((path) => path && existsSync(path));
  if (found) return found;
  if (installDebianPackages("chromium")) return onPath("chromium") ?? fail("Chromium was installed, yet is not on the path");
  say("installing Chromium (Playwright's build)");
  run("playwright-core", ["install", "chromium"]);
  return undefined; // Playwright finds its own build by itself.
}

/** Where Firefox is: Debian's, or another one on the path. */
export const findFirefox = () => ["firefox-esr", "firefox"].map(onPath).find(Boolean);

/** The Python of the system, which knows its WebKit. */
export const PYTHON = "/usr/bin/python3";

/** Where WebKit's driver is, if all is there that the tests need with it. */
export function findWebKit() {
  const knowsWebKit = () => ask(PYTHON, ["-c", 'import gi; gi.require_version("Gtk", "3.0"); gi.require_version("WebKit2", "4.1")']) !== undefined;
  const isThere = onPath("Xvfb") && onPath("openssl") && knowsWebKit();
  return isThere ? onPath("WebKitWebDriver") : undefined;
}

/** The engines of the browser tests beside Chromium, and Debian's packages that have them. */
const ENGINES = {
  Firefox: [findFirefox, ["firefox-esr"]],
  WebKit: [findWebKit, ["webkit2gtk-driver", "gir1.2-webkit2-4.1", "python3-gi", "xvfb", "openssl"]],
};

/** Installs Firefox and WebKit where Debian's packages can be installed; the names of the engines that are there, and of those that are not. */
export function installEngines() {
  for (const [find, packages] of Object.values(ENGINES)) if (!find()) installDebianPackages(...packages);
  const isThere = (name) => ENGINES[name][0]() !== undefined;
  return { present: ["Chromium", ...Object.keys(ENGINES).filter(isThere)], missing: Object.keys(ENGINES).filter((name) => !isThere(name)) };
}

/** Installs packages of Debian's, where there are some and we are root, or a CI that may become it; whether it did. */
export function installDebianPackages(...names) {
  if (process.platform !== "linux" || !onPath("apt-get")) return false;
  const isRoot = process.getuid() === 0;
  if (!isRoot && !(process.env.CI && onPath("sudo"))) return false;
  const aptGet = (args) => {
    const words = ["apt-get", ...args];
    const [command, ...rest] = isRoot ? words : ["sudo", "--non-interactive", "DEBIAN_FRONTEND=noninteractive", ...words];
    return spawnSync(command, rest, { env: { ...env, DEBIAN_FRONTEND: "noninteractive" }, stdio: ["ignore", "ignore", "inherit"] }).status === 0;
  };
  say(`installing ${names.join(", ")} (Debian's packages)`);
  return aptGet(["update", "-qq"]) && aptGet(["install", "-y", "-qq", "--no-install-recommends", ...names]);
}

/** The full path of a program on the path. */
export function onPath(program) {
  for (const folder of env.PATH.split(delimiter)) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here.
    }
  }
  return undefined;
}

function lockedVersion(crate) {
  const lock = readFileSync(join(root, "Cargo.lock"), "utf8");
  return lock.match(new RegExp(`name = "${crate}"\nversion = "([^"]+)"`))[1];
}
