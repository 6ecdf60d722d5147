//! The one list of header names that the relay knows, how much of each is read, and which are told along with a head.

/// A known name crosses as one character, the first one as this. The 60 from `$` on hold no lower-case letter (other names begin
/// with one) and no `!` (it marks a leak).
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
    Authorization = "authorization",
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
    ForwardedGroups = "x-forwarded-groups",
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

impl Name {
    /// How many characters of a value decisions look at. `headers.js` cuts a longer one after one character more. Decisions count
    /// bytes, of which a text never has fewer: a value that was cut counts as too long, so the excess is on the safe side.
    #[must_use]
    pub const fn longest(self) -> usize {
        match self {
            // Longer than any token of Access, whose cookie must fit a browser's 4096 bytes.
            Name::AccessJwtAssertion => 8 * 1024,
            Name::ConnectingIp => 64,
            Name::Connection => 1024,
            // More routes than a request passes, unless somebody has made the list up or the chain has no end.
            Name::Loop => 640,
            // A scheme, a host of 253 characters and a port.
            Name::Origin => 320,
            // No browser's is longer: it would name hundreds of headers.
            Name::RequestHeaders => 8 * 1024,
            Name::RequestMethod | Name::SecFetchDest | Name::SecFetchMode | Name::SecFetchSite => 64,
            Name::Traceparent => 256,
            _ => usize::MAX >> 1,
        }
    }
}

/// What a preflight asks: all that an API gets of it.
pub const PREFLIGHT_ASKS: [Name; 3] = [Name::Origin, Name::RequestMethod, Name::RequestHeaders];

/// What decisions and the log look at in a preflight: what it asks, where it comes from, and which trace it belongs to.
pub const READ_IN_PREFLIGHT: [Name; 7] = [
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

/// Headers of the API's preflight answer that pass if `preflight` is `"upstream"`.
pub const PREFLIGHT_ANSWERS: [Name; 3] = [Name::AllowMethods, Name::AllowHeaders, Name::MaxAge];

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
