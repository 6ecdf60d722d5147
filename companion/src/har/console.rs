//! What a browser's console says of requests that it has blocked: Chromium, Firefox, WebKit. Others than English ones tell their URL, the
//! names of headers and a status, which nobody translates.

use access_relay_core::syntax::text::contains_ignoring_case;

/// A message about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it says.
    pub why: Why,
    /// The URL that was blocked; of a chain of redirects, the last one. Empty where none is named.
    pub url: String,
    /// Where the chain began.
    pub redirected_from: Option<String>,
    /// The page's origin.
    pub origin: Option<String>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The method or the header that is about.
    pub name: Option<String>,
}

/// Why a browser blocks a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Why {
    /// The answer has no `Access-Control-Allow-Origin`.
    NoOrigin,
    /// It has one that is not the page's, or nonsense.
    OtherOrigin,
    /// It has `*`, and the request has credentials.
    Wildcard,
    /// It has no `Access-Control-Allow-Credentials: true`.
    NoCredentials,
    /// The preflight's status is not one from 200 to 299.
    PreflightStatus,
    /// The preflight was answered with a redirect.
    PreflightRedirect,
    /// The preflight's answer does not list the method.
    Method,
    /// It does not list a header.
    Header,
    /// A page by https asks for http.
    MixedContent,
    /// A public page asks for something in a local network.
    LocalNetwork,
    /// A cookie was not taken, or not sent, as third parties' are.
    Cookie,
    /// No answer came: a network error that has nothing to do with CORS.
    NoAnswer,
    /// CORS, and nothing more can be told.
    Other,
}

/// How a message is told by its words, in the order in which they are looked for.
const WORDS: &[(&str, Why)] = &[
    // Local Network Access is told in the same frame as CORS.
    ("local network", Why::LocalNetwork),
    ("loopback address space", Why::LocalNetwork),
    ("private network", Why::LocalNetwork),
    ("`local` address space", Why::LocalNetwork),
    // Chromium.
    ("is not allowed by Access-Control-Allow-Methods", Why::Method),
    ("is not allowed by Access-Control-Allow-Headers", Why::Header),
    ("Redirect is not allowed for a preflight request", Why::PreflightRedirect),
    ("It does not have HTTP ok status", Why::PreflightStatus),
    ("must not be the wildcard '*'", Why::Wildcard),
    ("'Access-Control-Allow-Credentials' header in the response is", Why::NoCredentials),
    ("that is not equal to the supplied origin", Why::OtherOrigin),
    ("contains the invalid value", Why::OtherOrigin),
    ("contains multiple values", Why::OtherOrigin),
    ("No 'Access-Control-Allow-Origin' header is present", Why::NoOrigin),
    // Firefox.
    ("CORS preflight response did not succeed", Why::PreflightStatus),
    ("Did not find method in CORS header", Why::Method),
    ("is not allowed according to header", Why::Header),
    ("Credential is not supported if", Why::Wildcard),
    ("in CORS header \u{2018}Access-Control-Allow-Credentials\u{2019}", Why::NoCredentials),
    ("Access-Control-Allow-Origin\u{2019} does not match", Why::OtherOrigin),
    ("Multiple CORS header", Why::OtherOrigin),
    ("Access-Control-Allow-Origin\u{2019} missing", Why::NoOrigin),
    ("CORS request did not succeed", Why::NoAnswer),
    // WebKit.
    ("Preflight response is not successful", Why::PreflightStatus),
    ("Cannot use wildcard in Access-Control-Allow-Origin", Why::Wildcard),
    ("Credentials flag is true, but", Why::NoCredentials),
    ("Access-Control-Allow-Origin cannot contain more than one origin", Why::OtherOrigin),
    ("is not allowed by Access-Control-Allow-Origin", Why::NoOrigin),
    ("due to access control checks", Why::Other),
    // All of them.
    ("Mixed Content", Why::MixedContent),
    ("mixed active content", Why::MixedContent),
    ("insecure content from", Why::MixedContent),
    ("third-party cookie", Why::Cookie),
    ("third party cookie", Why::Cookie),
    ("SameSite", Why::Cookie),
    ("has been blocked by CORS policy", Why::Other),
];

