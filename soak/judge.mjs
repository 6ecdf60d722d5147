// What must hold of each request that the API gets, and of each answer that a caller gets, by the documentation.

import { STATUS_OF, isAccesss, isForeign, isNotTheApis, isNotTheApisToCaches, isNotTheCallers, keepsNothing } from "./documented.mjs";
import { SAID } from "./echo.mjs";
import { HOST, MARK, hasPassed, isOwn, isPreflight, isTooLong, isWebSocket } from "./requests.mjs";

const valuesOf = (headers, wanted) => headers.filter(([name]) => name === wanted).map(([, value]) => value);
const CODES = new Set(Object.keys(STATUS_OF));

/**
 * What must become of a request: the codes it may be refused with, or `forwarded`; nothing where nobody can say. `world` has
 * the `loops`, what the relay writes for each route.
 */
function outcomesFor(request, world) {
  const { method, route } = request;
  // workerd takes none of these.
  if (["CONNECT", "TRACK", "trace"].includes(method)) return ["workerd's own"];
  if (request.isBad) return ["bad_path"];
  if (request.isOdd) return undefined;
  if (route === undefined) return ["not_found"];
  if (hasPassed(request, world.loops[request.path])) return ["loop_detected"];
  if (method === "TRACE") return ["method_not_forwarded"];
  // Of a preflight nothing passes that is not named, so nobody reads its Connection.
  if (isPreflight(request)) return preflightOutcomes(request);
  if (isTooLong(request)) return ["bad_request"];
  const foreign = isForeign(
    {
      method,
      websocket: isWebSocket(request),
      site: request.site,
      mode: request.mode,
      dest: request.dest,
      purpose: request.purpose,
      origin: request.origin,
      hasCredentials: request.headers.some(([name]) => /^(cookie|cf-access-jwt-assertion|cf-access-token)$/i.test(name)),
    },
    { ...route, own: request.origin !== undefined && isOwn(request.origin) ? [request.origin] : [], isCallback: request.callback },
  );
  if (foreign) return ["cross_origin_blocked"];
  return request.login ? ["forwarded"] : ["unauthenticated"];
}

function preflightOutcomes({ route, origin, asksFor, asksHeaders }) {
  if (!route.allows(origin)) return ["origin_not_allowed"];
  if (route.upstreamPreflights) return ["forwarded"];
  if (asksFor === "a b" || asksFor === "DELETE") return ["method_not_allowed"];
  if (asksHeaders !== undefined && /x-a|authorization/.test(asksHeaders)) return ["header_not_allowed"];
  return ["preflight"];
}

/** What is wrong with a request that has arrived at the API, whoever sent it. `sent` is there where it is known. */
export function faultsOfArrival(arrived, sent, world) {
  const faults = [];
  const { headers } = arrived;
  const [method, target] = arrived.start.split(" ");
  const exactly = (name, ...wanted) => {
    const found = valuesOf(headers, name);
    if (found.length !== 1 || !wanted.includes(found[0])) faults.push(`${name} is ${JSON.stringify(found)}, not ${wanted.join(" or ")}`);
  };
  const never = (name) => headers.some(([found]) => found === name) && faults.push(`${name} arrived`);
  if (/^(TRACE|TRACK|CONNECT)$/i.test(method)) faults.push(`${method} arrived`);
  exactly("host", world.api.host);
  const base = target.match(/^\/(\w+)(?=[/?]|$)/)?.[0];
  const route = world.routes[base === "/base" ? "/strip" : base];
  if (route === undefined) return [...faults, "the path left the route"];
  if (route.credentials === "caller") {
    never("cf-access-client-id");
    never("cf-access-client-secret");
    exactly("cf-access-token", ...(sent ? [sent.caller.token] : world.callers.map(({ token }) => token)));
  } else {
    exactly("cf-access-client-id", world.clientIds[route.secret]);
    exactly("cf-access-client-secret", world.secrets[route.secret]);
    never("cf-access-token");
  }
  if (route.base !== undefined) exactly("x-forwarded-prefix", "/strip");
  for (const [name, value] of headers) {
    if (!isNotTheCallers(name)) continue;
    if (!OURS.has(name)) faults.push(`${name}: ${value} arrived`);
    else if (value.includes(MARK) && name !== "access-relay-loop") faults.push(`${name} arrived as the caller's`);
  }
  const cookie = valuesOf(headers, "cookie").join(", ");
  for (const part of cookie.split(/[;,]/)) {
    const name = part.split("=")[0].trim();
    if (cookie !== "" && part.trim() !== "" && !(route.cookies?.test(name) ?? false)) faults.push(`the cookie ${part} arrived`);
  }
  if (/cf_(authorization|appsession|binding|session)/i.test(cookie)) faults.push("a cookie of Access's arrived");
  if (sent !== undefined) faults.push(...faultsOfSent(arrived, sent, world, { method, target, exactly, never, route }));
  return faults;
}

