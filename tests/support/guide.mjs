// A page of the docs that a reader follows: the files to copy, and the commands to type.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/tools.mjs";

/**
 * Reads a page: what a section has, by its heading, up to the next heading of whatever level. A block is a file if the line
 * before it ends with the file's name: "`.dev.vars`:". The lines of the other `sh` blocks are commands; `rows` are those of its tables.
 */
export function readGuide(name) {
  const sections = new Map();
  let section;
  let block;
  let before = "";
  for (const line of readFileSync(join(root, "docs", name), "utf8").split("\n")) {
    const [, indent, language] = line.match(/^( *)```(\w*)(?: [\w -]+)?$/) ?? [];
    if (block === undefined && language) {
      const file = before.match(/`([^`]+)`:$/)?.[1];
      block = { indent, language, file, lines: [] };
    } else if (block !== undefined && language === "") {
      if (block.file) section.files[block.file] = `${block.lines.join("\n")}\n`;
      else if (block.language === "sh") section.commands.push(...block.lines);
      [block, before] = [undefined, ""];
    } else if (block !== undefined) {
      block.lines.push(line.slice(block.indent.length));
    } else if (/^#+ /.test(line)) {
      section = { files: {}, commands: [], rows: [] };
      sections.set(line.replace(/^#+ /, ""), section);
    } else {
      if (line.startsWith("| ")) section.rows.push(line.slice(1, -1).split("|").map((cell) => cell.trim()));
      if (line.trim() !== "") before = line;
    }
  }
  return (heading) => {
    assert.ok(sections.has(heading), `${name} has a section "${heading}"`);
    return sections.get(heading);
  };
}

/** A text with other values in place of its examples. Each example must be there. */
export function fill(text, values) {
  for (const [example, value] of Object.entries(values)) {
    assert.ok(text.includes(example), `"${example}" is in:\n${text}`);
    text = text.replaceAll(example, value);
  }
  return text;
}
