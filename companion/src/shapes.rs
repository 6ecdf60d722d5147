//! What the texts of `RELAY` look like: as much of the reader's own rules as a pattern can say.
//!
//! Editors read the patterns with JavaScript's engine, others with Rust's, so nothing in them looks around. A test holds them to
//! the reader: whatever it takes fits.

use access_relay_core::config::keys::access::{AUDIENCE, ISSUER};
use access_relay_core::config::keys::cors::{
    ALLOWED_HEADERS, ALLOWED_METHODS, ALLOWED_ORIGINS, EXCLUDED_PATHS, EXPOSED_HEADERS,
};
use access_relay_core::config::keys::relay::HEALTH_PATH;
use access_relay_core::config::keys::routes::{
    BINDING, CALLBACK_PATHS, PATH, REQUEST_COOKIES, RESPONSE_COOKIES, SERVICE_TOKEN,
};
use access_relay_core::messages::cookies::ACCESS_COOKIES;
use access_relay_core::rules::browsers::FORBIDDEN;
use serde_json::{Value, json};

const LABEL: &str = "[a-z0-9_-]{1,63}";
const IPV6: &str = r"\[[0-9a-f:]+\]";
const PORT: &str = "(?::[1-9][0-9]{0,4})?";
const DEFAULT_PORT: &str = "^(?:https://[^/]*:443|http://[^/]*:80)(?:/|$)";
/// Letters of a path's segment: with both of the last ones at an upstream, without the star in a prefix.
const IN_A_PATH: &str = "A-Za-z0-9._~!$&'()+,=:@";
const DOTS: &str = r"/\.{1,2}(?:/|$)";
const TOKEN: &str = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const COOKIE: &str = r"[!#-)+\-./0-9:<>-~]+";
/// Where Access itself answers.
const TEAM: &str = r"^https://[^./:]+(?:\.fed)?\.cloudflareaccess\.com(?:/|$)";

/// What a text of this key, or one in its list, must look like; nothing where any text will do, or where other keys decide.
#[must_use]
pub fn of(table: &str, key: &str) -> Option<Value> {
    let is = |of: &str, known: &str| table == of && key == known;
    Some(match () {
        () if is("access", ISSUER.name) => {
            let pattern = format!("^(?:{}|{})$", server("https"), loopback());
            shape(
                &pattern,
                &[pattern_of(DEFAULT_PORT)],
                "Write the team's URL, as in \"https://acme.cloudflareaccess.com\", without a slash at the end.",
            )
        }
        () if is("access", AUDIENCE.name) => {
            shape("^[!-;=?-~]+$", &[], "Copy the application's AUD tag from its settings in Access.")
        }
        () if is("routes", PATH.name) || is("relay", HEALTH_PATH.name) => prefix(";-"),
        () if is("routes", CALLBACK_PATHS.name) => prefix(";-"),
        () if is("cors", EXCLUDED_PATHS.name) => prefix("-"),
        () if is("routes", BINDING.name) => {
            shape("^[A-Za-z_][A-Za-z0-9_]*$", &[], "Write the name of a binding, as in \"API\".")
        }
        () if is("routes", SERVICE_TOKEN.name) => {
            shape("^[A-Z][A-Z0-9_]*$", &[], "Write the prefix of the secrets' names in capitals, as in \"CF_ACCESS\".")
        }
        () if is("routes", REQUEST_COOKIES.name) => cookie(&format!(r"^(?:\*|{COOKIE}\*?)$")),
        () if is("routes", RESPONSE_COOKIES.name) => cookie(&format!(r"^{COOKIE}\*?$")),
        () if is("cors", ALLOWED_ORIGINS.name) => origin(),
        () if is("cors", ALLOWED_METHODS.name) => method(),
        () if is("cors", ALLOWED_HEADERS.name) => {
            let never = ["via", "set-cookie"].into_iter().chain(FORBIDDEN);
            header(never, &["proxy-", "sec-", "access-control-"])
        }
        () if is("cors", EXPOSED_HEADERS.name) => {
            header(["set-cookie", "set-cookie2", "origin"].into_iter(), &["access-control-"])
        }
        () => return None,
    })
}

/// An upstream: over the public network, plain http is for loopback hosts only.
#[must_use]
pub fn upstream(is_bound: bool) -> Value {
    let origin = if is_bound { server("https?") } else { format!("(?:{}|{})", server("https"), loopback()) };
    let pattern = format!("^{origin}(?:/[{IN_A_PATH}*;-]+)*/?$");
    let not = [DEFAULT_PORT, DOTS, TEAM].map(pattern_of);
    shape(
        &pattern,
        &not,
        "Write the API's own origin, as in \"https://api.example.com\"; plain http is for loopback hosts and bindings.",
    )
}

/// Plain http to another machine, as an origin of a policy has it.
#[must_use]
pub fn plain_http() -> Value {
    let here = format!(r"^http://(?:\*\.)?(?:{})(?::|$)", loopback_host());
    json!({ "allOf": [pattern_of("^http://"), { "not": pattern_of(&here) }] })
}

/// The header `Authorization`, in whatever case.
#[must_use]
pub fn authorization() -> Value {
    pattern_of(&format!("^{}$", ignoring_case("authorization")))
}

