// The package, unpacked: the command `access-relay` as it ships, without npm. It depends on nothing, so nothing is missing.

import { execFile, execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { root } from "../../scripts/tools.mjs";
import { makeFolder } from "./processes.mjs";
import { tarball } from "./tarball.mjs";

/** Unpacks it: the folder of what is in it. */
export function unpack() {
  const folder = makeFolder();
  execFileSync("tar", ["-xzf", tarball(), "-C", folder]);
  return join(folder, "package");
}

/** Every file below a folder, by its path from there. */
export const filesOf = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1))
    .sort();

/** The Node of whoever runs the tests: the command runs on Node 20, too, and the project's own Node is a newer one. */
export const nodeOfUsers = process.env.PATH.split(delimiter).filter((folder) => !folder.startsWith(root)).map((folder) => join(folder, "node")).find(existsSync) ?? process.execPath;

/** The command, in a folder, with no terminal: `{ status, out, err }`. */
export function commandOf(unpacked) {
  return (folder, ...args) =>
    new Promise((resolve) => {
      const child = execFile(nodeOfUsers, [join(unpacked, "cli", "main.mjs"), ...args], { cwd: folder, encoding: "utf8" }, (error, out, err) =>
        resolve({ status: error ? error.code : 0, out, err }),
      );
      child.stdin.end();
    });
}

export const textIn = (folder, file) => readFileSync(join(folder, file), "utf8");