/// Header names that no browser translates, for messages in other languages.
const HEADERS: &[(&str, Why)] = &[
    ("Access-Control-Allow-Methods", Why::Method),
    ("Access-Control-Allow-Headers", Why::Header),
    ("Access-Control-Allow-Credentials", Why::NoCredentials),
    ("Access-Control-Allow-Origin", Why::NoOrigin),
];

/// The messages of a log, in its order; lines that say nothing of a request are passed over.
#[must_use]
pub fn messages(log: &str) -> Vec<Message> {
    log.lines().filter_map(message).collect()
}

fn message(line: &str) -> Option<Message> {
    let urls = urls(line);
    let known = WORDS.iter().find(|(words, _)| contains_ignoring_case(line, words)).map(|(_, why)| *why);
    let by_header = || HEADERS.iter().find(|(name, _)| line.contains(name)).map(|(_, why)| *why);
    // Firefox has a parenthesis with the reason in every language, and a URL before it.
    let is_translated = || line.contains('(') && !urls.is_empty();
    let why = known.or_else(|| by_header().filter(|_| is_translated()))?;
    let from = contains_ignoring_case(line, "redirected from");
    let origin = after(line, "from origin '").or_else(|| after(line, "Origin ").filter(|word| word.contains("://")));
    let is_origin = |url: &&str| origin.as_deref() != Some(*url);
    let mut named = urls.iter().copied().filter(|url| is_origin(url));
    Some(Message {
        why,
        url: named.next().unwrap_or_default().to_owned(),
        redirected_from: named.next().filter(|_| from).map(str::to_owned),
        origin,
        status: status(line),
        name: name(line, why),
    })
}

/// The URLs in a line, which quotes or spaces end.
fn urls(line: &str) -> Vec<&str> {
    let starts = line.match_indices("http").map(|(at, _)| at);
    let url = |at: usize| {
        let rest = line.get(at..)?;
        let is_url = rest.starts_with("https://") || rest.starts_with("http://");
        let end = rest.find(|letter: char| {
            letter.is_whitespace() || matches!(letter, '\'' | '"' | '\u{2018}' | '\u{2019}' | '<' | '>')
        });
        let url = rest.get(..end.unwrap_or(rest.len()))?.trim_end_matches(['.', ',', ';', ')', ':']);
        is_url.then_some(url)
    };
    // A URL within another's query is none by itself.
    let is_outer = |at: &usize| {
        at.checked_sub(1)
            .and_then(|before| line.as_bytes().get(before))
            .is_none_or(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'=' | b'%' | b'/'))
    };
    starts.filter(is_outer).filter_map(url).collect()
}

/// What stands after some words, up to a quote or a space.
fn after(line: &str, words: &str) -> Option<String> {
    let rest = line.get(line.find(words)? + words.len()..)?;
    let end = rest.find(|letter: char| letter.is_whitespace() || matches!(letter, '\'' | '"')).unwrap_or(rest.len());
    rest.get(..end).map(str::to_owned)
}

/// `Status code: 403`, or a number alone after the last colon, as it stands in other languages.
fn status(line: &str) -> Option<u16> {
    let number =
        |text: &str| text.trim_end_matches(['.', ')']).trim().parse().ok().filter(|status| (100..600).contains(status));
    number(line.rsplit([':', '\u{ff1a}']).next()?)
}

fn name(line: &str, why: Why) -> Option<String> {
    let word = |before: &str| after(line, before);
    match why {
        Why::Method => word("Method "),
        Why::Header => word("Request header field ").or_else(|| {
            let rest = line.get(line.find("header \u{2018}")? + "header \u{2018}".len()..)?;
            rest.split('\u{2019}').next().map(str::to_owned)
        }),
        _ => None,
    }
}
