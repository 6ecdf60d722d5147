// How many instructions workerd executes from its start to the end of its first requests, counted by callgrind (valgrind): a figure
// that other work on the machine does not change. V8 has a single thread here, for when it gets to what it compiles on another one is
// luck. The kernel's own instructions are not counted.

import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { onPath } from "../scripts/tools.mjs";
import { asked, end, startWorkerd } from "./processes.mjs";
import { requestsOf } from "./traffic.mjs";
import { YOUNG_REQUESTS } from "./works.mjs";

/** Whether this machine can count. */
export const canCount = () => ["valgrind", "callgrind_control"].every(onPath);

/** One round of counts, for they repeat. Each takes a core for half a minute or more. */
export async function measureInstructions(_, entrants, _seconds, context) {
  const waiting = [...entrants];
  const counts = {};
  const countSome = async () => {
    for (let entrant = waiting.shift(); entrant; entrant = waiting.shift()) counts[entrant.name] = await count(entrant, context);
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), entrants.length) }, countSome));
  return [Object.fromEntries(entrants.map(({ name }) => [name, counts[name]]))];
}

/** The instructions for a request of an entrant. */
async function count({ name, prepared, request }, { newLoad, key, folder }) {
  const load = newLoad();
  // The pipes by which callgrind is asked: else they are left in /tmp.
  const pipes = `--vgdb-prefix=${join(folder, "vgdb")}`;
  const { child, port, said } = startWorkerd({ ...prepared, config: prepared.steady }, ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", pipes]);
  const { error } = await asked(load, { port: await port, request: requestsOf(prepared, key)[request], requests: YOUNG_REQUESTS, connections: 4 });
  if (error) throw new Error(`${name}: ${error}\n${said()}`);
  const instructions = executed(child.pid, pipes);
  await end(child);
  await end(load);
  return instructions / YOUNG_REQUESTS;
}

/** The instructions of a process so far, of all its threads. */
function executed(pid, pipes) {
  const { stdout, stderr } = spawnSync("callgrind_control", [pipes, "-e", String(pid)], { encoding: "utf8" });
  const threads = [...stdout.matchAll(/^\s*Th\s+\d+\s+([\d,]+)/gm)].map(([, count]) => Number(count.replaceAll(",", "")));
  if (threads.length === 0) throw new Error(`callgrind_control gave no count of process ${pid}: ${stdout}${stderr}`);
  return threads.reduce((sum, thread) => sum + thread, 0);
}
