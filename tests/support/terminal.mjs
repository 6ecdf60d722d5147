// Command lines as somebody types them in a folder, to their end or as servers.

import { delimiter } from "node:path";
import { begin, variables } from "./processes.mjs";

/** A terminal in a folder. The shell finds the programs in `programs` before others. */
export function openTerminal(folder, { programs = "" } = {}) {
  const env = { ...variables, PATH: [programs, variables.PATH].filter(Boolean).join(delimiter) };
  return {
    /** Runs a line to its end, which must be good; all that it printed. */
    async run(line) {
      const command = begin("sh", ["-c", line], folder, env);
      const status = await command.ended;
      if (status !== 0) throw new Error(`${line}: exit status ${status}\n${command.output()}`);
      return command.output();
    },
    /** Starts a server, and waits until it names its address: its port, what it has printed, and `stop()`. */
    async serve(line) {
      const command = begin("sh", ["-c", line], folder, env);
      const named = (async () => {
        for (const deadline = Date.now() + 60_000; Date.now() < deadline; await new Promise((resolve) => setTimeout(resolve, 50))) {
          const port = command.output().match(/(?:Ready on|Local:) +http:\/\/[\w.]+:(\d+)/)?.[1];
          if (port) return Number(port);
        }
      })();
      const port = await Promise.race([named, command.ended.then(() => undefined)]);
      if (port === undefined) {
        await command.stop();
        throw new Error(`${line}: no server\n${command.output()}`);
      }
      return { port, output: command.output, stop: command.stop };
    },
  };
}
