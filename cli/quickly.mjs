// For a command that ends in a tenth of a second, imported before the companion is: V8's quick compiler of Wasm alone. The other one takes
// longer than the command runs: with it, a check of 1,000 routes takes 240 ms, without it 140. A command that works for seconds needs it.

import { setFlagsFromString } from "node:v8";

// A V8 that did not know the flag would complain.
if (Number(process.versions.node.split(".")[0]) <= 24) setFlagsFromString("--liftoff-only");
