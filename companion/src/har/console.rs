//! What a browser's console says of requests that it has blocked: Chromium, Firefox, WebKit. Others than English ones tell their URL, the
//! names of headers and a status, which nobody translates.

use std::collections::HashSet;

use access_relay_core::syntax::text::contains_ignoring_case;

/// A message about a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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
    /// Whether it is about a web app's manifest, which browsers ask for without cookies.
    pub is_manifest: bool,
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
    /// The preflight's status is not one from 200 to 299, or its answer does not name the page's origin.
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
    /// An extension of the browser has blocked it.
    Extension,
    /// No answer came: a network error that has nothing to do with CORS.
    NoAnswer,
    /// CORS, and nothing more can be told.
    Other,
}

impl Why {
    /// Whether CORS has blocked it.
    #[must_use]
    pub const fn is_cors(self) -> bool {
        matches!(
            self,
            Self::NoOrigin
                | Self::OtherOrigin
                | Self::Wildcard
                | Self::NoCredentials
                | Self::PreflightStatus
                | Self::PreflightRedirect
                | Self::Method
                | Self::Header
                | Self::Other
        )
    }
}

/// How a message is told by its words, in the order in which they are looked for.
const WORDS: &[(&str, Why)] = &[
    // Local Network Access is told in the same frame as CORS.
    ("address space", Why::LocalNetwork),
    ("local network", Why::LocalNetwork),
    ("private network", Why::LocalNetwork),
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
    ("net::ERR_BLOCKED_BY_CLIENT", Why::Extension),
    ("net::ERR_NAME_", Why::NoAnswer),
    ("net::ERR_CONNECTION_", Why::NoAnswer),
    ("net::ERR_INTERNET_DISCONNECTED", Why::NoAnswer),
    ("net::ERR_ADDRESS_UNREACHABLE", Why::NoAnswer),
    ("net::ERR_TIMED_OUT", Why::NoAnswer),
    ("net::ERR_CERT_", Why::NoAnswer),
    ("net::ERR_SSL_", Why::NoAnswer),
    ("has been blocked by CORS policy", Why::Other),
    ("Cross-Origin Request Blocked", Why::Other),
];

/// Header names that no browser translates, for messages of Firefox in other languages.
const HEADERS: &[(&str, Why)] = &[
    ("Access-Control-Allow-Methods", Why::Method),
    ("Access-Control-Allow-Headers", Why::Header),
    ("Access-Control-Allow-Credentials", Why::NoCredentials),
    ("Access-Control-Allow-Origin", Why::NoOrigin),
];

/// What names no header, in the languages in which it was seen.
const TRANSLATED: &[(&str, Why)] = &[
    ("reflight", Why::PreflightStatus),
    ("\u{9884}\u{68c0}", Why::PreflightStatus), // 预检
    ("\u{9810}\u{6aa2}", Why::PreflightStatus), // 預檢
    ("(null)", Why::NoAnswer),
    ("CORS \u{8bf7}\u{6c42}\u{672a}\u{80fd}\u{6210}\u{529f}", Why::NoAnswer), // CORS 请求未能成功
    ("CORS \u{8acb}\u{6c42}\u{5931}\u{6557}", Why::NoAnswer),                 // CORS 請求失敗
    ("\u{e9}chec de la requ\u{ea}te CORS", Why::NoAnswer),
    (
        "\u{43d}\u{435} \u{443}\u{434}\u{430}\u{43b}\u{43e}\u{441}\u{44c} \u{432}\u{44b}\u{43f}\u{43e}\u{43b}\u{43d}\u{438}\u{442}\u{44c}",
        Why::NoAnswer,
    ), // не удалось выполнить
];

/// The messages of a log, in its order, each once; lines that say nothing of a request are passed over.
#[must_use]
pub fn messages(log: &str) -> Vec<Message> {
    let mut messages: Vec<Message> = Vec::new();
    let mut redirects = false;
    for line in whole_lines(log) {
        if let Some((_, rest)) = line.split_once("net::ERR_FAILED") {
            // Chromium's next line has the status: `GET https://api.example.com/x net::ERR_FAILED 400 (Bad Request)`.
            let last =
                messages.last_mut().filter(|last| last.status.is_none() && urls(&line).contains(&last.url.as_str()));
            last.into_iter()
                .for_each(|last| last.status = rest.split_whitespace().next().and_then(|status| status.parse().ok()));
            continue;
        }
        let Some(message) = message(&line) else { continue };
        // Firefox adds that the request did not succeed where it is the preflight that failed, or where a redirect has ended.
        let is_preflights = |last: &&mut Message| {
            message.why == Why::NoAnswer
                && matches!(last.why, Why::NoOrigin | Why::OtherOrigin)
                && last.url == message.url
                && !matches!(last.status, Some(300..=399))
        };
        if let Some(last) = messages.last_mut().filter(is_preflights) {
            last.why = Why::PreflightStatus;
            continue;
        }
        let is_second = message.why == Why::Other && contains_ignoring_case(&line, "due to access control checks");
        // WebKit tells the reason and the URL in two lines; of a redirect, where it leads to in the first one.
        match messages.last_mut().filter(|last| is_second && (last.url.is_empty() || redirects)) {
            Some(last) if redirects => last.redirected_from = Some(message.url),
            Some(last) => last.url = message.url,
            None => messages.push(message),
        }
        redirects = line.contains("Cross-origin redirection to ");
    }
    let mut seen = HashSet::new();
    messages.retain(|message| seen.insert(message.clone()));
    messages
}

