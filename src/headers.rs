//! The one list of header names the relay knows, and what becomes of each. Pure.
//!
//! Every read of a header crosses the border between Wasm and JavaScript, so the edge tells in one string which headers
//! there are, and the values that nearly every decision needs; [`Present`] says which of the known ones are there and
//! which must go, and only what else matters is then read.

use crate::edits::Edit;
use crate::origin::split_before;

macro_rules! names {
    ($($variant:ident = $text:literal,)*) => {
        /// A header name the relay reads, sets or removes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Name { $(
            #[doc = concat!("`", $text, "`")]
            $variant,
        )* }

        impl Name {
            /// All of them, in the order of the enum.
            pub const ALL: &'static [Name] = &[$(Name::$variant,)*];

            /// As it crosses the border between Wasm and JavaScript: its place among all, as a character from `0` on.
            #[must_use]
            pub const fn place(self) -> char {
                (b'0' + self as u8) as char
            }

            /// The name at a place.
            #[must_use]
            pub fn at(place: char) -> Option<Self> {
                Self::ALL.get((place as usize).checked_sub(b'0' as usize)?).copied()
            }

            /// The name in lower case.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Name::$variant => $text,)* }
            }

            /// How long a value decisions look at, in bytes; one that is longer is read only so far, and one byte more.
            #[must_use]
            pub const fn longest(self) -> usize {
                match self {
                    Name::AccessJwtAssertion => crate::token::LONGEST,
                    Name::Connection => 1024,
                    Name::Origin => crate::origins::LONGEST,
                    Name::RequestHeaders => crate::cors::REQUEST_HEADERS_LONGEST,
                    Name::RequestMethod | Name::SecFetchSite => 64,
                    Name::ConnectingIp => 64,
                    Name::Traceparent => 256,
                    _ => usize::MAX >> 1,
                }
            }
        }
    };
}

names! {
    AccessAud = "cf-access-aud",
    AccessClientId = "cf-access-client-id",
    AccessClientSecret = "cf-access-client-secret",
    AccessDomain = "cf-access-domain",
    AccessError = "cf-access-error",
    AccessJwtAssertion = "cf-access-jwt-assertion",
    AccessToken = "cf-access-token",
    AllowCredentials = "access-control-allow-credentials",
    AllowHeaders = "access-control-allow-headers",
    AllowMethods = "access-control-allow-methods",
    AllowOrigin = "access-control-allow-origin",
    AllowPrivateNetwork = "access-control-allow-private-network",
    CacheControl = "cache-control",
    ClearSiteData = "clear-site-data",
    ConnectingIp = "cf-connecting-ip",
    Connection = "connection",
    ContentType = "content-type",
    Cookie = "cookie",
    ExposeHeaders = "access-control-expose-headers",
    ForwardedClientId = "x-forwarded-client-id",
    ForwardedEmail = "x-forwarded-email",
    ForwardedFor = "x-forwarded-for",
    ForwardedHost = "x-forwarded-host",
    ForwardedProto = "x-forwarded-proto",
    ForwardedUser = "x-forwarded-user",
    Location = "location",
    MaxAge = "access-control-max-age",
    Origin = "origin",
    Ray = "cf-ray",
    RequestHeaders = "access-control-request-headers",
    RequestMethod = "access-control-request-method",
    SecFetchSite = "sec-fetch-site",
    ServerTiming = "server-timing",
    SetCookie = "set-cookie",
    Traceparent = "traceparent",
    Tracestate = "tracestate",
    Upgrade = "upgrade",
    Vary = "vary",
    WwwAuthenticate = "www-authenticate",
}

/// Reads one header's value; repeated lines arrive joined with `, `.
pub trait Read {
    /// The value, up to one byte more than [`Name::longest`], or `None` where the message has no such header.
    fn read(&self, name: Name) -> Option<String>;

    /// Every `Set-Cookie` line by itself: the one header that must never be joined (RFC 9110 §5.3).
    fn set_cookies(&self) -> Vec<String>;
}

/// What the API cannot say to the browser, which takes the page's host for who says it: what is kept there (RFC 6265;
/// Clear Site Data §3.1), and who may read the answer (all the names that Fetch gives a response, and Private Network
/// Access's).
pub const ONLY_OURS_TO_SAY: [Name; 9] = [
    Name::SetCookie,
    Name::ClearSiteData,
    Name::AllowOrigin,
    Name::AllowCredentials,
    Name::AllowHeaders,
    Name::AllowMethods,
    Name::AllowPrivateNetwork,
    Name::ExposeHeaders,
    Name::MaxAge,
];

/// What every name of CORS begins with, those that no standard has yet included.
pub const OF_CORS: &str = "access-control-";

/// What a preflight asks: all that an API gets of it.
pub const OF_PREFLIGHTS: [Name; 3] = [Name::Origin, Name::RequestMethod, Name::RequestHeaders];

/// What decisions and the log look at in a preflight: what it asks, where it comes from, and which trace it belongs to.
pub const READ_OF_PREFLIGHTS: [Name; 6] =
    [Name::Origin, Name::RequestMethod, Name::RequestHeaders, Name::ConnectingIp, Name::Ray, Name::Traceparent];

/// What nearly every decision reads, so that its value comes along with a request's head.
///
/// Not the token: it is long, and as a part of a longer text it would be copied once more.
pub const ALONG: [Name; 7] = [
    Name::ConnectingIp,
    Name::Connection,
    Name::Origin,
    Name::RequestHeaders,
    Name::RequestMethod,
    Name::SecFetchSite,
    Name::Traceparent,
];

