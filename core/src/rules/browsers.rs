//! What browsers never let a page send or read: a policy that names it has no effect.

/// What no page can send, besides the names that begin with `proxy-` or `sec-`.
/// Source: Fetch standard, "forbidden request-header".
pub const FORBIDDEN: [&str; 19] = [
    "accept-charset",
    "accept-encoding",
    "access-control-request-headers",
    "access-control-request-method",
    "connection",
    "content-length",
    "cookie",
    "cookie2",
    "date",
    "dnt",
    "expect",
    "host",
    "keep-alive",
    "origin",
    "referer",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Why no page could send a request with this method. Source: Fetch standard, "forbidden method".
#[must_use]
pub fn why_no_method(text: &str) -> Option<&'static str> {
    let is_forbidden = ["CONNECT", "TRACE", "TRACK"].iter().any(|name| name.eq_ignore_ascii_case(text));
    is_forbidden.then_some("browsers never send it")
}

/// The method that somebody means, if only its case is wrong.
#[must_use]
pub fn in_upper_case(text: &str) -> Option<&'static str> {
    const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
    METHODS.into_iter().find(|name| name.eq_ignore_ascii_case(text) && *name != text)
}

/// Why a page could never send a header, whatever the policy says. The name is in lower case.
#[must_use]
pub fn why_not_allowed(name: &str) -> Option<&'static str> {
    if name == "cookie" || name == "cookie2" {
        return Some("browsers send cookies by themselves, where allow_credentials lets them");
    }
    if FORBIDDEN.contains(&name) || name == "via" || name.starts_with("proxy-") || name.starts_with("sec-") {
        return Some("browsers let no page set it");
    }
    (name == "set-cookie" || name.starts_with("access-control-"))
        .then_some("it belongs to answers, and no page sends it")
}

/// Why a page could never read a header, or should not be told that it may. The name is in lower case.
/// Source: Fetch standard, "forbidden response-header name".
#[must_use]
pub fn why_not_exposed(name: &str) -> Option<&'static str> {
    match name {
        "set-cookie" | "set-cookie2" => Some("browsers show it to no page"),
        "origin" => Some("it belongs to requests"),
        _ if name.starts_with("access-control-") => Some("it is the relay's word to the browser, not to the page"),
        _ => None,
    }
}
