// What Cloudflare runs: the Wasm, and a handler that leads to it.

import module from "./index_bg.wasm"; // Beside what this becomes, in build/.
import { answered, failed, goesOn, initSync, late, relay } from "../target/wasm-bindgen/access_relay.js";
import { deliverTo } from "./call.js";

deliverTo({ answered, failed, goesOn, late });
initSync({ module });

export default { fetch: (request, env) => relay(request, env) };
