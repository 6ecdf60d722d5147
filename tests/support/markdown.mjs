// Markdown as GitHub reads it: the blocks of code, the links and the anchors of a page.

/** The line that opens a block of code: its indent, fence, language, and the words after that. */
const FENCE = /^( *)(```+|~~~+)([\w-]*)((?: +[\w=./-]+)*) *$/;

/**
 * Takes a page apart: `blocks` of code, each with `language`, `marks` (the words after the language), `file` (its name, if the line above
 * ends with it: "`wrangler.toml`:"), `section`, `lines`, and `at`, the number of its first line; and `prose`, all other lines, with an empty
 * one in place of each line of code.
 */
export function parts(text) {
  const [blocks, prose] = [[], []];
  let [open, before, section] = [undefined, "", ""];
  for (const [index, line] of text.split("\n").entries()) {
    const [, indent, fence, language, marks] = line.match(FENCE) ?? [];
    if (open === undefined && fence !== undefined) {
      open = { indent, fence, language, marks: marks.split(" ").filter(Boolean), file: before.match(/`([^`]+)`:$/)?.[1], section, lines: [], at: index + 2 };
    } else if (open !== undefined && line.trim() === open.fence) {
      blocks.push(open);
      [open, before] = [undefined, ""];
    } else if (open !== undefined) {
      open.lines.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line.trimStart());
    } else {
      if (/^#+ /.test(line)) section = line.replace(/^#+ /, "");
      if (line.trim() !== "") before = line;
      prose.push(line);
      continue;
    }
    prose.push("");
  }
  if (open !== undefined) throw new Error(`line ${open.at - 1}: the block of code has no end`);
  return { blocks, prose };
}

/** What a reader sees of a heading: no marks of code or emphasis, of a link its text, of an image nothing. */
const seen = (heading) => heading.replace(/!\[[^\]]*\]\([^)]*\)/g, "").replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[`*]/g, "");

/**
 * The anchors of a page, as GitHub makes them of its headings: lower case; letters, digits, `_`, `-` and spaces, and of those a `-` each;
 * a heading that is there already gets `-1`, then `-2`.
 */
export function anchorsOf(text) {
  const anchors = new Set();
  for (const line of parts(text).prose) {
    const [, heading] = line.match(/^ {0,3}#{1,6} +(.*?)(?: +#+)? *$/) ?? [];
    if (heading === undefined) continue;
    const anchor = seen(heading).trim().toLowerCase().replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, "").replaceAll(" ", "-");
    let unique = anchor;
    for (let count = 1; anchors.has(unique); count++) unique = `${anchor}-${count}`;
    anchors.add(unique);
  }
  return anchors;
}

/** The links of a page, outside of code: `{ target, line }`, of inline links, images, definitions and addresses in angle brackets. */
export function linksOf(text) {
  const links = [];
  for (const [index, raw] of parts(text).prose.entries()) {
    const line = raw.replace(/(`+)[^`].*?\1/g, (code) => " ".repeat(code.length));
    const found = [
      ...line.matchAll(/\]\(\s*<?([^()\s<>]*(?:\([^()\s]*\)[^()\s<>]*)*)>?(?:\s+"[^"]*")?\s*\)/g),
      ...line.matchAll(/^ {0,3}\[[^\]]+\]:\s*<?(\S+?)>?\s*$/g),
      ...line.matchAll(/<(https?:[^>\s]*)>/g),
    ];
    for (const [, target] of found) links.push({ target, line: index + 1 });
  }
  return links;
}
