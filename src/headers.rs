//! The one list of header names the relay knows, and what becomes of each. Pure.
//!
//! Every read of a header crosses the border between Wasm and JavaScript, so the edge tells in one string which headers
//! there are, and the values that nearly every decision needs; [`Present`] says which of the known ones are there and
//! which must go, and only what else matters is then read.

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

/// One change to a copy of a message's headers. Edits apply in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Remove every line of a header that the caller or the API sent.
    Delete(String),
    /// Remove every line of a known header.
    Remove(Name),
    /// Remove every header whose name begins like this.
    RemoveAll(&'static str),
    /// Replace every line of a known header by this one.
    Set(Name, String),
    /// Add a line, keeping those there are.
    Append(Name, String),
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
pub const ONLY_OURS_TO_SAY: [Edit; 9] = [
    Edit::Remove(Name::SetCookie),
    Edit::Remove(Name::ClearSiteData),
    Edit::Remove(Name::AllowOrigin),
    Edit::Remove(Name::AllowCredentials),
    Edit::Remove(Name::AllowHeaders),
    Edit::Remove(Name::AllowMethods),
    Edit::Remove(Name::AllowPrivateNetwork),
    Edit::Remove(Name::ExposeHeaders),
    Edit::Remove(Name::MaxAge),
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

/// What a request's headers tell before any is read by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present<'t> {
    known: u64,
    /// The values that came along.
    values: Vec<(Name, &'t str)>,
    /// Other names that must not cross to the API, in the request's own spelling.
    dropped: Vec<&'t str>,
}

// `known` is a set of bits, and a place must not look like a letter: the enum must fit both.
const _: () = assert!(Name::ALL.len() <= 48);

impl<'t> Present<'t> {
    /// Takes stock of a request's headers, a line each, names in lower case. A known one is told by its place in
    /// [`Name::ALL`], as a character from `0` on, and with those of [`ALONG`] comes the value; of the others, those are
    /// told by name that begin with one of [`MAY_NOT_CROSS`].
    #[must_use]
    pub fn of(lines: &'t str) -> Self {
        let mut present = Self { known: 0, values: Vec::with_capacity(ALONG.len()), dropped: Vec::with_capacity(8) };
        for line in lines.split('\n') {
            let place = line.bytes().next().and_then(|place| usize::from(place).checked_sub(usize::from(b'0')));
            let Some(name) = place.and_then(|place| Name::ALL.get(place)) else {
                if never_crosses_to_the_api(line) {
                    present.dropped.push(line);
                }
                continue;
            };
            present.known |= 1 << *name as u64;
            if ALONG.contains(name) {
                present.values.push((*name, line.get(1..).unwrap_or_default()));
            }
        }
        present
    }

    /// Whether a known header is there.
    #[must_use]
    pub fn has(&self, name: Name) -> bool {
        self.known & (1 << name as u64) != 0
    }

    /// What must not cross to the API.
    pub fn dropped(&self) -> impl Iterator<Item = Edit> {
        let known = NEVER_CROSS.iter().filter(|name| self.has(**name)).map(|name| Edit::Remove(*name));
        known.chain(self.dropped.iter().map(|name| Edit::Delete((*name).to_owned())))
    }

    /// A header's value, if it came along: up to one byte more than [`Name::longest`].
    #[must_use]
    pub fn value(&self, name: Name) -> Option<&'t str> {
        self.values.iter().find_map(|(found, value)| (*found == name).then_some(*value))
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
/// - `cf-access-*`: Access's credentials and its word on who calls; ours are set afterwards, alone (strict mode
///   refuses duplicates);
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

/// Whether a comma-separated list of tokens, as in `Vary` or `Upgrade`, holds `token`, in whatever case.
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
