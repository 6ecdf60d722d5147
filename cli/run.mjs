// From the words of a command line to a command.

import { parseArgs } from "node:util";
import { commands, helpOf, overview } from "./help.mjs";
import { GoneAway, err, out } from "./terminal.mjs";
import { version } from "./version.mjs";

/** Runs a command; its exit status. */
export async function run(words) {
  const [name, ...rest] = words;
  if (name === undefined) {
    err(overview());
    return 2;
  }
  if (name === "help" && rest.length > 0) return run([rest[0], "--help"]);
  if (["help", "--help", "-h"].includes(name)) {
    out(overview());
    return 0;
  }
  if (name === "--version" || name === "-v") {
    out(version);
    return 0;
  }
  if (name === "check") await import("./quickly.mjs");
  // The companion redacts whatever is printed from here on, words of the command line too.
  const { Mistake, redacted, toJson } = await import("./companion.mjs");
  if (!Object.hasOwn(commands, name)) {
    err(redacted(`there is no command ${JSON.stringify(name)}; access-relay --help lists what there is`));
    return 2;
  }
  const { options, load, rest: ending } = commands[name];
  // From this word on, the line is somebody else's.
  const end = ending === undefined ? -1 : rest.indexOf(ending);
  const [own, others] = end < 0 ? [rest] : [rest.slice(0, end), rest.slice(end)];
  let given;
  try {
    given = parseArgs({ args: own, options: { ...options, help: { type: "boolean", short: "h" } }, allowPositionals: true });
  } catch (error) {
    err(redacted(`${error.message.split(". To specify")[0]}; access-relay ${name} --help lists the options`));
    return 2;
  }
  if (given.values.help) {
    out(helpOf(name));
    return 0;
  }
  try {
    return await (await load())(given.positionals, given.values, others);
  } catch (error) {
    if (error instanceof GoneAway) {
      err("\nNothing was written.");
      return 130;
    }
    const lines = error instanceof Mistake ? error.lines : fault(error);
    if (lines === undefined) throw error;
    if (given.values.json) out(toJson({ errors: lines }));
    else lines.forEach((line) => err(redacted(line)));
    return 2;
  }
}

/** What the system refuses: a file that cannot be read or written. */
const fault = ({ code, path, syscall }) => (code && syscall && path ? [`${path}: cannot be used (${code})`] : undefined);
