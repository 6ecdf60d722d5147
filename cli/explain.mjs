// `access-relay explain`

import { createPublicKey, verify as verifySignature } from "node:crypto";
import { check } from "./check.mjs";
import { Mistake, explain as explained, toJson } from "./companion.mjs";
import { WRANGLER_FILES, wranglerFilesIn } from "./files.mjs";
import { bytesIn, textIn } from "./reading.mjs";
import { coloursOn, err, out, tellOut } from "./terminal.mjs";

/** An address as people type it, without its scheme; what has no path may be a file. */
const BARE = /^[\w-]+(\.[\w-]+)+(:\d+)?\//;

/** Explains one request; 1 if it is refused, or if the page cannot read the answer. `curl` are the words of a curl command. */
export function explain(words, { url, method, header = [], origin, as = [], har, entry, keys, config, env: environment, json }, curl) {
  const asked = words.find((word) => word.includes("://") || BARE.test(word));
  const address = asked === undefined || asked.includes("://") ? asked : `https://${asked}`;
  if (words.some((word) => word !== "-" && word !== asked)) throw new Mistake(["found a word that is no option; write an address, or a curl command, which begins with curl"]);
  const file = config ?? wranglerFilesIn(".")[0];
  if (file === undefined) throw new Mistake([`found no ${WRANGLER_FILES.join(", ")} here; name a file with --config`]);
  if (entry !== undefined && !/^[1-9]\d{0,8}$/.test(entry)) throw new Mistake(["--entry: write a number from 1"]);
  const question = {
    url: url ?? address,
    method,
    headers: header,
    origin,
    as,
    curl,
    line: words.includes("-") ? textIn("-") : undefined,
    har: har === undefined ? undefined : bytesIn(har),
    entry: entry === undefined ? undefined : Number(entry),
    keys: keys === undefined ? undefined : textIn(keys),
    now: Math.floor(Date.now() / 1000),
  };
  const { unsound, told, explanation } = explained(question, file, textIn(file), { environment, colours: coloursOn(process.stdout), verify });
  if (unsound) {
    if (!json) err(`${file} cannot serve, so every request gets 500 misconfigured:`);
    return check([file], { json, env: environment });
  }
  if (json) out(toJson(explanation));
  else tellOut(told);
  return explanation.served ? 0 : 1;
}

function verify(n, e, signed, signature) {
  return verifySignature("RSA-SHA256", signed, createPublicKey({ key: { kty: "RSA", n, e }, format: "jwk" }), signature);
}
