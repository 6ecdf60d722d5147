//! Which headers cross the relay, in both directions: one list of what is not the caller's to say to the API, and one of what
//! is not the API's to say to the page's host. `docs/headers.md` has each with its reason; a test holds the two together. Pure.

use crate::headers::{ALONG_A_REQUEST, ALONG_AN_ANSWER, Name, Present};

/// What a caller cannot say to the API through the relay. A `*` at the end stands for whatever follows.
///
/// Every character that is neither a letter nor a digit counts as `-`: servers with CGI fold them all into one (RFC 3875
/// §4.1.18), so that `X~Forwarded~Email` would arrive in place of ours.
pub const NOT_THE_CALLERS: &[&str] = &[
    // Access's credentials and its word on who calls: ours take their place, alone (strict mode refuses duplicates).
    "cf-access-*",
    // The relay's word on who calls and from where (RFC 7239).
    "forwarded",
    "x-forwarded",
    "x-forwarded-*",
    "access-relay-*",
    // Hop-by-hop, or meant for a proxy (RFC 9110 §7.6.1).
    "connection",
    "keep-alive",
    "proxy",
    "proxy-*",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    // RFC 2965's cookies, which request_cookies does not read.
    "cookie2",
    // Where a request comes from, as load balancers say it.
    "client-ip",
    "fastly-client-ip",
    "true-client-ip",
    "x-azure-clientip",
    "x-azure-socketip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-external-address",
    "x-forward-for",
    "x-original-forwarded-for",
    "x-originating-ip",
    "x-real-ip",
    "x-remote-addr",
    "x-remote-ip",
    // What is asked, in place of the request line and of Host.
    "front-end-https",
    "x-envoy-original-path",
    "x-host",
    "x-http-destinationurl",
    "x-http-host-override",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-middleware-subrequest",
    "x-original-host",
    "x-original-method",
    "x-original-uri",
    "x-original-url",
    "x-proxy-url",
    "x-rewrite-url",
    "x-url-scheme",
    // Who calls, as proxies that log people in say it.
    "client-cert",
    "client-cert-chain",
    "impersonate-*",
    "remote-email",
    "remote-groups",
    "remote-name",
    "remote-user",
    "ssl-client-*",
    "tailscale-user-*",
    "x-amzn-oidc-*",
    "x-auth-request-*",
    "x-authenticated-*",
    "x-authentik-*",
    "x-client-cert",
    "x-client-cert-*",
    "x-consumer-*",
    "x-credential-*",
    "x-goog-authenticated-user-*",
    "x-goog-iap-jwt-assertion",
    "x-ms-client-principal",
    "x-ms-client-principal-*",
    "x-ms-token-*",
    "x-pomerium-*",
    "x-remote-extra-*",
    "x-remote-group",
    "x-remote-user",
    "x-ssl-client-*",
    "x-vouch-*",
    "x-webauth-*",
];

/// What an API cannot say to a browser, which would take the page's host for who says it.
pub const NOT_THE_APIS: &[&str] = &[
    // Who may read an answer: the relay alone says it (Fetch, "HTTP responses"; Private Network Access).
    "access-control-*",
    // Access's words to the relay, and an echo of what the relay has sent.
    "cf-access-*",
    // What a host keeps in the browser: cookies, and all of it (RFC 6265 §4.1; Clear Site Data §3.1).
    "set-cookie",
    "set-cookie2",
    "clear-site-data",
    "shared-storage-write",
    "use-as-dictionary",
    // How a host is reached (RFC 6797 §6.1, RFC 7469 §2.1, RFC 9163 §2.1, RFC 7838 §3).
    "strict-transport-security",
    "public-key-pins",
    "public-key-pins-report-only",
    "expect-ct",
    "alt-svc",
    // Where a host's errors are reported (Network Error Logging §4, Reporting API §3.2).
    "nel",
    "report-to",
    "reporting-endpoints",
    // How far a service worker reaches (Service Workers, "Service-Worker-Allowed").
    "service-worker-allowed",
    // Whether somebody is logged in there, and with which session (FedCM, "Login Status API"; Device Bound Session
    // Credentials).
    "set-login",
    "secure-session-*",
    "sec-session-*",
    // What browsers tell a host about themselves (RFC 8942 §3.1, Client Hints Reliability §3).
    "accept-ch",
    "accept-ch-lifetime",
    "critical-ch",
    // How a host's pages are kept apart from others, and what others may learn (HTML, "origin-keyed agent clusters"; Storage
    // Access Headers; Resource Timing §4.5.1).
    "origin-agent-cluster",
    "activate-storage-access",
    "timing-allow-origin",
    // What a host takes part in (Topics API, Attribution Reporting, Protected Audience).
    "observe-browsing-topics",
    "attribution-reporting-*",
    "ad-auction-*",
];

