// What `init` tells at its end, and on the way.

const PLACES = { page: "page", path: "path", below: "path", api: "API" };

/** What stands in front of each address; what it shares with the one before is not told again. */
export function sights(seen) {
  const told = seen.map(({ place, url, application, strangers }, index) => {
    const before = seen[index - 1];
    const same = place !== "api" && before?.application === application && before.strangers === strangers;
    return [`  ${PLACES[place].padEnd(4)}  ${url}`, ...(same ? ["the same"] : [application, strangers]).map((line) => `        ${line}`)];
  });
  return told.flat().join("\n");
}

/** What a person does next: what is left, then the commands. A new Pages project has to be there before it takes secrets. */
export function remaining({ form, name, isNew, left, path, upstream, strips, loopback }) {
  const create = form === "pages" && isNew ? [`  npx wrangler pages project create ${name} --production-branch main`] : [];
  const steps = left.map((step, index) => `  ${index + 1}. ${step}`);
  const commands = loopback
    ? ["  npm install", "  npm run dev       # the page is on this machine, so there is nothing to deploy yet"]
    : [
        "  npm install",
        "  npx wrangler login",
        ...create,
        "  npm run secrets   # asks for the Client ID and the Client Secret of the service token that opens the API",
        "  npm run deploy    # checks the configuration, then deploys",
      ];
  return [
    ...(steps.length > 0 ? ["Left to do by hand:", ...steps, ""] : []),
    `${{ 2: "Two", 4: "Four", 5: "Five" }[commands.length]} commands remain:`,
    ...commands,
    strips ? `${path}/notes on the page leads to ${upstream}/notes.` : `${path}/notes on the page leads to ${upstream}${path}/notes. If the API has no ${path}, write strip_prefix = true into the route.`,
    "In the API's Access application, a policy with the action Service Auth has to include the service token that opens it.",
    "To run it on this machine, read node_modules/access-relay/docs/local-development.md.",
  ].join("\n");
}
