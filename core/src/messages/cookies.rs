//! Which cookies cross the relay, in both directions.
//!
//! The relay stands on the page's own host, so the browser sends it that host's cookies, Access's among them, and
//! would store whatever cookie an answer sets. None crosses unless a route names it. Source: RFC 6265 §4 and §5.

/// The cookie in which Access keeps the caller's application token.
pub const ACCESS_TOKEN_COOKIE: &str = "CF_Authorization";

/// All of Access's own, in lower case.
pub const ACCESS_COOKIES: [&str; 4] = ["cf_authorization", "cf_appsession", "cf_binding", "cf_session"];

/// Names of cookies, as `request_cookies` and `response_cookies` have them: `theme`, or with a `*` at the end all names that
/// begin so, for cookies that a framework cuts into pieces (`.AspNetCore.CookiesC1`, `sb-x-auth-token.0`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CookieNames(Vec<String>);

impl CookieNames {
    /// These names.
    #[must_use]
    pub fn new(names: Vec<String>) -> Self {
        Self(names)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a cookie of this name is meant.
    #[must_use]
    pub fn contain(&self, name: &str) -> bool {
        self.0.iter().any(|listed| match listed.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => listed == name,
        })
    }
}

/// Which cookies of the caller a route passes on to its API.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RequestCookies {
    /// None: the `Cookie` header is dropped.
    #[default]
    Nothing,
    /// These names.
    Named(CookieNames),
    /// All but Access's own.
    AllButAccess,
}

/// Whether a cookie is one of Access's own: a bearer credential, or part of its login. These never cross.
/// Access's documentation lists `CF_Authorization`, `CF_AppSession`, `CF_Binding` and `CF_Session`.
///
/// Any mention counts, in whatever case, also inside a whole `name=value`: Workers join repeated `Cookie` lines with
/// a comma, and the second line must not ride along inside the last value of the first.
#[must_use]
pub fn mentions_access_cookie(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ACCESS_COOKIES.iter().any(|name| text.contains(name))
}

/// Whether `name` can be the name of a cookie, or with one `*` at its end the beginning of one. Browsers accept more
/// than RFC 6265 §4.1.1 asks of servers (`prefs[lang]`): all but what ends a name, or a cookie.
#[must_use]
pub fn is_cookie_name(name: &str) -> bool {
    let name = name.strip_suffix('*').unwrap_or(name);
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b';' | b'=' | b',' | b'"' | b'*'))
}

/// Whether a name of the configuration can only mean a cookie of Access: `CF_Session`, `CF_Session*`, and `CF_Auth*`.
#[must_use]
pub fn is_access_cookie_name(name: &str) -> bool {
    // Up to here others begin so, too: `CF_*`.
    const SHARED: &str = "cf_";
    let lower = name.to_ascii_lowercase();
    let begins_one = |beginning: &str| {
        beginning.len() > SHARED.len() && ACCESS_COOKIES.iter().any(|cookie| cookie.starts_with(beginning))
    };
    mentions_access_cookie(name) || lower.strip_suffix('*').is_some_and(begins_one)
}

/// Every value that a `Cookie` header gives to `name`, in order, those in a second line among them: Workers join lines with a
/// comma.
pub fn values_of<'a>(cookie_header: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let cookies = pairs(cookie_header).flat_map(|(_, pair)| readings(pair));
    cookies.filter(move |(found, _)| *found == name).map(|(_, value)| {
        let value = value.trim();
        value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(value)
    })
}

impl RequestCookies {
    /// The `Cookie` header for the API, or `None` where no cookie is left of it.
    #[must_use]
    pub fn filter(&self, cookie_header: &str) -> Option<String> {
        let passes = |name: &str| match self {
            Self::Nothing => false,
            Self::Named(names) => names.contain(name),
            Self::AllButAccess => true,
        };
        let kept: Vec<&str> = pairs(cookie_header)
            // A value may hold a second cookie after a comma. The pair passes only if both names are allowed.
            .filter(|(name, pair)| passes(name) && readings(pair).all(|(name, _)| passes(name)))
            .map(|(_, pair)| pair)
            .filter(|pair| !mentions_access_cookie(pair))
            .collect();
        (!kept.is_empty()).then(|| kept.join("; "))
    }
}

/// One `Set-Cookie` of the API as the browser may get it: `None` unless `allowed` names the cookie; else the same
/// line without `Domain`, so that the cookie stays with the relay's own host (RFC 6265 §5.3 step 6, host-only), and with a
/// `Path` that leads `back` to what it names at the API. `/` stays: it covers the relay's path, and what reads the cookie may
/// be a page above it.
#[must_use]
pub fn host_only(set_cookie: &str, allowed: &CookieNames, back: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut parts = set_cookie.split(';');
    let pair = parts.next().unwrap_or_default();
    let name = pair.split_once('=').map(|(name, _)| name.trim())?;
    if mentions_access_cookie(name) || !allowed.contain(name) {
        return None;
    }
    let mut kept = pair.trim().to_owned();
    for attribute in parts.map(str::trim) {
        let (attribute_name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        let (attribute_name, value) = (attribute_name.trim_end(), value.trim_start());
        if attribute_name.eq_ignore_ascii_case("domain") {
            continue;
        }
        kept.push_str("; ");
        let is_path = attribute_name.eq_ignore_ascii_case("path") && value.starts_with('/') && value != "/";
        match is_path.then(|| back(value)).flatten() {
            Some(path) => kept.extend(["Path=", &path]),
            None => kept.push_str(attribute),
        }
    }
    Some(kept)
}

/// The cookies of a header: each one's name, and the whole `name=value` as it stands. A part without `=` is a cookie
/// with an empty name to some servers and a name to others, so it is nobody's: it has no name here.
fn pairs(cookie_header: &str) -> impl Iterator<Item = (&str, &str)> {
    cookie_header.split(';').map(str::trim).filter(|pair| !pair.is_empty()).map(|pair| {
        let name = pair.split_once('=').map_or("", |(name, _)| name.trim_end());
        (name, pair)
    })
}

/// Every cookie that somebody could read in a `name=value`, each with its value: the pair itself, and what begins after a comma
/// and has a `=` of its own. A value may hold a comma (most servers take it for a part of the value), and a second `Cookie`
/// line follows the first after one; RFC 2109 §4.2.2 and some servers separate cookies by it.
fn readings(pair: &str) -> impl Iterator<Item = (&str, &str)> {
    pair.split(',').filter_map(|part| part.split_once('=')).map(|(name, value)| (name.trim(), value))
}
