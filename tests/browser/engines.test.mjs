// Which engines there are: the versions that docs/browsers.md names are those of the run that has written it.

import assert from "node:assert/strict";
import { inEachEngine } from "../support/engines.mjs";

inEachEngine(
  "The engines",
  ({ engine, launch, test }) => {
    test("as of", async () => {
      const { version, close } = await launch();
      await close();
      assert.match(version, /^(Chromium|Firefox|WebKitGTK) \d+\.\d+/);
      assert.ok(version.startsWith(engine));
      return version;
    });
  },
  { changes: true },
);