fn server(scheme: &str) -> String {
    format!(r"{scheme}://(?:(?:{LABEL}\.)*{LABEL}|{IPV6}){PORT}")
}

fn loopback() -> String {
    format!("http://(?:{}){PORT}", loopback_host())
}

fn loopback_host() -> String {
    format!(r"(?:{LABEL}\.)*localhost|127(?:\.[0-9]{{1,3}}){{3}}|\[::1\]")
}

/// A path, without a star; `more` has the letters that are not everywhere.
fn prefix(more: &str) -> Value {
    let pattern = format!("^(?:/|(?:/[{IN_A_PATH}{more}]+)+)$");
    let not = [pattern_of(DOTS), pattern_of("^/cdn-cgi(?:/|$)")];
    shape(
        &pattern,
        &not,
        "Write a path that begins with a slash, as in \"/api\", without a star, a query or a slash at the end.",
    )
}

fn cookie(pattern: &str) -> Value {
    let own: Vec<String> = ACCESS_COOKIES.iter().map(|name| ignoring_case(name)).collect();
    // `CF_*` may mean others, `CF_Auth*` only Access's.
    let shared = ignoring_case("cf_");
    let beginnings: Vec<String> =
        ACCESS_COOKIES.iter().filter_map(|name| name.strip_prefix("cf_")).map(beginning_of).collect();
    let not = [pattern_of(&own.join("|")), pattern_of(&format!(r"^{shared}(?:{})\*$", beginnings.join("|")))];
    shape(
        pattern,
        &not,
        "Write a cookie's name, as in \"theme\", or its beginning and one *; Access's own cookies never cross the relay.",
    )
}

/// Whatever a name begins with, in whatever case: `a(?:b(?:c)?)?`.
fn beginning_of(name: &str) -> String {
    name.chars().rev().fold(String::new(), |rest, letter| {
        let letter = ignoring_case(&letter.to_string());
        if rest.is_empty() { letter } else { format!("{letter}(?:{rest})?") }
    })
}

fn origin() -> Value {
    // What browsers know as a page's, and what was meant to be http: neither can be the scheme of an app.
    let app = "(?:[htps]+[a-gi-oqru-z0-9+.-]|[a-gi-oqru-z])[a-z0-9+.-]*";
    let host = format!(r"(?:{LABEL}\.)*{LABEL}");
    let web = format!(r"https?://(?:(?:\*\.)?{host}|{IPV6})(?::\*|{PORT})");
    let pattern = format!(r"^(?:\*|{web}|{app}://(?:{host}|{IPV6}){PORT})$");
    let no_pages = "^(?:about|blob|data|file|ftp|javascript|wss?)://";
    let below_an_address = r"^https?://\*\.[0-9]+(?:\.[0-9]+){3}(?::|$)";
    let not = [DEFAULT_PORT, no_pages, below_an_address].map(pattern_of);
    shape(
        &pattern,
        &not,
        "Write an origin as browsers send it, as in \"https://app.example.com\", or a pattern: \"https://*.example.com\", \"https://example.com:*\".",
    )
}

fn method() -> Value {
    const USUAL: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
    let in_any_case = |names: &[&str]| pattern_of(&any_of(names.iter().map(|name| ignoring_case(name))));
    let misspelt = json!({ "allOf": [in_any_case(&USUAL), { "not": { "enum": USUAL } }] });
    let not = [in_any_case(&["CONNECT", "TRACE", "TRACK"]), misspelt];
    shape(
        &format!("^{TOKEN}$"),
        &not,
        "Write a method's name as it is sent, as in \"PUT\"; browsers never send CONNECT, TRACE or TRACK.",
    )
}

fn header<'n>(never: impl Iterator<Item = &'n str>, beginnings: &[&str]) -> Value {
    let beginnings = beginnings.iter().map(|name| format!("{}.*", ignoring_case(name)));
    let not = pattern_of(&any_of(never.map(ignoring_case).chain(beginnings)));
    shape(
        &format!("^{TOKEN}$"),
        &[not],
        "Write a header's name, as in \"content-type\": one that pages may send, or read, at all.",
    )
}

/// A text of this pattern, and of none of the others. Editors show what to write instead.
fn shape(pattern: &str, not: &[Value], write: &str) -> Value {
    let mut shape = json!({ "pattern": pattern, "errorMessage": write });
    if let (Some(keys), false) = (shape.as_object_mut(), not.is_empty()) {
        keys.insert("not".to_owned(), json!({ "anyOf": not }));
    }
    shape
}

fn pattern_of(pattern: &str) -> Value {
    json!({ "pattern": pattern })
}

fn any_of(names: impl Iterator<Item = String>) -> String {
    format!("^(?:{})$", names.collect::<Vec<_>>().join("|"))
}

/// The name, in whatever case: there is no flag for it that all engines know.
fn ignoring_case(name: &str) -> String {
    let either = |letter: char| match letter.is_ascii_alphabetic() {
        true => format!("[{}{}]", letter.to_ascii_lowercase(), letter.to_ascii_uppercase()),
        false => letter.to_string(),
    };
    name.chars().map(either).collect()
}
