// `check` and the files of secrets beside a wrangler file: it finds what wrangler would, and shows no value. Wrangler's own reader is asked.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { unstable_getVarsForDev as wranglers } from "wrangler";
import { namesIn } from "../../cli/secrets.mjs";
import { makeFolder } from "../support/processes.mjs";
import { commandOf, unpack } from "../support/unpacked.mjs";

const relay = commandOf(unpack());
const [ID, SECRET] = ["CF_ACCESS_CLIENT_ID", "CF_ACCESS_CLIENT_SECRET"];

const table = (place) => `[${place}vars.RELAY.access]
issuer = "https://mine.cloudflareaccess.com"
audience = ["${"0f1e".repeat(16)}"]
[[${place}vars.RELAY.routes]]
path = "/api"
upstream = "https://api.acme.internal"
`;
const wrangler = `name = "relay"\nworkers_dev = false\npreview_urls = false\n${table("")}[env.staging]\n${table("env.staging.")}`;

test("the names are those that wrangler's reader finds", async (t) => {
  for (const text of [
    "",
    `${ID}=a\n${SECRET}=b\n`,
    `${ID}="a"\r\n${SECRET}='b'\r\n`,
    `export ${ID}=a # a comment\n  ${SECRET} = b`,
    `# ${ID}=a\n#${SECRET}="b"\n`,
    `${ID}: a\n${SECRET}:b\n`,
    `${ID}=\n${SECRET}=""\n`,
    `${ID}=\n\n${SECRET}=b\n`,
    `${ID}\n${SECRET}=b\n`,
    `RELAY='{\n"access": {},\n${ID}=no\n}'\n${SECRET}="b # c"\n`,
    `A="x\n${ID}=no\n"\n${SECRET}=\`b\`\n`,
    `A='it\n${ID}=a\n`,
    `${ID}=a\n${ID}=\n${SECRET}=\n${SECRET}=b\n`,
    `A.B-C=1\n1A=2\n`,
  ]) {
    await t.test(JSON.stringify(text), () => {
      const folder = makeFolder({ ".dev.vars": text, "wrangler.toml": "" });
      const found = wranglers(`${folder}/wrangler.toml`, undefined, {}, undefined, true);
      const expected = Object.entries(found).filter(([, { value }]) => value !== "").map(([name]) => name);
      assert.deepEqual(namesIn(text).names.toSorted(), expected.toSorted());
    });
  }
});

test("what still has angle brackets is told from what does not", () => {
  assert.deepEqual(namesIn(`A="<Client ID>"\nB=<hex>.access\nC='a > b < c'\nD="a" # <not this>\nE=x\nE="<y>"\nF="<y>"\nF=x\n`).unfilled, ["A", "B", "E"]);
});

test("it reads the files that wrangler reads, for each environment", async (t) => {
  const both = `${ID}=a\n${SECRET}=b\n`;
  const half = `${ID}=a\n`;
  for (const files of [
    { ".dev.vars": both },
    { ".dev.vars": half },
    { ".dev.vars": half, ".dev.vars.staging": both },
    { ".dev.vars": both, ".dev.vars.staging": half },
    { ".dev.vars": half, ".env": both },
    { ".env": half },
    { ".env": half, ".env.local": `${SECRET}=b\n` },
    { ".env": half, ".env.staging": `${SECRET}=b\n` },
    { ".env": half, ".env.staging.local": `${SECRET}=b\n` },
    { ".env": both, ".env.local": "OTHER=x\n", ".env.production": half },
    { ".dev.vars.staging": half, ".env": both },
  ]) {
    await t.test(JSON.stringify(files), async () => {
      const folder = makeFolder({ ...files, "wrangler.toml": wrangler });
      for (const environment of [undefined, "staging"]) {
        const lacks = ![ID, SECRET].every((name) => name in wranglers(`${folder}/wrangler.toml`, undefined, {}, environment, true));
        const { status, out } = await relay(folder, "check", "--json");
        const [{ warnings }] = JSON.parse(out).files;
        const path = environment ? "env.staging.vars.RELAY" : "vars.RELAY";
        const told = warnings.filter((finding) => finding.code === "wrangler::local_secret" && finding.path === path);
        assert.deepEqual([status, told.length], [0, lacks ? 1 : 0], `${environment}: ${out}`);
      }
    });
  }
});

test("no value of such a file is shown, and what is no file is left alone", async () => {
  const value = "hunter2-and-more";
  const folder = makeFolder({ "wrangler.toml": wrangler, ".dev.vars": `${ID}="<${value}>"\nOTHER=${value}\n${value}=1\n`, ".env.d/x": "" });
  execFileSync("mkfifo", [`${folder}/.dev.vars.staging`]);
  for (const words of [[], ["--json"], ["--env", "staging"]]) {
    const { status, out, err } = await relay(folder, "check", ...words);
    assert.equal(status, 0, err);
    assert.ok(!`${out}${err}`.includes("hunter2"), out + err);
    assert.match(out + err, /wrangler::local_secret[^]*wrangler::local_placeholder/);
  }
  const alone = await relay(makeFolder({ "wrangler.toml": wrangler }), "check");
  assert.deepEqual([alone.status, alone.err], [0, ""]);
});
