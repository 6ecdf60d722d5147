//! The one list of header names the relay knows, and what becomes of each. Pure.
//!
//! Every read of a header crosses the border between Wasm and JavaScript, so the edge tells which headers there are in
//! one short string; [`Present`] says which of the known ones are there and which must go, and only those that matter
//! are then read.

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
    CacheControl = "cache-control",
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
    fn set_cookies(&self) -> Vec<String> {
        self.read(Name::SetCookie).into_iter().collect()
    }
}

/// What the API cannot say to the browser, whatever follows the prefix: the relay is the only authority on CORS.
pub const ONLY_OURS_TO_SAY: &str = "access-control-";

/// What a preflight asks: all that an API gets of it.
pub const OF_PREFLIGHTS: [Name; 3] = [Name::Origin, Name::RequestMethod, Name::RequestHeaders];

/// What decisions and the log look at in a preflight: what it asks, where it comes from, and which trace it belongs to.
pub const READ_OF_PREFLIGHTS: [Name; 6] =
    [Name::Origin, Name::RequestMethod, Name::RequestHeaders, Name::ConnectingIp, Name::Ray, Name::Traceparent];

/// What the API may say all the same, where preflights are its to answer.
pub const FOR_PREFLIGHTS: [Name; 3] = [Name::AllowMethods, Name::AllowHeaders, Name::MaxAge];

/// What a request's header names tell before any value is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    known: u64,
    /// Names that must not cross to the API, in the request's own spelling.
    pub dropped: Vec<String>,
}

// `known` is a set of bits: the enum must fit it.
const _: () = assert!(Name::ALL.len() <= 64);

impl Present {
    /// Takes stock of a request's header names, in lower case: on the first line the places of the known ones in
    /// [`Name::ALL`], each as a character from `0` on; then, a line each, those others that begin with one of
    /// [`MAY_NOT_CROSS`].
    #[must_use]
    pub fn of(lines: &str) -> Self {
        let (places, others) = lines.split_once('\n').unwrap_or((lines, ""));
        let mut present = Self { known: 0, dropped: Vec::new() };
        let known = places.bytes().filter_map(|place| Name::ALL.get(usize::from(place.wrapping_sub(b'0'))));
        for name in known {
            present.known |= 1 << *name as u64;
            present.take_stock(name.as_str());
        }
        for name in others.split('\n') {
            present.take_stock(name);
        }
        present
    }

    fn take_stock(&mut self, name: &str) {
        if never_crosses_to_the_api(name) {
            self.dropped.push(name.to_owned());
        }
    }

    /// Whether a known header is there.
    #[must_use]
    pub fn has(&self, name: Name) -> bool {
        self.known & (1 << name as u64) != 0
    }
}

/// What names that must not cross to the API begin with; no others have to be told.
pub const MAY_NOT_CROSS: &str = "cfkptux";

/// What a caller cannot say to the API through the relay:
/// - `cf-access-*`: Access's credentials and its word on who calls; ours are set afterwards, alone (strict mode
///   refuses duplicates);
/// - `forwarded` and `x-forwarded-*`: the relay's word on who calls and from where (RFC 7239);
/// - hop-by-hop headers (RFC 9110 §7.6.1), and what else is meant for a proxy (`proxy`, `proxy-*`).
///
/// `_` and `.` count as `-`: many servers read them alike.
fn never_crosses_to_the_api(name: &str) -> bool {
    const PREFIXES: [&str; 3] = ["cf-access-", "x-forwarded-", "proxy-"];
    PREFIXES.iter().any(|prefix| starts_with_dashed(name, prefix))
        || (name.len() == 9 && starts_with_dashed(name, "forwarded"))
        || matches!(name, "connection" | "keep-alive" | "proxy" | "te" | "trailer" | "transfer-encoding" | "upgrade")
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
