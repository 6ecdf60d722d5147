// The transcripts in the docs, replayed: what a reader would type there, and every line that the command answers.
//
// A block of the language `console` has commands, each after `$ `, and below each its output. The files that a page shows above it, each
// in a block after a line that ends with the file's name ("`wrangler.toml`:"), lie in the folder. A line `…` stands for any lines.
// `WRITE_TRANSCRIPTS=1` writes the outputs into the pages.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "../../scripts/tools.mjs";
import { commands } from "../../cli/help.mjs";
import { startEmulator } from "../support/emulator.mjs";
import { makeFolder } from "../support/processes.mjs";
import { unpack } from "../support/unpacked.mjs";

const docs = join(root, "docs");
const pages = readdirSync(docs).filter((name) => name.endsWith(".md"));
const programs = makeFolder({ npx: `#!/bin/sh\nshift\nexec '${process.execPath}' '${join(unpack(), "cli", "main.mjs")}' "$@"\n` });
chmodSync(join(programs, "npx"), 0o755);

let emulator;
before(async () => (emulator = await startEmulator()));
after(() => emulator?.stop());

/** The page, with what the commands answer below them, and the commands. */
function replay(page) {
  const folder = makeFolder();
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const [written, typed] = [[], []];
  let [before, block] = ["", undefined];
  for (const line of readFileSync(join(docs, page), "utf8").split("\n")) {
    const [, indent, language] = line.match(/^( *)```(\w*)(?: [\w -]+)?$/) ?? [];
    if (block === undefined) {
      if (language !== undefined) block = { indent, language, file: before.match(/`([^`]+)`:$/)?.[1], lines: [] };
      else if (line.trim() !== "") before = line;
      written.push(line);
      continue;
    }
    if (language !== "") {
      block.lines.push(line.slice(block.indent.length));
      if (block.language !== "console") written.push(line);
      continue;
    }
    const text = `${block.lines.join("\n")}\n`;
    // What doctor looks at is the emulator, so the file leads there, too.
    if (block.file) writeFileSync(join(folder, block.file), page === "doctor.md" ? toEmulator(text) : text);
    if (block.language === "console") written.push(...session(folder, block.lines, typed).map((line) => `${block.indent}${line}`.trimEnd()));
    written.push(line);
    [before, block] = ["", undefined];
  }
  return { text: written.join("\n"), typed };
}

function session(folder, lines, typed) {
  const told = [];
  for (let at = 0; at < lines.length; ) {
    assert.ok(lines[at].startsWith("$ "), `a command: ${lines[at]}`);
    const command = [lines[at++]];
    while (command.at(-1).endsWith("\\")) command.push(lines[at++]);
    const expected = [];
    while (at < lines.length && !lines[at].startsWith("$ ")) expected.push(lines[at++]);
    const script = command.join("\n").slice(2);
    typed.push(script);
    const { stdout } = spawnSync("sh", ["-c", `exec 2>&1\n${forEmulator(script)}`], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, PATH: programs + delimiter + process.env.PATH, NO_COLOR: "1" },
    });
    const answered = asInDocs(stdout).replace(/\n$/, "").split("\n").filter((line, _, all) => all.length > 1 || line !== "");
    told.push(...command, ...shortened(answered, expected));
  }
  return told;
}

/** The output, with what `…` stands for left out again, as long as the rest is the same. */
function shortened(answered, expected) {
  const at = expected.indexOf("…");
  if (at < 0) return answered;
  const [head, tail] = [expected.slice(0, at), expected.slice(at + 1)];
  const fits = head.every((line, index) => line === answered[index]) && tail.every((line, index) => line === answered.at(index - tail.length));
  return fits && head.length + tail.length < answered.length ? expected : answered;
}

/** What the docs name, and what stands in its place: where somebody has to answer, it is the emulator. */
const names = () => [
  ["https://app.example.com", emulator.app_local_url],
  ["https://api.example.com", emulator.api_local_url],
  ["https://acme.cloudflareaccess.com", emulator.issuer],
  ["4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2", emulator.app_aud],
  ["app.example.com", new URL(emulator.app_url).hostname],
  ["api.example.com", new URL(emulator.api_url).hostname],
];
const toEmulator = (text) => names().slice(0, 4).reduce((text, [name, value]) => text.replaceAll(name, value), text);
const forEmulator = (script) => (/ (init|doctor) /.test(script) ? toEmulator(script) : script);
const asInDocs = (text) => names().reduce((text, [name, value]) => text.replaceAll(value, name), text);

test("each transcript is what a reader gets, and each command has one", () => {
  const typed = [];
  for (const page of pages) {
    const replayed = replay(page);
    typed.push(...replayed.typed);
    if (process.env.WRITE_TRANSCRIPTS) writeFileSync(join(docs, page), replayed.text);
    assert.equal(replayed.text, readFileSync(join(docs, page), "utf8"), page);
  }
  for (const name of Object.keys(commands)) assert.ok(typed.some((command) => command.includes(`npx access-relay ${name}`)), `${name} has a transcript`);
});