/// What the API may say all the same, where preflights are its to answer.
pub const FOR_PREFLIGHTS: [Name; 3] = [Name::AllowMethods, Name::AllowHeaders, Name::MaxAge];

/// A set of known names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Names(u64);

// A set is 64 bits, and a place must not look like a letter: the enum must fit both.
const _: () = assert!(Name::ALL.len() <= 48);

impl Names {
    /// Adds one.
    pub const fn insert(&mut self, name: Name) {
        self.0 |= 1 << name as u64;
    }

    /// Whether one is there.
    #[must_use]
    pub const fn has(self, name: Name) -> bool {
        self.0 & (1 << name as u64) != 0
    }
}

/// What a request's headers tell before any is read by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present<'t> {
    known: Names,
    /// The values that came along, at the places that their names have in [`ALONG`].
    values: [&'t str; ALONG.len()],
    /// Other names that must not cross to the API, in the request's own spelling.
    dropped: Vec<&'t str>,
}

impl<'t> Present<'t> {
    /// Takes stock of a request's headers, names in lower case. The first line tells known ones by their places
    /// ([`Name::place`]); then those of [`ALONG`] have a line each, the place and the value; of the others, those are told
    /// by name that begin with one of [`MAY_NOT_CROSS`].
    #[must_use]
    pub fn of(lines: &'t str) -> Self {
        let mut present = Self { known: Names::default(), values: [""; ALONG.len()], dropped: Vec::new() };
        let (places, mut rest) = split_before(lines, |b| b == b'\n');
        places.chars().filter_map(Name::at).for_each(|name| present.known.insert(name));
        while let Some(lines) = rest.get(1..) {
            let (line, after) = split_before(lines, |b| b == b'\n');
            rest = after;
            let mut characters = line.chars();
            let Some(name) = characters.next().and_then(Name::at) else {
                if never_crosses_to_the_api(line) {
                    present.dropped.push(line);
                }
                continue;
            };
            present.known.insert(name);
            if let Some((_, value)) = ALONG.iter().zip(&mut present.values).find(|(along, _)| **along == name) {
                *value = characters.as_str();
            }
        }
        present
    }

    /// Whether a known header is there.
    #[must_use]
    pub fn has(&self, name: Name) -> bool {
        self.known.has(name)
    }

    /// What must not cross to the API, but for what is `set` in its place.
    pub fn dropped(&self, set: Names) -> impl Iterator<Item = Edit<'t>> {
        let known = NEVER_CROSS.into_iter().filter(move |name| self.has(*name) && !set.has(*name)).map(Edit::Remove);
        known.chain(self.dropped.iter().map(|name| Edit::Delete(name)))
    }

    /// A header's value, if it came along: up to one byte more than [`Name::longest`].
    #[must_use]
    pub fn value(&self, name: Name) -> Option<&'t str> {
        let (_, value) = ALONG.iter().zip(&self.values).find(|(along, _)| **along == name)?;
        self.has(name).then_some(*value)
    }
}

/// The known ones of those that [`never_crosses_to_the_api`].
pub const NEVER_CROSS: [Name; 15] = [
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
    Name::ForwardedProto,
    Name::ForwardedUser,
    Name::Upgrade,
];

/// What names that must not cross to the API begin with; no others have to be told.
pub const MAY_NOT_CROSS: &str = "cfkptux";

/// What a caller cannot say to the API through the relay:
/// - `cf-access-*`: Access's credentials and its word on who calls; ours take their place, alone (strict mode refuses
///   duplicates);
/// - `forwarded` and `x-forwarded-*`: the relay's word on who calls and from where (RFC 7239);
/// - hop-by-hop headers (RFC 9110 §7.6.1), and what else is meant for a proxy (`proxy`, `proxy-*`).
///
/// `_` and `.` count as `-`: many servers read them alike.
#[must_use]
pub fn never_crosses_to_the_api(name: &str) -> bool {
    const PREFIXES: [&str; 3] = ["cf-access-", "x-forwarded-", "proxy-"];
    const WHOLE: [&str; 8] =
        ["forwarded", "connection", "keep-alive", "proxy", "te", "trailer", "transfer-encoding", "upgrade"];
    PREFIXES.iter().any(|prefix| starts_with_dashed(name, prefix))
        || WHOLE.iter().any(|whole| name.len() == whole.len() && starts_with_dashed(name, whole))
}

fn starts_with_dashed(name: &str, prefix: &str) -> bool {
    name.len() >= prefix.len()
        && name
            .bytes()
            .zip(prefix.bytes())
            .all(|(found, wanted)| found == wanted || (wanted == b'-' && matches!(found, b'_' | b'.')))
}

/// Names that a `Connection` header makes hop-by-hop (RFC 9110 §7.6.1), in lower case.
#[must_use]
pub fn connection_options(connection: &str) -> Vec<String> {
    connection.split(',').map(|option| option.trim().to_ascii_lowercase()).filter(|option| is_token(option)).collect()
}

/// Whether a comma-separated list of tokens, as in `Upgrade` or `Vary`, holds `token`, in whatever case.
#[must_use]
pub fn lists(header: &str, token: &str) -> bool {
    header.split(',').any(|element| element.trim().eq_ignore_ascii_case(token))
}

/// Whether `text` is a `token` (RFC 9110 §5.6.2): what a method or a header name is made of.
#[must_use]
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// Whether `text` can travel as a header's value unchanged: visible ASCII, with spaces only inside (RFC 9110 §5.5).
#[must_use]
pub fn is_plain_value(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && text.bytes().all(|b| (0x20..0x7f).contains(&b))
}