/** What the relay and the runtime say to an API, each in its one spelling. */
const OURS = new Set(["cf-access-client-id", "cf-access-client-secret", "cf-access-token", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-for", "x-forwarded-prefix", "x-forwarded-user", "x-forwarded-email", "x-forwarded-client-id", "access-relay-loop", "connection", "upgrade", "transfer-encoding"]);

function faultsOfSent(arrived, sent, world, { method, target, exactly, never, route }) {
  const faults = [];
  const { headers } = arrived;
  const outcomes = outcomesFor(sent, world);
  if (outcomes !== undefined && !outcomes.includes("forwarded")) faults.push(`it arrived in place of ${outcomes}`);
  if (++sent.arrivals > 1 + sent.again) faults.push("it arrived twice");
  if (method !== sent.method) faults.push(`the method became ${method}`);
  const wanted = `${route.base ?? sent.path}${sent.below}`;
  if (!sent.isOdd && target !== wanted) faults.push(`the target became ${target}, not ${wanted}`);
  exactly("x-forwarded-host", HOST);
  exactly("x-forwarded-proto", "http");
  const preflight = isPreflight(sent);
  const said = (name, value) => (value === undefined || preflight ? never(name) : exactly(name, value));
  said("x-forwarded-user", sent.caller.user);
  said("x-forwarded-email", sent.caller.email);
  said("x-forwarded-client-id", sent.caller.clientId);
  if (sent.ip === undefined) never("x-forwarded-for");
  else exactly("x-forwarded-for", sent.ip);
  const loop = (world.loops[sent.path] ??= valuesOf(headers, "access-relay-loop")[0]?.split(", ").pop());
  exactly("access-relay-loop", sent.loop === undefined ? loop : `${sent.loop.trim()}, ${loop}`);
  if (isWebSocket(sent)) exactly("upgrade", "websocket", "WebSocket");
  else never("upgrade");
  for (const option of valuesOf(headers, "connection")) if (!/^(keep-alive|upgrade|close)$/i.test(option)) faults.push(`connection: ${option} arrived`);
  for (const [name, value] of preflight ? [] : sent.free) {
    const found = valuesOf(headers, name);
    if (sent.hop?.includes(name) ? found.length > 0 : found.length !== 1 || found[0] !== value) faults.push(`${name} is ${JSON.stringify(found)}`);
  }
  if (preflight) for (const [name] of headers) if (name.startsWith("cookie") || /^free-/.test(valuesOf(headers, name)[0])) faults.push(`${name} arrived in a preflight`);
  if (arrived.body !== (sent.body ?? "")) faults.push(`the body became ${arrived.body.length} bytes`);
  const kept = keptCookies(sent, route);
  if (!preflight && kept !== undefined && valuesOf(headers, "cookie").join() !== kept) faults.push(`the cookies became ${valuesOf(headers, "cookie")}, not ${kept}`);
  return faults;
}

/** The cookies that must arrive, where that is no riddle: of one line without odd ones, those that the route names, in order. */
function keptCookies({ cookieLines, connection = "" }, { cookies }) {
  if (cookieLines.length !== 1 || connection.includes("cookie")) return undefined;
  const [line] = cookieLines;
  if (line.some((pair) => !/^[^=;,]+=[^;,]*$/.test(pair))) return undefined;
  return line.filter((pair) => !/cf_/i.test(pair) && cookies?.test(pair.split("=")[0])).join("; ");
}

/** What became of a request, in a word or two, whatever it was. What begins with `odd` is documented nowhere. */
export function outcomeOf({ status, headers, body, interim }, { method, unfinished }) {
  if (status === 0) return "connection closed";
  if (status < 0 && unfinished) return "nothing, to half a body";
  if (status < 0) return "odd: no answer in time";
  if (valuesOf(headers, "x-api").includes("1")) return "the API's";
  if (valuesOf(headers, "content-type").includes("application/problem+json")) {
    if (body === "" && method === "HEAD") return "a refusal of HEAD";
    const code = body.match(/"code":"(\w+)"/)?.[1];
    return CODES.has(code) && STATUS_OF[code] === status ? code : `odd: code ${code} with ${status}`;
  }
  // The API's own answer to a preflight comes with its own status.
  if (status === 204 || (method === "OPTIONS" && valuesOf(headers, "access-control-allow-origin").length === 1)) return "preflight";
  // What is no HTTP, workerd answers by itself, with a sentence; and what is no method of a Worker's.
  const sentence = body === "" ? method === "HEAD" : /^(ERROR: |Bad|Not Impl|invalid |unexpected )/.test(body);
  if ([400, 414, 426, 431, 501].includes(status) && sentence) return `workerd's own ${status}`;
  if (status === 500 && method === "CONNECT") return "workerd's own 500 to CONNECT";
  return `odd: ${status} ${interim}${body.slice(0, 100)}`;
}

const isOfPreflights = (name) => /^access-control-(allow-methods|allow-headers|max-age)$/.test(name);
const isOfCors = (name) => /^access-control-(allow-origin|allow-credentials|expose-headers)$/.test(name) || isOfPreflights(name);

/** What is wrong with an answer, whatever was asked. */
export function faultsOfAnswer(answer, world) {
  const faults = [];
  const { head, headers, body } = answer;
  for (const secret of world.secrets) {
    for (const line of `${head}\r\n${answer.interim}`.split("\r\n")) if (line.includes(secret)) faults.push(`a service token's secret is in ${line.startsWith("HTTP/") ? "the status line" : line.split(":")[0]}`);
    if (body.includes(secret)) faults.push("a service token's secret is in the body");
  }
  for (const [name, value] of headers) {
    // The relay says some of them itself; of the API's own words, preflights that it answers have three.
    const isOurs = name === "set-cookie" || (isOfCors(name) && (!value.includes(SAID) || isOfPreflights(name)));
    if ((isNotTheApisToCaches(name) && name !== "cdn-cache-control") || (isNotTheApis(name) && !isOurs)) faults.push(`${name}: ${value} came back`);
    if (name === "set-cookie" && (!/^(sid|part[^=;]*)=/.test(value) || /;\s*domain\s*=/i.test(value))) faults.push(`set-cookie: ${value} came back`);
  }
  return faults;
}

/** What is wrong with the answer to a request that is known. */
export function faultsOfExchange(answer, outcome, sent, world) {
  const faults = [];
  const { headers, status } = answer;
  const wanted = outcomesFor(sent, world);
  const api = sent.answer;
  const one = (name) => valuesOf(headers, name).join(", ");
  const fault = (condition, text) => condition && faults.push(text);
  fault(outcome === "connection closed" || outcome.startsWith("odd"), outcome);
  if (wanted !== undefined) {
    const right = {
      forwarded: ["the API's", "upstream_access_denied", "upstream_unreachable", ...(isPreflight(sent) ? ["preflight"] : [])],
      "workerd's own": ["workerd's own 500 to CONNECT", "workerd's own 501", "workerd's own 400"],
    };
    const accepted = wanted.flatMap((each) => right[each] ?? [each]);
    const ofHead = outcome === "a refusal of HEAD" && wanted.some((each) => STATUS_OF[each] === status || (each === "forwarded" && status === 502));
    const debugged = world.debug && isPreflight(sent) && outcome === "preflight";
    fault(!accepted.includes(outcome) && !ofHead && !debugged, `${outcome} in place of ${wanted}`);
    fault(wanted.includes("forwarded") && sent.arrivals === 0, "it never arrived");
  }
  if (wanted !== undefined && !wanted.some((each) => ["bad_path", "not_found", "loop_detected"].includes(each))) checkCors(answer, outcome, sent, world, fault, one);
  if (outcome !== "the API's") {
    if (outcome !== "preflight" && !outcome.startsWith("workerd") && outcome !== "connection closed") fault(one("cache-control") !== "no-store", `a refusal says cache-control: ${one("cache-control")}`);
    return faults;
  }
  if (api === undefined) return [...faults, "an answer of the API's that was asked nothing"];
  for (const [name, value] of headers) fault(isOfPreflights(name), `${name}: ${value} is in no preflight`);
  fault(isAccesss(api.status, api.headers), "Access's refusal came back as the API's answer");
  fault(status !== api.status, `the API's ${api.status} became ${status}`);
  fault(status === 101 && !isWebSocket(sent), "a 101 that nobody asked for");
  // Every answer of a caller who was checked, as a shared cache reads it (RFC 9213 §2.2).
  const caches = one("cdn-cache-control");
  const kept = !keepsNothing(valuesOf(headers, "cache-control"));
  fault(kept ? caches !== "no-store" : caches !== "" && caches !== "no-store", `cache-control: ${one("cache-control")} comes with cdn-cache-control: ${caches}`);
  for (const [name, value] of api.free) fault(one(name) !== value, `the API's ${name} became ${one(name)}`);
  const alone = (name) => api.headers.filter(([found]) => found.toLowerCase() === name).length === 1;
  for (const [name, value] of api.urls) fault(alone(name) && one(name) !== value, `${name} became ${one(name)}, not ${value}`);
  const reached = new RegExp(`//${world.api.host}${sent.route.base ?? sent.path}([/?#]|$)`);
  for (const name of ["location", "content-location", "operation-location", "link", "refresh"]) fault((alone(name) || name === "link") && reached.test(one(name)), `${name}: ${one(name)} leads to the API`);
  // What a browser would show as a page (configuration.md, `documents`): without a type it has to guess.
  const isShown = ["document", "iframe", "object"].includes(sent.dest) || (sent.dest === undefined && one("content-type") === "");
  fault(isShown && sent.route.sandbox && status !== 101 && status !== 304 && !valuesOf(headers, "content-security-policy").some((value) => /(^|, )sandbox$/.test(value)), "a document without sandbox");
  return faults;
}

/** Who may read an answer: what cors.md promises of every answer but workerd's own. */
function checkCors(answer, outcome, sent, world, fault, one) {
  if (outcome.startsWith("workerd") || outcome === "connection closed") return;
  const { route, origin } = sent;
  const allowed = origin !== undefined && route.allows(origin);
  const reader = route.everybody ? "*" : allowed ? origin : "";
  const preflight = isPreflight(sent);
  const [found, credentials] = [one("access-control-allow-origin"), one("access-control-allow-credentials")];
  if (!preflight || outcome === "preflight") {
    fault(found !== reader && !(world.debug && preflight), `access-control-allow-origin is ${found}, not ${reader}`);
    fault(credentials !== (reader !== "" && route.withCredentials ? "true" : "") && !(world.debug && preflight), `access-control-allow-credentials is ${credentials}`);
  } else if (outcome !== "upstream_access_denied" && outcome !== "upstream_unreachable") {
    fault(found !== "" || credentials !== "", "a refused preflight has CORS headers");
  }
  const listed = !route.everybody && sent.path !== "/own";
  fault(listed && !preflight && answer.status !== 101 && !/(^|,\s*)(origin|\*)(\s*,|$)/i.test(one("vary")), `vary is ${one("vary")}, without Origin`);
}
