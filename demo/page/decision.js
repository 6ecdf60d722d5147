// What a browser makes of the relay's answer to a preflight, step by step, in the order of the Fetch standard. Pure.

const SAFELISTED_METHODS = ["GET", "HEAD", "POST"];
/** Content-Type is not among them: this page takes it to be JSON's. */
const SAFELISTED_HEADERS = ["accept", "accept-language", "content-language", "range"];
/** `fetch` writes these in upper case by itself. PATCH is not among them. */
const NORMALISED_METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];
const FORBIDDEN_METHODS = ["CONNECT", "TRACE", "TRACK"];
const FORBIDDEN_HEADERS = new RegExp(`^(${[
  "accept-charset", "accept-encoding", "access-control-request-.*", "connection", "content-length", "cookie2?", "date", "dnt",
  "expect", "host", "keep-alive", "origin", "proxy-.*", "referer", "sec-.*", "set-cookie", "te", "trailer", "transfer-encoding",
  "upgrade", "via",
].join("|")})$`);

/** The call that a browser would make of what a person wrote. Throws with what to write instead. */
export function readCall({ origin, method, path, headers, credentials }) {
  const names = headers.split(/[\s,]+/).filter((name) => name !== "").map((name) => name.toLowerCase());
  const upper = method.toUpperCase();
  const sent = originOf(origin);
  if (sent !== origin) throw new Error(`Origin: a browser sends ${sent ?? "a scheme and a host, as in https://admin.example.com"}.`);
  if (FORBIDDEN_METHODS.includes(upper)) throw new Error(`Method: browsers let no page send ${upper}.`);
  const forbidden = names.find((name) => FORBIDDEN_HEADERS.test(name));
  if (forbidden) throw new Error(`Headers: browsers let no page set ${forbidden}.`);
  return {
    origin,
    method: NORMALISED_METHODS.includes(upper) ? upper : method,
    path,
    // As browsers send them: in lower case, sorted, each once, and none that needs no asking.
    headers: [...new Set(names)].sort().filter((name) => !SAFELISTED_HEADERS.includes(name)),
    credentials,
  };
}

/**
 * The steps with their states (`ok`, `failed`, `skipped`, `unreached`), and the first that failed. `ownOrigin` is the
 * relay's; `policy` is what it goes by, for what to change in it.
 */
export function decide({ call, answer, policy, ownOrigin }) {
  const listed = (key) => (Array.isArray(policy[key]) ? policy[key] : []);
  const header = (name) => answer?.headers.find(([found]) => found.toLowerCase() === name)?.[1];
  const simple = SAFELISTED_METHODS.includes(call.method) && call.headers.length === 0;
  const facts = { call, answer, policy, listed, header, simple, sameOrigin: call.origin === ownOrigin };
  let failed = null;
  const steps = CHECKS.map(({ name, title, asked, check }) => {
    const step = { name, title, asked: asked(facts), ...(failed ? { state: "unreached" } : check(facts)) };
    if (step.state === "failed") failed = step;
    return step;
  });
  return { steps, failed, simple, sameOrigin: facts.sameOrigin };
}

const CHECKS = [
  { name: "preflight", title: "Is there a preflight?", asked: callText, check: checkPreflight },
  { name: "origin", title: "May this origin call?", asked: ({ call }) => `Origin: ${call.origin}`, check: checkOrigin },
  {
    name: "credentials",
    title: "With cookies?",
    asked: ({ call }) => `credentials: ${call.credentials ? "include" : "omit"}`,
    check: checkCredentials,
  },
  { name: "method", title: "With this method?", asked: ({ call }) => call.method, check: checkMethod },
  { name: "headers", title: "With these headers?", asked: ({ call }) => call.headers.join(", ") || "none", check: checkHeaders },
  { name: "max-age", title: "For how long is that known?", asked: () => undefined, check: checkMaxAge },
];

// ---- The steps -----------------------------------------------------------------------------------

function checkPreflight({ call, answer, simple, sameOrigin }) {
  if (sameOrigin) return passed("No. The call stays on the page’s own origin: no preflight, and no policy to pass.");
  if (simple) {
    return passed(`No. ${call.method} without unusual headers goes out at once. The policy still decides that call, by its origin alone.`);
  }
  return passed(`Yes. The relay answered it: ${answer.status} ${answer.reason}`);
}

function checkOrigin(facts) {
  const { call, header, simple, sameOrigin } = facts;
  if (sameOrigin) return skipped();
  const allowed = header("access-control-allow-origin");
  const answered = lineOf("Access-Control-Allow-Origin", allowed);
  if (allowed === call.origin || (allowed === "*" && !call.credentials)) return passed(answered);
  return {
    state: "failed",
    answered,
    // Without a preflight it is the call itself that the relay refuses.
    code: simple ? "cross_origin_blocked" : "origin_not_allowed",
    browser: checkFailed(simple, originWords(allowed, call)),
    fix: originFix(facts, allowed),
  };
}

function checkCredentials({ call, header, simple, sameOrigin }) {
  if (sameOrigin) return skipped();
  if (!call.credentials) return skipped("No cookie is sent, so none has to be allowed.");
  const allowed = header("access-control-allow-credentials");
  const answered = lineOf("Access-Control-Allow-Credentials", allowed);
  if (allowed === "true") return passed(answered);
  const words = `The value of the 'Access-Control-Allow-Credentials' header in the response is '${allowed ?? ""}' which must be ` +
    "'true' when the request's credentials mode is 'include'.";
  const fix = { line: "allow_credentials = true", note: "The login behind Access is a cookie, so these pages need it." };
  return { state: "failed", answered, browser: checkFailed(simple, words), fix };
}

