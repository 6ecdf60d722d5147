// What `init` tells at its end, and on the way.

const PLACES = { page: "page", path: "path", below: "path", api: "API" };

/** What stands in front of each address; what it shares with the one before is not told again. */
export function sights(seen) {
  const told = seen.map(({ place, url, application, strangers }, index) => {
    const before = seen[index - 1];
    const same = before?.application === application && before.strangers === strangers;
    return [`  ${PLACES[place].padEnd(4)}  ${url}`, ...(same ? ["the same"] : [application, strangers]).map((line) => `        ${line}`)];
  });
  return told.flat().join("\n");
}

/** What a person does next: what is left, then the commands. A new Pages project has to be there before it takes secrets. */
export function remaining({ form, name, isNew, left }) {
  const create = form === "pages" && isNew ? [`  npx wrangler pages project create ${name} --production-branch main`] : [];
  const steps = left.map((step, index) => `  ${index + 1}. ${step}`);
  return [
    ...(steps.length > 0 ? ["Left to do by hand:", ...steps, ""] : []),
    `${create.length > 0 ? "Four" : "Three"} commands remain:`,
    "  npm install",
    ...create,
    "  npm run secrets   # asks for the Client ID and the Client Secret of the service token that opens the API",
    "  npm run deploy    # checks the configuration, then deploys",
    "In the API's Access application, a policy with the action Service Auth has to include that service token.",
    "To run it on this machine, read node_modules/access-relay/docs/local-development.md.",
  ].join("\n");
}
