// What stands for curl where a document's line calls it: the few options that the documents use, and no other.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { header: { type: "string", short: "H", multiple: true, default: [] }, request: { type: "string", short: "X" }, data: { type: "string", short: "d" }, head: { type: "boolean", short: "I" }, output: { type: "string", short: "o" } },
});
const headers = values.header.map((line) => line.split(/:\s*(.*)/s).slice(0, 2));
if (values.data !== undefined) headers.push(["content-type", "application/x-www-form-urlencoded"]);
const method = values.request ?? (values.head ? "HEAD" : values.data === undefined ? "GET" : "POST");
const answer = await fetch(positionals[0], { method, headers, body: values.data, redirect: "manual" });
if (values.head) process.stdout.write(`HTTP/1.1 ${answer.status} ${answer.statusText}\r\n${[...answer.headers].map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`);
const body = Buffer.from(await answer.arrayBuffer());
if (values.output) writeFileSync(values.output, body);
else process.stdout.write(body);
