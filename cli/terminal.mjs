// What people see, and what they are asked.

import { createInterface } from "node:readline/promises";

/** Whether somebody is there to answer. */
export const somebodyIsThere = () => Boolean(process.stdin.isTTY && process.stdout.isTTY);

export const out = (line) => process.stdout.write(`${harmless(line)}\n`);
export const err = (line) => process.stderr.write(`${harmless(line)}\n`);

/** Text that somebody else may have written: what a terminal would obey is shown, all but line breaks and tabs. */
const harmless = (text) => text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** Whether what goes there may be in colours. */
export const coloursOn = (stream) => Boolean(stream.isTTY && !process.env.NO_COLOR);
export const inColours = () => coloursOn(process.stderr);

/** Lines of our own, in which nobody else's text is but what was cleaned before. */
export const tell = (lines) => process.stderr.write(`${lines}\n`);
export const tellOut = (lines) => process.stdout.write(lines);

const painted = (code, text) => (inColours() ? `\x1b[${code}m${text}\x1b[0m` : text);

/** A line of a file's, or of something else that has a name. */
export const warn = (line, about = "") => told(painted(33, "warning"), line, about);
export const wrong = (line, about = "") => told(painted(31, "error"), line, about);

const told = (mark, line, about) => process.stderr.write(`${about && `${harmless(about)}: `}${mark}: ${harmless(line)}\n`);

/** Asks for a text; what is proposed is taken if the answer is empty. */
export async function ask(question, proposed = "") {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    // At the end of its input, a question has no answer: Ctrl-D.
    const ended = new Promise((_, reject) => terminal.once("close", () => reject(new GoneAway())));
    const answer = await Promise.race([terminal.question(`${question}${proposed && ` [${proposed}]`}: `), ended]);
    return answer.trim() || proposed;
  } catch (error) {
    throw error.name === "AbortError" ? new GoneAway() : error;
  } finally {
    terminal.close();
  }
}

/** Somebody left instead of answering: Ctrl-C, or Ctrl-D. */
export class GoneAway extends Error {}

/** Asks whether to do something; an empty answer means what is usual. */
export async function confirm(question, usual) {
  const answer = await ask(`${question} ${usual ? "[Y/n]" : "[y/N]"}`);
  return answer === "" ? usual : /^y(es)?$/i.test(answer);
}

/** Asks for one of several, each with what it is for, until it is one of them. */
export async function choose(question, choices, proposed, why) {
  const width = Math.max(...Object.keys(choices).map((name) => name.length));
  for (const [name, about] of Object.entries(choices)) out(`  ${name.padEnd(width)}  ${about}`);
  for (;;) {
    const answer = await ask(`${question} (${proposed}: ${why})`, proposed);
    if (Object.hasOwn(choices, answer)) return answer;
    out(`  write one of ${Object.keys(choices).join(", ")}`);
  }
}
