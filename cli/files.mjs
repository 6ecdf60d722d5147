// Files: what is in a folder, and writing without losing anything.

import { closeSync, existsSync, fchmodSync, fsyncSync, lstatSync, mkdirSync, openSync, readFileSync, readdirSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import nodePath from "node:path";

/** What wrangler reads, the first one that is there (its own order). */
export const WRANGLER_FILES = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];

/** The wrangler files of a folder, the one that counts first. */
export const wranglerFilesIn = (folder) => WRANGLER_FILES.filter((name) => existsSync(nodePath.join(folder, name)));

/** A file's text, or undefined where there is none. */
export function textOf(file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    error.path ??= file;
    throw error;
  }
}

/** JSON, whose editor may have left a byte order mark. */
export const fromJson = (text) => JSON.parse(text.replace(/^\ufeff/, ""));

/** What is in a folder, for the companion to choose a form. */
export function described(folder) {
  const names = (within) => {
    try {
      return readdirSync(nodePath.join(folder, within));
    } catch (error) {
      if (["ENOENT", "ENOTDIR"].includes(error.code)) return [];
      throw error;
    }
  };
  const within = ["public", "dist"].flatMap((each) => names(each).map((name) => `${each}/${name}`));
  const [wrangler] = wranglerFilesIn(folder);
  return {
    files: [...names("."), ...within],
    package: textOf(nodePath.join(folder, "package.json")) ?? null,
    wrangler: wrangler ? [wrangler, textOf(nodePath.join(folder, wrangler))] : null,
  };
}

/** Writes a file, and the folders that it needs. A new one leads nowhere else: a link that is there already is no new file. */
export function write(folder, file, text, isNew) {
  const path = nodePath.join(folder, ...file.split("/"));
  mkdirSync(nodePath.dirname(path), { recursive: true });
  writeFileSync(path, text, { flag: isNew ? "wx" : "w" });
}

/**
 * A file that is there and may be replaced: `{ text, replace }`. `replace` writes all of it or nothing, and not over what somebody else has
 * written in the meantime. Throws, as a sentence, why it may not.
 */
export function replaceable(path) {
  const about = lstatSync(path);
  if (!about.isFile()) throw new Refusal(`${path}: found ${about.isSymbolicLink() ? "a link; name the file that it leads to" : "no file"}`);
  const bytes = readFileSync(path);
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Refusal(`${path}: found bytes that are no UTF-8; mend them first`);
  }
  const replace = (written) => {
    const beside = `${path}.${process.pid}.tmp`;
    const file = openSync(beside, "wx", about.mode & 0o777);
    try {
      try {
        fchmodSync(file, about.mode & 0o777);
        writeFileSync(file, written);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      if (!readFileSync(path).equals(bytes)) throw new Refusal(`${path}: somebody else has written it in the meantime; run this again`);
      renameSync(beside, path);
    } catch (error) {
      unlinkSync(beside);
      throw error;
    }
  };
  return { text, replace };
}

/** Why a file is left alone. */
export class Refusal extends Error {}

/** Every file below a folder, with `/` between its parts on every system, in order. */
export function filesBelow(folder, path = nodePath) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => withSlashes(path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)), path))
    .sort();
}

/** A path as wrangler and git write it. */
export const withSlashes = (relative, path = nodePath) => relative.split(path.sep).join("/");

/**
 * A file of an installed package, seen from a folder: in the nearest node_modules that has it, as Node looks for it, for a workspace
 * keeps it further up. `undefined` where there is none.
 */
export function installed(folder, file, isThere = existsSync, path = nodePath) {
  const within = path.join("node_modules", ...file.split("/"));
  for (let above = folder; ; above = path.dirname(above)) {
    if (isThere(path.join(above, within))) return withSlashes(path.relative(folder, path.join(above, within)), path);
    if (path.dirname(above) === above) return undefined;
  }
}

/** Where the package's script lies, or will lie, seen from a project. */
export function scriptFrom(project, isThere = existsSync, path = nodePath) {
  const script = "access-relay/build/index.js";
  return installed(project, script, isThere, path) ?? `node_modules/${script}`;
}

/**
 * A package.json with what is missing from it, and what that is, as pairs of key and value; what is there stays as it is. Of a
 * `project` that is there already, only commands and packages are added.
 */
export function withMissing(text, wanted, project) {
  const table = fromJson(text);
  const added = [];
  const dependsOn = (name) => ["dependencies", "devDependencies"].some((kind) => table[kind]?.[name] !== undefined);
  for (const [kind, values] of Object.entries(wanted)) {
    if (!["scripts", "dependencies", "devDependencies", "allowScripts"].includes(kind)) {
      if (!project && table[kind] === undefined) table[kind] = values;
      continue;
    }
    for (const [name, value] of Object.entries(values)) {
      if (kind.endsWith("ependencies") ? dependsOn(name) : table[kind]?.[name] !== undefined) continue;
      table[kind] = { ...table[kind], [name]: value };
      added.push([`${kind}.${name}`, value]);
    }
  }
  const indent = text.match(/^[ \t]+(?=")/m)?.[0] ?? "  ";
  const written = `${JSON.stringify(table, null, indent)}\n`;
  return { text: text.includes("\r\n") ? written.replaceAll("\n", "\r\n") : written, added };
}

/** A .gitignore with the lines that are missing from it, and which those are. */
export function withLines(text, wanted) {
  const same = (line) => line.trim().replace(/\/$/, "");
  const there = new Set(text.split("\n").map(same));
  const missing = wanted.filter((line) => !there.has(same(line)));
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  const end = text === "" || text.endsWith("\n") ? "" : newline;
  return { text: `${text}${end}${missing.map((line) => line + newline).join("")}`, added: missing.map((line) => [line]) };
}
