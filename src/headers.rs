//! The one list of header names the relay knows, and what becomes of each. Pure.
//!
//! Every read of a header crosses the border between Wasm and JavaScript, so the edge tells in one string which headers
//! a message has, and the values that nearly every decision needs; [`Present`] says which of the known ones are there and
//! which must go ([`crate::crossing`]), and only what else matters is then read.

use crate::edits::Edit;
use crate::origin::split_before;

/// The character of the first place. It and the 59 after it are neither letters in lower case, with which other names begin,
/// nor `!`, which marks a leak.
pub const FIRST: u8 = b'$';

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

            /// As it crosses the border between Wasm and JavaScript: its place among all, as a character from `FIRST` on.
            #[must_use]
            pub const fn place(self) -> char {
                (FIRST + self as u8) as char
            }

            /// The name at a place.
            #[must_use]
            pub fn at(place: char) -> Option<Self> {
                Self::ALL.get((place as usize).checked_sub(FIRST as usize)?).copied()
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
                    Name::RequestMethod | Name::SecFetchSite | Name::SecFetchMode | Name::SecFetchDest => 64,
                    Name::ConnectingIp => 64,
                    Name::Loop => crate::forward::LOOP_LONGEST,
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
    Allow = "allow",
    AllowCredentials = "access-control-allow-credentials",
    AllowHeaders = "access-control-allow-headers",
    AllowMethods = "access-control-allow-methods",
    AllowOrigin = "access-control-allow-origin",
    AltSvc = "alt-svc",
    AzureAsyncOperation = "azure-asyncoperation",
    CacheControl = "cache-control",
    CdnCacheControl = "cdn-cache-control",
    ConnectingIp = "cf-connecting-ip",
    Connection = "connection",
    ContentLocation = "content-location",
    ContentSecurityPolicy = "content-security-policy",
    ContentType = "content-type",
    Cookie = "cookie",
    CrossOriginResourcePolicy = "cross-origin-resource-policy",
    ExposeHeaders = "access-control-expose-headers",
    ForwardedClientId = "x-forwarded-client-id",
    ForwardedEmail = "x-forwarded-email",
    ForwardedFor = "x-forwarded-for",
    ForwardedHost = "x-forwarded-host",
    ForwardedPrefix = "x-forwarded-prefix",
    ForwardedProto = "x-forwarded-proto",
    ForwardedUser = "x-forwarded-user",
    HxRedirect = "hx-redirect",
    Link = "link",
    Location = "location",
    Loop = "access-relay-loop",
    MaxAge = "access-control-max-age",
    Nel = "nel",
    OperationLocation = "operation-location",
    Origin = "origin",
    Ray = "cf-ray",
    Refresh = "refresh",
    ReportTo = "report-to",
    RequestHeaders = "access-control-request-headers",
    RequestMethod = "access-control-request-method",
    SecFetchDest = "sec-fetch-dest",
    SecFetchMode = "sec-fetch-mode",
    SecFetchSite = "sec-fetch-site",
    SecPurpose = "sec-purpose",
    ServerTiming = "server-timing",
    SetCookie = "set-cookie",
    SourceMap = "sourcemap",
    StrictTransportSecurity = "strict-transport-security",
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

/// What a preflight asks: all that an API gets of it.
pub const OF_PREFLIGHTS: [Name; 3] = [Name::Origin, Name::RequestMethod, Name::RequestHeaders];

/// What decisions and the log look at in a preflight: what it asks, where it comes from, and which trace it belongs to.
pub const READ_OF_PREFLIGHTS: [Name; 7] = [
    Name::Origin,
    Name::RequestMethod,
    Name::RequestHeaders,
    Name::ConnectingIp,
    Name::Loop,
    Name::Ray,
    Name::Traceparent,
];

/// What nearly every decision reads, so that its value comes along with a request's head.
///
/// Not the token: it is long, and as a part of a longer text it would be copied once more.
pub const ALONG_A_REQUEST: &[Name] = &[
    Name::ConnectingIp,
    Name::Connection,
    Name::Loop,
    Name::Origin,
    Name::RequestHeaders,
    Name::RequestMethod,
    Name::SecFetchDest,
    Name::SecFetchSite,
    Name::Traceparent,
];

/// The same for an answer's head.
pub const ALONG_AN_ANSWER: &[Name] = &[Name::CacheControl, Name::ContentType, Name::Vary];

/// What the API may say all the same, where preflights are its to answer.
pub const FOR_PREFLIGHTS: [Name; 3] = [Name::AllowMethods, Name::AllowHeaders, Name::MaxAge];

/// A set of known names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Names(u64);

// A set is 64 bits, and a place must not look like a letter: the enum must fit both.
const _: () = assert!(Name::ALL.len() <= 60);

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

/// What a message's headers tell before any is read by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present<'t> {
    known: Names,
    /// Those whose values come along.
    along: &'static [Name],
    /// Their values, at the same places.
    values: [&'t str; 9],
    /// Other names that matter, in the message's own spelling.
    others: Vec<&'t str>,
    /// The names of headers in whose value the border has found a secret of ours.
    leaks: Vec<&'t str>,
}

// Every value that comes along has its place.
const _: () = assert!(ALONG_A_REQUEST.len() <= 9 && ALONG_AN_ANSWER.len() <= 9);

impl<'t> Present<'t> {
    /// Takes stock of a message's headers, as the border tells them; [`crate::crossing`] has what `matters`.
    ///
    /// Names are in lower case. The first line tells known ones by their places ([`Name::place`]); then those of `along`
    /// have a line each, the place and the value; of the others, names are told that begin or end like one that matters, and
    /// begin with a letter. `!` stands before a name that holds a secret of ours, or whose value does.
    #[must_use]
    pub fn of(lines: &'t str, along: &'static [Name], matters: fn(&str) -> bool) -> Self {
        let mut present =
            Self { known: Names::default(), along, values: [""; 9], others: Vec::new(), leaks: Vec::new() };
        let (places, mut rest) = split_before(lines, |b| b == b'\n');
        places.chars().filter_map(Name::at).for_each(|name| present.known.insert(name));
        while let Some(lines) = rest.get(1..) {
            let (line, after) = split_before(lines, |b| b == b'\n');
            rest = after;
            let mut characters = line.chars();
            let first = characters.next();
            if first == Some('!') {
                present.leaks.push(characters.as_str());
            } else if let Some(name) = first.and_then(Name::at) {
                present.known.insert(name);
                if let Some((_, value)) = along.iter().zip(&mut present.values).find(|(along, _)| **along == name) {
                    *value = characters.as_str();
                }
            } else if matters(line) {
                present.others.push(line);
            }
        }
        present
    }

    /// Whether a known header is there.
    #[must_use]
    pub fn has(&self, name: Name) -> bool {
        self.known.has(name)
    }

    /// Whether one of these is there.
    #[must_use]
    pub fn has_any(&self, names: &[Name]) -> bool {
        names.iter().any(|name| self.has(*name))
    }

    /// The names of headers in whose value the border has found a secret of ours.
    #[must_use]
    pub fn leaks(&self) -> &[&'t str] {
        &self.leaks
    }

    /// What must not cross, but for what is `set` in its place; `never` are the known ones.
    pub fn dropped(&self, never: &'static [Name], set: Names) -> impl Iterator<Item = Edit<'t>> {
        let known =
            never.iter().filter(move |name| self.has(**name) && !set.has(**name)).map(|name| Edit::Remove(*name));
        known.chain(self.others.iter().map(|name| Edit::Delete(name)))
    }

    /// A header's value, if it came along: up to one byte more than [`Name::longest`].
    #[must_use]
    pub fn value(&self, name: Name) -> Option<&'t str> {
        let (_, value) = self.along.iter().zip(&self.values).find(|(along, _)| **along == name)?;
        self.has(name).then_some(*value)
    }
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
