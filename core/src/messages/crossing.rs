//! Which headers cross the relay, in both directions: one list of what is not the caller's to say to the API, and one of what
//! is not the API's to say to the page's host. `docs/headers.md` has each with its reason; a test holds the two together.

use crate::messages::name::{ALONG_A_REQUEST, ALONG_AN_ANSWER, Name};
use crate::messages::present::Present;

/// What a caller cannot say to the API through the relay. A `*` at an end stands for whatever is there.
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
    // What wrangler tells the runtime on a developer's machine: whom Access let in, and what was asked.
    "mf-access-*",
    "mf-original-*",
    // Hop-by-hop, or meant for a proxy (RFC 9110 §7.6.1).
    "connection",
    "http2-settings",
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
    "cloudfront-*",
    "fastly-client-ip",
    "fly-client-ip",
    "http-*",
    "true-client-ip",
    "x-appengine-*",
    "x-azure-clientip",
    "x-azure-socketip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-external-address",
    "x-forward-for",
    "x-forwarder-for",
    "x-nf-client-connection-ip",
    "x-original-forwarded-for",
    "x-originating-ip",
    "x-proxyuser-ip",
    "x-real-ip",
    "x-remote-addr",
    "x-remote-ip",
    "x-vercel-*",
    // What is asked, in place of the request line and of Host.
    "front-end-https",
    "x-envoy-original-path",
    "x-host",
    "x-http-destinationurl",
    "x-http-host-override",
    "x-http-method",
    "x-http-method-override",
    "x-invoke-*",
    "x-matched-path",
    "x-method-override",
    "x-middleware-*",
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
    "oidc-*",
    "remote-email",
    "remote-groups",
    "remote-name",
    "remote-user",
    "shib-*",
    "ssl-client-*",
    "tailscale-user-*",
    "teleport-jwt-assertion",
    "wl-proxy-*",
    "x-amzn-mtls-*",
    "x-amzn-oidc-*",
    "x-apigateway-api-userinfo",
    "x-arr-*",
    "x-auth-request-*",
    "x-authenticated-*",
    "x-authentik-*",
    "x-client-cert",
    "x-client-cert-*",
    "x-consumer-*",
    "x-credential-*",
    "x-endpoint-api-userinfo",
    "x-goog-authenticated-user-*",
    "x-goog-iap-jwt-assertion",
    "x-jwt-assertion",
    "x-ms-client-principal",
    "x-ms-client-principal-*",
    "x-ms-token-*",
    "x-pomerium-*",
    "x-remote-extra-*",
    "x-remote-group",
    "x-remote-user",
    "x-ssl-*",
    "x-tls-client-*",
    "x-userinfo",
    "x-vouch-*",
    "x-webauth-*",
];

/// What an API cannot say to a browser: the browser would believe that the page's host said it.
pub const NOT_THE_APIS: &[&str] = &[
    // Who may read an answer: the relay alone says it (Fetch, "HTTP responses"; Private Network Access).
    "access-control-*",
    // Access's words to the relay, and an echo of what the relay has sent.
    "cf-access-*",
    // What a browser keeps for a host, or throws away (RFC 6265 §4.1; Clear Site Data §3.1; Shared Storage API; RFC 9842
    // §2.1).
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
/// fields, whose names end so, go before `Cache-Control` (RFC 9213 §2.2).
pub const NOT_THE_APIS_WHERE_CALLERS_ARE_CHECKED: &[&str] =
    &["*-cache-control", "edge-control", "surrogate-control", "x-accel-expires"];

/// How the names of fields for one kind of cache end (RFC 9213 §2.1).
pub const TARGETED: &str = "-cache-control";

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
    Name::ForwardedGroups,
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
    Name::AltSvc,
    Name::ExposeHeaders,
    Name::MaxAge,
    Name::Nel,
    Name::ReportTo,
    Name::RequestHeaders,
    Name::RequestMethod,
    Name::SetCookie,
    Name::StrictTransportSecurity,
];

/// Whether a header of this name, in lower case, is not the caller's to say.
#[must_use]
pub fn never_crosses_to_the_api(name: &str) -> bool {
    // Cloudflare's own headers, and those of the body, come in one spelling: a server that folds names would take another for
    // it.
    let plain = |name: &str| name.bytes().all(|b| b == b'-' || fold(b) != b'-');
    let bent = || (matches("cf-*", name) || matches("content-*", name)) && !plain(name);
    is_listed(name, NOT_THE_CALLERS) || bent()
}

/// Whether a header of this name, in lower case, is not the API's to say, in any case or where callers are checked.
#[must_use]
pub fn never_crosses_to_the_browser(name: &str) -> bool {
    is_listed(name, NOT_THE_APIS) || is_listed(name, NOT_THE_APIS_WHERE_CALLERS_ARE_CHECKED)
}

/// Whether a list has a name.
#[must_use]
pub fn is_listed(name: &str, list: &[&str]) -> bool {
    listed_by(name, list).is_some()
}

/// The pattern of a list that a name meets.
#[must_use]
pub fn listed_by<'l>(name: &str, list: &[&'l str]) -> Option<&'l str> {
    // Most patterns begin otherwise, and each name meets every one of them: so that is seen before anything else is.
    let first = name.as_bytes().first();
    let may_match =
        |pattern: &str| matches!(pattern.as_bytes().first(), Some(b'*')) || pattern.as_bytes().first() == first;
    list.iter().copied().find(|pattern| may_match(pattern) && matches(pattern, name))
}

/// A request's headers, as `head` of `headers.js` tells them.
#[must_use]
pub fn in_request(lines: &str) -> Present<'_> {
    Present::of(lines, ALONG_A_REQUEST, never_crosses_to_the_api)
}

/// The headers of an API's answer, as `answerHead` of `headers.js` tells them.
#[must_use]
pub fn in_answer(lines: &str) -> Present<'_> {
    Present::of(lines, ALONG_AN_ANSWER, never_crosses_to_the_browser)
}

/// How names begin that `headers.js` tells, by two characters each: of a request's headers, and of an answer's, where it tells
/// whatever ends like [`TARGETED`], too. All in one text each; `-` stands for every character that counts as one.
#[must_use]
pub fn beginnings() -> [String; 2] {
    let of = |lists: &[&[&'static str]]| {
        let mut beginnings: Vec<&str> = Vec::new();
        for beginning in lists.iter().flat_map(|list| list.iter()).filter_map(|pattern| pattern.get(..2)) {
            if !beginnings.contains(&beginning) && !beginning.starts_with('*') {
                beginnings.push(beginning);
            }
        }
        beginnings.concat()
    };
    [of(&[NOT_THE_CALLERS]), of(&[NOT_THE_APIS, NOT_THE_APIS_WHERE_CALLERS_ARE_CHECKED])]
}

fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    if let Some(end) = pattern.strip_prefix(b"*") {
        return name.ends_with(end);
    }
    let (beginning, is_whole) = match pattern {
        [beginning @ .., b'*'] => (beginning, false),
        whole => (whole, true),
    };
    let fits = if is_whole { name.len() == beginning.len() } else { name.len() >= beginning.len() };
    fits && name.iter().zip(beginning).all(|(found, wanted)| fold(*found) == *wanted)
}

const fn fold(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte } else { b'-' }
}
