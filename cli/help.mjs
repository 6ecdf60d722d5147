// What each command is for, its options, and an example. The commands themselves are loaded when they run.

const text = (of) => ({ type: "string", of });
const flag = { type: "boolean" };

export const commands = {
  init: {
    usage: "init [PAGE_URL] [API_URL]",
    does: "looks at both addresses, and writes a project",
    about: `Asks the page and the API, without any credential, which application of Cloudflare Access covers each. Then it writes
the wrangler file with the team's issuer and the AUD tag, and what belongs beside it. It asks before it changes an existing file.

It ends with 1 if something is left for you to do, if everybody can call the API, or if nobody could call the relay. It ends
with 2 if an address gave no answer.`,
    options: {
      form: { ...text("FORM"), says: "route, assets, wrap, pages or vite; else the one that fits the folder" },
      directory: { ...text("DIR"), says: "where to write; else here" },
      path: { ...text("PATH"), says: "the relay's path on the page's host; else /api" },
      "strip-prefix": { ...flag, says: "the API's own paths lack that path" },
      name: { ...text("NAME"), says: "the Worker's name" },
      issuer: { ...text("URL"), says: "the Access team, if it cannot be seen from outside" },
      audience: { ...text("TAG"), says: "the AUD tag of the page's application, if it cannot be seen from outside" },
      jsonc: { ...flag, says: "write wrangler.jsonc" },
      toml: { ...flag, says: "write wrangler.toml" },
      yes: { ...flag, short: "y", says: "ask nothing: take the form that fits, and add to package.json and .gitignore" },
      overwrite: { ...flag, says: "write over what init has written before" },
      json: { ...flag, says: "tell what was seen and written as JSON" },
    },
    examples: ["access-relay init https://app.example.com https://api.example.com", "access-relay init --form pages --yes https://app.example.com https://api.example.com/v1"],
    load: async () => (await import("./init.mjs")).init,
  },
  check: {
    usage: "check [FILE ...]",
    does: "says what is wrong with a configuration before it is deployed",
    about: `Reads RELAY in a wrangler file (TOML or JSONC), in every environment, as the Worker will, and what stands around it. Without
FILE it reads the file that wrangler would read here. Of .dev.vars beside it, or of the .env files that wrangler reads in its place,
it takes the names. Each finding has the line that it is about, a code, and what to write instead; docs/checks.md has an example
for each code.`,
    options: { env: { ...text("NAME"), says: "look at this environment alone" }, json: { ...flag, says: "tell it as JSON" } },
    examples: ["access-relay check", "access-relay check --env staging", "access-relay check wrangler.staging.toml --json"],
    load: async () => (await import("./check.mjs")).check,
  },
  import: {
    usage: "import FILE",
    does: "moves a CORS policy here that you have elsewhere",
    about: `Reads what an application of Cloudflare Access says (its API's answer), what "terraform show -json" prints, a Terraform file,
FusionAuth's system configuration, Traefik's headers middleware (JSON or TOML), or Cloudflare's sample Worker. It prints the tables
of RELAY, with a comment on each value that was changed, left out or cannot be moved. With - as FILE, it reads from its input.

It ends with 1 if something is left for you to do: the comments that begin with "To do" say it. It ends with 2 if it cannot read
the file, or if several applications could be meant.`,
    options: {
      from: { ...text("KIND"), says: "access, terraform-json, terraform, fusionauth, traefik or sample; else what the file looks like" },
      name: { ...text("NAME"), says: "which application, if the file has several: its name, id, domain or address" },
      jsonc: { ...flag, says: "print JSON with comments, as for wrangler.jsonc" },
      json: { ...flag, says: "tell text, notes and mistakes as JSON" },
    },
    examples: ["access-relay import access-app.json", "terraform show -json | access-relay import - --name 'Example API'"],
    load: async () => (await import("./import.mjs")).imported,
  },
  schema: {
    usage: "schema [--bundle] [--out FILE]",
    does: "prints the JSON Schema of a wrangler file with RELAY, for editors",
    about: `Without --bundle the schema refers to wrangler's own, in node_modules here or above: VS Code follows the reference. With
--bundle the installed wrangler's own is within, so that one file completes and checks all of wrangler.toml or wrangler.jsonc
in every editor. The package brings both: build/schema.json, and build/schema-bundled.json with the wrangler that it was tested
with. Make one of your own if your wrangler knows more.`,
    options: {
      bundle: { ...flag, says: "with the installed wrangler's own schema within" },
      out: { ...text("FILE"), says: "write it into this file" },
    },
    examples: ["access-relay schema --bundle --out wrangler.schema.json"],
    load: async () => (await import("./schema.mjs")).schema,
  },
};

export const overview = () => `access-relay: the same-origin door to an API behind Cloudflare Access

${Object.values(commands).map(({ usage, does, examples }) => `  access-relay ${usage}\n      ${does}\n      ${examples[0]}`).join("\n")}
  access-relay --version
      says which version this is

access-relay COMMAND --help has the options of each. Exit status: 0 all is sound, 1 something is wrong, 2 it could not look.
Nothing is sent but to the addresses that you name, and to the keys of the Access team that they name. No secret is printed.`;

export function helpOf(name) {
  const { usage, about, options, examples } = commands[name];
  const rows = Object.entries(options).map(([option, { of, short, says }]) => [`${short ? `-${short}, ` : ""}--${option}${of ? ` ${of}` : ""}`, says]);
  const width = Math.max(...rows.map(([left]) => left.length));
  return `access-relay ${usage}

${about}

${rows.map(([left, says]) => `  ${left.padEnd(width)}  ${says}`).join("\n")}

${examples.length === 1 ? "Example" : "Examples"}:
${examples.map((example) => `  ${example}`).join("\n")}`;
}