function checkMethod({ call, header, listed, simple, sameOrigin }) {
  if (sameOrigin || simple) return skipped();
  if (SAFELISTED_METHODS.includes(call.method)) return passed("Nothing is needed: browsers always allow GET, HEAD and POST.");
  const value = header("access-control-allow-methods");
  const answered = lineOf("Access-Control-Allow-Methods", value);
  const allowed = namesIn(value);
  if (allowed.includes(call.method) || (allowed.includes("*") && !call.credentials)) return passed(answered);
  const upper = call.method.toUpperCase();
  const fix = upper === "PATCH" && call.method !== upper
    ? { note: "No line does: write PATCH in the call. Methods are case-sensitive, and browsers do not change this one." }
    : { line: settingOf("allowed_methods", listed("allowed_methods"), [call.method]) };
  const browser = `Method ${call.method} is not allowed by Access-Control-Allow-Methods in preflight response.`;
  return { state: "failed", answered, code: "method_not_allowed", browser, fix };
}

function checkHeaders({ call, header, listed, simple, sameOrigin }) {
  if (sameOrigin || simple) return skipped();
  if (call.headers.length === 0) return skipped("No header needs to be allowed.");
  const value = header("access-control-allow-headers");
  const answered = lineOf("Access-Control-Allow-Headers", value);
  const allowed = namesIn(value).map((name) => name.toLowerCase());
  const any = allowed.includes("*") && !call.credentials;
  const refused = call.headers.filter((name) => !allowed.includes(name) && !(any && name !== "authorization"));
  if (refused.length === 0) return passed(answered);
  const known = listed("allowed_headers");
  const unlisted = refused.filter((name) => !known.some((listed) => listed.toLowerCase() === name));
  const fix = { line: settingOf("allowed_headers", known, unlisted) };
  // The relay names no header at all once it refuses one: which one it was, only the policy can tell.
  if (unlisted.length > 0 && unlisted.length < refused.length) fix.note = `What is missing is ${unlisted.join(", ")}.`;
  const browser = `Request header field ${refused[0]} is not allowed by Access-Control-Allow-Headers in preflight response.`;
  return { state: "failed", answered, code: "header_not_allowed", browser, fix };
}

function checkMaxAge({ header, simple, sameOrigin }) {
  if (sameOrigin || simple) return skipped();
  const value = header("access-control-max-age");
  const answered = lineOf("Access-Control-Max-Age", value);
  if (value === undefined) return passed(`${answered}: browsers ask again after 5 seconds`);
  return passed(value === "0" ? `${answered}: browsers ask each time` : `${answered}: browsers ask again after ${value} seconds at most`);
}

// ---- What would let it pass ----------------------------------------------------------------------

function originFix({ call, policy, listed }, allowed) {
  if (allowed === "*") return { line: `allowed_origins = ${list([call.origin])}`, note: "Browsers take no * where cookies are sent." };
  const excluded = listed("excluded_paths").filter((prefix) => isBelow(call.path, prefix));
  if (excluded.length > 0) {
    const others = listed("excluded_paths").filter((prefix) => !excluded.includes(prefix));
    const closed = `${excluded.join(", ")} is closed to all other origins, listed ones too.`;
    return { line: `excluded_paths = ${list(others)}`, note: `${closed} An origin that may call there has to be listed as well.` };
  }
  if (call.origin === "null") return { note: "No line does: any sandboxed page can send null. Serve the page from an origin of its own." };
  const { protocol, host, hostname } = new URL(call.origin);
  if (protocol === "http:" && policy.allow_credentials === true && !isLoopback(hostname)) {
    return { note: "No line does: with allow_credentials, plain http is for localhost only. Serve the page over https." };
  }
  const apex = listed("allowed_origins").find((origin) => origin === `${protocol}//*.${host}`);
  const note = apex ? `${apex} stands for every host below ${host}, and not for ${host} itself.` : undefined;
  return { line: settingOf("allowed_origins", listed("allowed_origins"), [call.origin]), note };
}

function settingOf(key, values, added) {
  return `${key} = ${list([...new Set([...values, ...added])])}`;
}

function list(values) {
  return `[${values.map((value) => JSON.stringify(value)).join(", ")}]`;
}

/** In whatever case, as the relay closes paths. */
function isBelow(path, prefix) {
  return `${path.toLowerCase()}/`.startsWith(`${prefix.toLowerCase()}/`);
}

function isLoopback(hostname) {
  return hostname === "localhost" || hostname.endsWith(".localhost") || hostname.startsWith("127.") || hostname === "[::1]";
}

// ---- Words ---------------------------------------------------------------------------------------

function passed(answered) {
  return { state: "ok", answered };
}

function skipped(answered) {
  return { state: "skipped", answered };
}

function checkFailed(simple, words) {
  return simple ? words : `Response to preflight request doesn't pass access control check: ${words}`;
}

/** The words of Chromium's console. */
function originWords(allowed, call) {
  if (allowed === undefined) return "No 'Access-Control-Allow-Origin' header is present on the requested resource.";
  if (allowed === "*" && call.credentials) {
    return "The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*' when the " +
      "request's credentials mode is 'include'.";
  }
  return `The 'Access-Control-Allow-Origin' header has a value '${allowed}' that is not equal to the supplied origin.`;
}

function callText({ call }) {
  return `${call.method} ${call.path}`;
}

function lineOf(name, value) {
  return value === undefined ? `no ${name}` : `${name}: ${value}`;
}

function namesIn(value) {
  return (value ?? "").split(",").map((name) => name.trim()).filter((name) => name !== "");
}

function originOf(text) {
  if (text === "null") return text;
  const url = URL.canParse(text) ? new URL(text) : null;
  return url && ["http:", "https:"].includes(url.protocol) ? url.origin : null;
}