/// A message that whoever has pasted it has broken is one line again.
fn whole_lines(log: &str) -> Vec<String> {
    const MOST_PARTS: usize = 4;
    let begins = |line: &str| {
        line.contains("Access to ") && (line.contains(" at '") || line.contains(" at \""))
            || line.contains("Same Origin Policy")
    };
    let ends = |line: &str| line.contains("CORS policy: ") || line.contains("(Reason");
    let mut whole = Vec::new();
    let mut lines = log.lines().map(str::trim).peekable();
    while let Some(line) = lines.next() {
        let mut line = line.to_owned();
        if begins(&line) {
            for _ in 1..MOST_PARTS {
                match lines.next_if(|next| !ends(&line) && !begins(next) && !next.is_empty()) {
                    Some(next) => line = format!("{line} {next}"),
                    None => break,
                }
            }
        }
        whole.push(line);
    }
    whole
}

fn message(line: &str) -> Option<Message> {
    // WebKit repeats itself so.
    if line.contains("Failed to load resource: ") && !line.contains("net::") {
        return None;
    }
    let urls = urls(line);
    let why = match known(line).or_else(|| translated(line).filter(|_| !urls.is_empty()))? {
        Why::NoOrigin | Why::OtherOrigin if line.contains("Response to preflight request") => Why::PreflightStatus,
        why => why,
    };
    let from = contains_ignoring_case(line, "redirected from");
    let origin = ["from origin '", "from origin \"", "Origin "].iter().find_map(|words| {
        line.match_indices(words).find_map(|(at, _)| after(line.get(at..)?, words).filter(|word| is_url(word)))
    });
    let is_origin = |url: &&str| origin.as_deref() != Some(*url);
    let mut named = urls.iter().copied().filter(is_origin);
    // A page by https and a request by http: Chromium and Firefox name the page first.
    let names_page = why == Why::MixedContent && urls.iter().any(|url| url.starts_with("http://"));
    let url = if names_page { named.find(|url| url.starts_with("http://")) } else { named.next() };
    Some(Message {
        why,
        url: url.unwrap_or_default().to_owned(),
        redirected_from: named.next().filter(|_| from).map(str::to_owned),
        origin,
        status: status(line),
        name: name(line, why),
        is_manifest: line.contains("Access to manifest at") || line.contains("Access to internal resource at"),
    })
}

fn known(line: &str) -> Option<Why> {
    WORDS.iter().find(|(words, _)| contains_ignoring_case(line, words)).map(|(_, why)| *why)
}

/// Firefox in other languages: the letters CORS are in all of them.
fn translated(line: &str) -> Option<Why> {
    if !line.contains("CORS") {
        return None;
    }
    let of = |list: &[(&str, Why)]| list.iter().find(|(words, _)| line.contains(words)).map(|(_, why)| *why);
    let is_star =
        ["'*'", "\u{2018}*\u{2019}", "\u{ab}*\u{bb}", "\u{201c}*\u{201d}"].iter().any(|star| line.contains(star));
    match of(HEADERS) {
        Some(Why::NoOrigin) if is_star => Some(Why::Wildcard),
        Some(why) => Some(why),
        None => of(TRANSLATED).or_else(|| line.contains("Cross-Origin").then_some(Why::Other)),
    }
}

fn is_url(text: &str) -> bool {
    text.contains("://")
}

/// The URLs in a line, which quotes or spaces end.
fn urls(line: &str) -> Vec<&str> {
    let starts = line.match_indices("http").map(|(at, _)| at);
    let url = |at: usize| {
        let rest = line.get(at..)?;
        let is_url = rest.starts_with("https://") || rest.starts_with("http://");
        let end = rest.find(|letter: char| {
            // Quotation marks and full stops of other languages, too.
            letter.is_whitespace() || matches!(letter, '\'' | '"' | '\u{2018}'..='\u{201d}' | '<' | '>' | '\u{ab}' | '\u{bb}' | '\u{3001}'..='\u{3011}' | '\u{ff08}'..='\u{ff0c}')
        });
        let url = rest.get(..end.unwrap_or(rest.len()))?.trim_end_matches(['.', ',', ';', ')', ':']);
        is_url.then_some(url)
    };
    // A URL within another one, in its query or behind `blob:`, is none by itself.
    let is_outer = |at: &usize| {
        let before = line.get(..*at).unwrap_or_default();
        let is_within = before.ends_with(|letter: char| letter.is_ascii_alphanumeric() || "=%/".contains(letter));
        !is_within && !before.ends_with("blob:") && !before.ends_with("filesystem:")
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
    let number = |text: &str| {
        let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
        text.get(..end)?.parse().ok().filter(|status| (100..600).contains(status))
    };
    if let Some((_, rest)) = line.rsplit_once("tatus code: ") {
        return number(rest);
    }
    // A place in a script has no space after its colon.
    number(line.rsplit_once(": ").or_else(|| line.rsplit_once('\u{ff1a}'))?.1)
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
