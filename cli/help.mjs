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
  explain: {
    usage: "explain [URL] [OPTIONS] [curl …]",
    does: "says step by step what becomes of one request, and what to change",
    about: `Decides one request as the Worker will, by the configuration that wrangler would read here: box by box, with the key that decided and its
line, what the API gets, and what the browser concludes. Nothing is sent.

The request comes from options; from a curl command at the end of the line (write "access-relay explain" in front of what your browser
copied with "Copy as cURL"; options of explain stand before curl); from such a command on standard input (write - for it); or from a
HAR file. A token in it is taken apart and checked, its signature too if you give the issuer's keys. Cookies, tokens and secrets are
never printed.

It ends with 1 if the request is refused, or if the page cannot read the answer.`,
    options: {
      url: { ...text("URL"), says: "the address that is asked for, in place of another one" },
      method: { ...text("METHOD"), short: "X", says: "the method; else GET" },
      header: { ...text("HEADER"), short: "H", multiple: true, says: "a header, as in 'content-type: application/json'; as often as you like" },
      origin: { ...text("ORIGIN"), says: "the header Origin, from a client that is no browser" },
      as: { ...text("WHO"), multiple: true, says: "nobody, person or program: somebody who is made up; page:ORIGIN: a page there calls fetch()" },
      har: { ...text("FILE"), says: "a recording of a browser's network panel" },
      entry: { ...text("N"), says: "which of its entries, from 1; without it, they are listed" },
      keys: { ...text("FILE"), says: "what the team serves at /cdn-cgi/access/certs, for the token's signature" },
      config: { ...text("FILE"), short: "c", says: "the wrangler file; else the one that wrangler would read here" },
      env: { ...text("NAME"), says: "the environment that is meant" },
      json: { ...flag, says: "tell it as JSON" },
    },
    rest: "curl",
    examples: [
      "access-relay explain https://app.example.com/api/notes --as person",
      "access-relay explain https://app.example.com/api/notes/7 -X PUT -H 'content-type: application/json' --as page:https://admin.example.com",
      "access-relay explain --as person curl 'https://app.example.com/api/notes' -H 'accept: */*'",
      "access-relay explain --har session.har --entry 12",
    ],
    load: async () => (await import("./explain.mjs")).explain,
  },
  har: {
    usage: "har [FILE] [--console LOG]",
    does: "says what failed in a recording of your browser, why, and what to do",
    about: `Reads a HAR file (in the network panel, "Export HAR"), or what the browser's console said, saved as a text, or both. It names
each cause once, the worst first, with the entries that show it. What no entry shows by itself is called inferred. If a wrangler file
with RELAY lies here, the recording is held against it. Nothing is sent, and no cookie, token or secret is printed.

It ends with 1 if something failed. docs/har.md has every cause.`,
    options: {
      console: { ...text("LOG"), says: "what the browser's console said" },
      redact: { ...text("OUT"), says: "write a copy that is safe to share: no bodies, cookies, tokens, secrets or e-mail addresses" },
      overwrite: { ...flag, says: "write over a file of that name" },
      config: { ...text("FILE"), short: "c", says: "the wrangler file; else the one that wrangler would read here" },
      json: { ...flag, says: "tell it as JSON" },
    },
    examples: ["access-relay har session.har --console console.log", "access-relay har session.har --redact to-share.har"],
    load: async () => (await import("./har.mjs")).har,
  },
  doctor: {
    usage: "doctor [URL]",
    does: "looks at a live deployment from outside, and says what is wrong",
    about: `Asks the page, the relay's paths and the APIs what a stranger may ask, and says of each answer what it means. It goes by the
wrangler file that wrangler would read here; if there is none, by URL alone, which is the page's address with the relay's path. It sends
GET, HEAD and OPTIONS, one after the other, 40 at most, and follows no redirect.

If CF_ACCESS_CLIENT_ID and CF_ACCESS_CLIENT_SECRET are in the environment or in --env-file, it tries the service token at the API; but
never at a host about which Access has not signed that it stands in front of it. With --token-from, it also calls as a person. Nothing
secret is printed.

It ends with 1 if something is wrong, and with 2 if a host gave no answer. docs/doctor.md has every code.`,
    options: {
      api: { ...text("URL"), says: "the API's address, if there is no wrangler file" },
      path: { ...text("PATH"), says: "look at this path of the relay's; else at the first two" },
      door: { ...text("URL"), multiple: true, says: "another address of the Worker, as its workers.dev; three at most" },
      "env-file": { ...text("FILE"), says: "a file like .dev.vars with the Client ID and the Client Secret" },
      "token-from": { ...text("WHERE"), says: "a person's token: cloudflared, or - for the standard input" },
      config: { ...text("FILE"), short: "c", says: "the wrangler file; else the one that wrangler would read here" },
      env: { ...text("NAME"), says: "the environment that is meant" },
      json: { ...flag, says: "tell it as JSON" },
    },
    examples: [
      "access-relay doctor",
      "access-relay doctor https://app.example.com/api --api https://api.example.com",
      "access-relay doctor --env-file .dev.vars --token-from cloudflared",
    ],
    load: async () => (await import("./doctor.mjs")).doctor,
  },
  import: {
    usage: "import FILE [--write]",
    does: "moves a CORS policy here that you have elsewhere",
    about: `Reads what an application of Cloudflare Access says (its API's answer), what "terraform show -json" prints, a Terraform file,
FusionAuth's system configuration, Traefik's headers middleware (YAML, JSON or TOML), or Cloudflare's sample Worker. It prints the tables
of RELAY, with a comment on each value that was changed, left out or cannot be moved. With - as FILE, it reads from its input.

With --write it puts the tables into the wrangler file, of which every other byte stays as it is. "access" and "routes" that are
there stay. A "cors" that is there changes only with --overwrite. It writes nothing that "access-relay check" would newly refuse.

It ends with 1 if something is left for you to do: the comments that begin with "To do" say it. It ends with 2 if it cannot read
the file, or if several applications could be meant.`,
    options: {
      from: { ...text("KIND"), says: "access, terraform-json, terraform, fusionauth, traefik or sample; else what the file looks like" },
      name: { ...text("NAME"), says: "which application, if the file has several: its name, id, domain or address" },
      jsonc: { ...flag, says: "print JSON with comments, as for wrangler.jsonc" },
      write: { ...flag, says: "put the tables into the wrangler file, instead of printing them" },
      to: { ...text("FILE"), says: "with --write: the wrangler file; else the one that wrangler would read here" },
      env: { ...text("NAME"), says: "with --write: put them into this environment" },
      overwrite: { ...flag, says: "with --write: imported values of cors take the place of those that are there" },
      json: { ...flag, says: "tell text, notes and mistakes as JSON; with --write, what was done" },
    },
    examples: ["access-relay import access-app.json", "access-relay import access-app.json --write", "terraform show -json | access-relay import - --name 'Example API'"],
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
