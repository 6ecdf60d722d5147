// From a template to a project: all but the wrangler file.

import { join } from "node:path";
import { filesBelow, fromJson, textOf, withLines, withMissing } from "./files.mjs";

/** What git must not take, in a project that is there already. */
const SECRET = [".wrangler/", ".dev.vars*", "!.dev.vars.example"];

/** What leaves a file of its own behind. */
const LEAVES = { vite: ["dist/"], wrap: ["worker-configuration.d.ts"], pages: ["worker-configuration.d.ts"] };

/** The .gitignore of a form's template: npm leaves files of this name out of a package. */
export const ignored = (form) => `${["node_modules/", ".wrangler/", ...(LEAVES[form] ?? []), "", "# Secrets.", ".dev.vars*", "!.dev.vars.example", ".env*", "!.env.example"].join("\n")}\n`;

/** Writes what a form needs. Where a project is there already, its own page and its own settings stay the only ones. */
export async function writeTheRest(writer, { template, form, directory, folder, project, known }) {
  await writePackage(writer, { ...fromJson(textOf(join(template, "package.json"))), name: known.name }, folder.package, project);

  const there = textOf(join(directory, ".gitignore"));
  if (there === undefined) await writer.file(".gitignore", ignored(form));
  else await writer.addition(".gitignore", withLines(there, SECRET));

  // The path stands in scripts, and Pages finds a function by its own.
  const path = known.path.replace(/\/$/, "");
  const own = /^(wrangler\.|package\.json$|README\.md$|\.gitignore$)/;
  const ours = (file) => file === ".dev.vars.example" || file.startsWith("functions/");
  for (const file of filesBelow(template)) {
    if (own.test(file) || (project && !ours(file))) continue;
    const name = file.replace(/^functions\/api\//, () => `functions${path}/`);
    // An example that is there is somebody's own.
    if (file === ".dev.vars.example" && textOf(join(directory, file)) !== undefined) continue;
    await writer.file(name, textOf(join(template, file)).replaceAll("/api", () => path));
  }
}

async function writePackage(writer, wanted, text, project) {
  if (text === null) return writer.file("package.json", `${JSON.stringify(wanted, null, 2)}\n`);
  const there = fromJson(text);
  if (project) {
    // Types are checked by a file that is not brought.
    delete wanted.scripts.typecheck;
    delete wanted.devDependencies?.typescript;
    const { deploy } = there.scripts ?? {};
    if (deploy !== undefined && deploy !== wanted.scripts.deploy) {
      writer.left.push(`package.json has a script deploy of its own, which stays: let it begin with "access-relay check &&", or deploy with\n     npx ${wanted.scripts.deploy.replaceAll("&& ", "&& npx ")}`);
    }
  }
  const found = withMissing(text, wanted, project);
  // What `npm install access-relay` has made itself asks for no word.
  const isNpms = Object.keys(there).every((key) => ["dependencies", "devDependencies", "allowScripts"].includes(key));
  await writer.addition("package.json", found, isNpms);
}
