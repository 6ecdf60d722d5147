// Recordings as browsers export them (HAR 1.2), of the kinds of trouble that people have; and a configuration to hold them against.

export const AUD = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";

export const wrangler = `name = "api-relay"

[vars.RELAY.access]
issuer   = "https://acme.cloudflareaccess.com"
audience = ["${AUD}"]

[[vars.RELAY.routes]]
path     = "/api"
upstream = "https://api.example.com"

[vars.RELAY.cors]
allowed_origins = ["https://admin.example.com"]
allowed_methods = ["DELETE"]
`;

/** The same in JSON with comments. */
export const wranglerJsonc = `// What the relay does.
{ "vars": { "RELAY": {
  "access": { "issuer": "https://acme.cloudflareaccess.com", "audience": ["${AUD}"] },
  "routes": [{ "path": "/api", "upstream": "https://api.example.com" }],
  "cors": { "allowed_origins": ["https://admin.example.com"], "allowed_methods": ["DELETE"] }
} } }
`;

const lines = (headers) => Object.entries(headers).map(([name, value]) => ({ name, value }));

/** An entry as Chromium writes it. */
export function entry({ at = 0, method = "GET", url, asked = {}, status = 200, answered = {}, kind = "fetch", serves, error = null, mime = "", text }) {
  return {
    startedDateTime: new Date(Date.UTC(2026, 10, 26, 9) + at).toISOString(),
    time: 12.5,
    _resourceType: kind,
    _initiator: serves ? { type: "preflight", url: serves } : { type: "script" },
    request: { method, url, httpVersion: "h3", headers: lines(asked), cookies: [], queryString: [], headersSize: -1, bodySize: -1 },
    response: {
      status,
      statusText: "",
      httpVersion: "h3",
      headers: lines(answered),
      cookies: [],
      content: { size: 0, mimeType: mime, text },
      redirectURL: answered.location ?? "",
      headersSize: -1,
      bodySize: -1,
      _error: error,
    },
    cache: {},
    timings: { send: 0, wait: 12, receive: 0.5 },
  };
}

export const har = (entries) => ({ log: { version: "1.2", creator: { name: "WebInspector", version: "537.36" }, pages: [], entries } });

const app = "https://app.example.com";
const login = `https://acme.cloudflareaccess.com/cdn-cgi/access/login/app.example.com?kid=${AUD}&meta=eyJhbGciOiJSUzI1NiJ9.eyJlbWFpbCI6ImFkYUBleGFtcGxlLmNvbSJ9.c2ln`;
const page = entry({ url: `${app}/`, kind: "document" });
const problem = (code) => ({ answered: { "content-type": "application/problem+json" }, mime: "application/problem+json", text: JSON.stringify({ type: `urn:problem-type:access-relay:${code}`, code }) });
const direct = { url: "https://api.example.com/notes", asked: { origin: app, "sec-fetch-mode": "cors" } };

/** Recordings with the code of what is wrong in each. */
export const recordings = {
  "access::session_expired": har([page, entry({ at: 5, url: `${app}/api/notes`, status: 302, answered: { location: login } }), entry({ at: 6, url: login, status: 0, error: "net::ERR_FAILED" })]),
  "access::direct_call": har([page, entry({ at: 5, ...direct, status: 302, answered: { location: login } })]),
  "access::preflight_blocked": har([
    page,
    entry({ at: 5, ...direct, method: "PUT", status: 0, error: "net::ERR_FAILED" }),
    entry({ at: 6, method: "OPTIONS", url: direct.url, kind: "preflight", serves: direct.url, asked: { origin: app, "access-control-request-method": "PUT" }, status: 403, answered: { "cf-access-aud": AUD, "cf-access-domain": "api.example.com" } }),
  ]),
  "access::service_token_refused": har([page, entry({ at: 5, url: `${app}/api/notes`, status: 502, ...problem("upstream_access_denied") })]),
  "relay::refused": har([page, entry({ at: 5, url: `${app}/api/../x`, status: 400, ...problem("bad_path") })]),
  "page::html": har([page, entry({ at: 5, url: `${app}/apis/notes`, asked: { accept: "application/json" }, answered: { "content-type": "text/html" } })]),
};

/** A recording of about so many bytes, nearly all of them bodies, as of an afternoon; the trouble is in the midst of it. */
export function large(bytes) {
  const entries = [page];
  const body = "A page, a picture, a script: \\u00e4 \\\" and so on. ".repeat(1_000);
  const each = JSON.stringify(body).length + 600;
  for (let at = 1; at * each < bytes; at += 1) {
    entries.push(entry({ at: at * 20, url: `${app}/assets/${at}.js`, kind: "script", answered: { "content-type": "text/javascript", etag: `"${at}"` }, mime: "text/javascript", text: body }));
  }
  const trouble = recordings["access::session_expired"].log.entries.slice(1);
  entries.splice(entries.length / 2, 0, ...trouble);
  return har(entries);
}
