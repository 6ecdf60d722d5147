// What Cloudflare runs: the Wasm, and a handler that leads to it. Of the context, the caller that Access let in is all that matters.

import module from "./index_bg.wasm"; // Beside what this becomes, in build/.
import { answered, failed, goesOn, initSync, late, relay } from "../target/wasm-bindgen/access_relay.js";
import { deliverTo } from "./call.js";

deliverTo({ answered, failed, goesOn, late });
initSync({ module });

export default { fetch: (request, env, ctx) => relay(request, env, ctx?.access) };