/// What an API cannot say to a cache on the way, where callers are checked: that its answer may be kept for others. Targeted
/// fields go before `Cache-Control` (RFC 9213 §2.2).
pub const NOT_THE_APIS_WHERE_CALLERS_ARE_CHECKED: &[&str] = &[
    "akamai-cache-control",
    "cloudflare-cdn-cache-control",
    "edge-control",
    "fastly-cdn-cache-control",
    "netlify-cdn-cache-control",
    "surrogate-control",
    "vercel-cdn-cache-control",
    "x-accel-expires",
];

/// The known ones of those that [`never_crosses_to_the_api`].
pub const NEVER_TO_THE_API: &[Name] = &[
    Name::AccessAud,
    Name::AccessClientId,
    Name::AccessClientSecret,
    Name::AccessDomain,
    Name::AccessError,
    Name::AccessJwtAssertion,
    Name::AccessToken,
    Name::Connection,
    Name::ForwardedClientId,
    Name::ForwardedEmail,
    Name::ForwardedFor,
    Name::ForwardedHost,
    Name::ForwardedPrefix,
    Name::ForwardedProto,
    Name::ForwardedUser,
    Name::Loop,
    Name::Upgrade,
];

/// The known ones of those that [`never_crosses_to_the_browser`].
pub const NEVER_TO_THE_BROWSER: &[Name] = &[
    Name::AccessAud,
    Name::AccessClientId,
    Name::AccessClientSecret,
    Name::AccessDomain,
    Name::AccessError,
    Name::AccessJwtAssertion,
    Name::AccessToken,
    Name::AllowCredentials,
    Name::AllowHeaders,
    Name::AllowMethods,
    Name::AllowOrigin,
    Name::ExposeHeaders,
    Name::MaxAge,
    Name::RequestHeaders,
    Name::RequestMethod,
    Name::SetCookie,
];

/// Whether a header of this name, in lower case, is not the caller's to say.
#[must_use]
pub fn never_crosses_to_the_api(name: &str) -> bool {
    // Cloudflare's own headers come in its spelling alone: a server that folds names would take another for it.
    let bent = || name.bytes().any(|b| b != b'-' && fold(b) == b'-') && matches("cf-*", name);
    NOT_THE_CALLERS.iter().any(|pattern| matches(pattern, name)) || bent()
}

/// Whether a header of this name, in lower case, is not the API's to say, in any case or where callers are checked.
#[must_use]
pub fn never_crosses_to_the_browser(name: &str) -> bool {
    is_listed(name, NOT_THE_APIS) || is_listed(name, NOT_THE_APIS_WHERE_CALLERS_ARE_CHECKED)
}

/// Whether a list has a name.
#[must_use]
pub fn is_listed(name: &str, list: &[&str]) -> bool {
    list.iter().any(|pattern| matches(pattern, name))
}

/// A request's headers, as the border tells them.
#[must_use]
pub fn in_request(lines: &str) -> Present<'_> {
    Present::of(lines, ALONG_A_REQUEST, never_crosses_to_the_api)
}

/// The headers of an API's answer, as the border tells them.
#[must_use]
pub fn in_answer(lines: &str) -> Present<'_> {
    Present::of(lines, ALONG_AN_ANSWER, never_crosses_to_the_browser)
}

/// What a name must begin with, two characters, for the border to tell it: of a request's headers, and of an answer's. All in
/// one text each; `-` stands for every character that counts as one.
#[must_use]
pub fn beginnings() -> [String; 2] {
    let of = |lists: &[&[&'static str]]| {
        let mut beginnings: Vec<&str> = Vec::new();
        for beginning in lists.iter().flat_map(|list| list.iter()).filter_map(|pattern| pattern.get(..2)) {
            if !beginnings.contains(&beginning) {
                beginnings.push(beginning);
            }
        }
        beginnings.concat()
    };
    [of(&[NOT_THE_CALLERS]), of(&[NOT_THE_APIS, NOT_THE_APIS_WHERE_CALLERS_ARE_CHECKED])]
}

fn matches(pattern: &str, name: &str) -> bool {
    let begins = |beginning: &str| name.bytes().map(fold).zip(beginning.bytes()).all(|(found, wanted)| found == wanted);
    match pattern.strip_suffix('*') {
        Some(beginning) => name.len() >= beginning.len() && begins(beginning),
        None => name.len() == pattern.len() && begins(pattern),
    }
}

const fn fold(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte } else { b'-' }
}
