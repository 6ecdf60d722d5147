//! A `curl` command as a request. Source: curl's manual ("curl(1)"), and what "Copy as cURL" of Chromium, Firefox and Safari writes.

use access_relay_core::syntax::text::quoted;

use crate::explain::address::{as_in_form, normalized};
use crate::explain::request::{Request, header};
use crate::headers::Headers;

/// What an option does to the request.
#[derive(Clone, Copy)]
enum Does {
    Method,
    Header,
    Url,
    Body,
    Encoded,
    Query,
    Upload,
    PathAsIs,
    NoGlobs,
    Json,
    Form,
    BodyInUrl,
    Head,
    Cookie,
    Named(&'static str),
    User,
    Bearer,
    /// It has a value, and changes nothing that the relay looks at.
    NothingWithValue,
    Nothing,
}

/// Options with their short letter, or a space.
const OPTIONS: &[(char, &str, Does)] = &[
    ('X', "request", Does::Method),
    ('H', "header", Does::Header),
    (' ', "url", Does::Url),
    ('d', "data", Does::Body),
    (' ', "data-ascii", Does::Body),
    (' ', "data-binary", Does::Body),
    (' ', "data-raw", Does::Body),
    (' ', "data-urlencode", Does::Encoded),
    (' ', "url-query", Does::Query),
    ('T', "upload-file", Does::Upload),
    (' ', "json", Does::Json),
    ('F', "form", Does::Form),
    (' ', "form-string", Does::Form),
    ('G', "get", Does::BodyInUrl),
    ('I', "head", Does::Head),
    ('b', "cookie", Does::Cookie),
    ('A', "user-agent", Does::Named("user-agent")),
    ('e', "referer", Does::Named("referer")),
    ('r', "range", Does::Named("range")),
    ('u', "user", Does::User),
    (' ', "oauth2-bearer", Does::Bearer),
    ('o', "output", Does::NothingWithValue),
    ('D', "dump-header", Does::NothingWithValue),
    ('w', "write-out", Does::NothingWithValue),
    ('m', "max-time", Does::NothingWithValue),
    (' ', "connect-timeout", Does::NothingWithValue),
    (' ', "retry", Does::NothingWithValue),
    (' ', "resolve", Does::NothingWithValue),
    (' ', "cacert", Does::NothingWithValue),
    ('E', "cert", Does::NothingWithValue),
    (' ', "key", Does::NothingWithValue),
    ('x', "proxy", Does::NothingWithValue),
    ('c', "cookie-jar", Does::NothingWithValue),
    (' ', "compressed", Does::Nothing),
    ('k', "insecure", Does::Nothing),
    ('L', "location", Does::Nothing),
    ('s', "silent", Does::Nothing),
    ('S', "show-error", Does::Nothing),
    ('v', "verbose", Does::Nothing),
    ('i', "include", Does::Nothing),
    (' ', "show-headers", Does::Nothing),
    ('f', "fail", Does::Nothing),
    (' ', "fail-with-body", Does::Nothing),
    ('N', "no-buffer", Does::Nothing),
    ('#', "progress-bar", Does::Nothing),
    ('O', "remote-name", Does::Nothing),
    ('g', "globoff", Does::NoGlobs),
    ('4', "ipv4", Does::Nothing),
    ('6', "ipv6", Does::Nothing),
    ('0', "http1.0", Does::Nothing),
    (' ', "http1.1", Does::Nothing),
    (' ', "http2", Does::Nothing),
    (' ', "http3", Does::Nothing),
    (' ', "path-as-is", Does::PathAsIs),
    (' ', "location-trusted", Does::Nothing),
    (' ', "tlsv1.2", Does::Nothing),
    (' ', "tlsv1.3", Does::Nothing),
    (' ', "ssl-no-revoke", Does::Nothing),
    ('n', "netrc", Does::Nothing),
    ('J', "remote-header-name", Does::Nothing),
    (' ', "http2-prior-knowledge", Does::Nothing),
    (' ', "no-progress-meter", Does::Nothing),
    (' ', "no-keepalive", Does::Nothing),
    (' ', "basic", Does::Nothing),
    (' ', "anyauth", Does::Nothing),
    ('q', "disable", Does::Nothing),
    (' ', "max-redirs", Does::NothingWithValue),
    (' ', "proto", Does::NothingWithValue),
    (' ', "retry-delay", Does::NothingWithValue),
    (' ', "interface", Does::NothingWithValue),
    (' ', "ciphers", Does::NothingWithValue),
    (' ', "connect-to", Does::NothingWithValue),
    (' ', "limit-rate", Does::NothingWithValue),
];

/// The request of a command's words. What stands before `curl` is none of it.
///
/// # Errors
/// An option that is not known, or no address. No value is shown.
pub fn request(words: &[String]) -> Result<Request, String> {
    let is_curl = |word: &String| word == "curl" || word.ends_with("/curl") || word.ends_with("curl.exe");
    let begin = words.iter().position(is_curl).map_or(0, |at| at + 1);
    let mut words = words.iter().skip(begin).map(String::as_str);
    let mut read = Read::default();
    while let Some(word) = words.next() {
        if let Some(long) = word.strip_prefix("--") {
            let (name, given) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            let (_, name, does) =
                OPTIONS.iter().find(|(_, known, _)| *known == name).ok_or_else(|| unknown(&format!("--{name}")))?;
            read.option(name, *does, given.or_else(|| value_for(*does, &mut words)))?;
        } else if let Some(short) = word.strip_prefix('-').filter(|short| !short.is_empty()) {
            // Letters that take no value may stand in one word, before one that does: `-sXPUT`.
            let mut letters = short.chars();
            while let Some(letter) = letters.next() {
                let (_, name, does) = OPTIONS
                    .iter()
                    .find(|(known, _, _)| *known == letter)
                    .ok_or_else(|| unknown(&format!("-{letter}")))?;
                let rest = letters.as_str();
                if takes_value(*does) {
                    let value = if rest.is_empty() { value_for(*does, &mut words) } else { Some(rest) };
                    read.option(name, *does, value)?;
                    break;
                }
                read.option(name, *does, None)?;
            }
        } else {
            read.url(word)?;
        }
    }
    read.finish()
}

fn unknown(option: &str) -> String {
    if ["--as", "--har", "--entry", "--keys", "--config", "--env"].contains(&option) {
        return format!("curl: {option} is an option of explain; write it before curl");
    }
    format!("curl: {} is not an option that is known here; leave it out, and what it takes", quoted(option))
}

const fn takes_value(does: Does) -> bool {
    !matches!(does, Does::Nothing | Does::BodyInUrl | Does::Head | Does::PathAsIs | Does::NoGlobs)
}

fn value_for<'w>(does: Does, words: &mut impl Iterator<Item = &'w str>) -> Option<&'w str> {
    if takes_value(does) { words.next() } else { None }
}

#[derive(Default)]
struct Read {
    method: Option<String>,
    url: Option<String>,
    headers: Headers,
    /// The type of the body that curl would name.
    body: Option<&'static str>,
    data: Vec<String>,
    /// Parts that are added to the query.
    query: Vec<String>,
    /// Headers that curl is told not to send.
    without: Vec<String>,
    in_url: bool,
    head: bool,
    upload: bool,
    as_is: bool,
    no_globs: bool,
}

impl Read {
    fn option(&mut self, name: &str, does: Does, value: Option<&str>) -> Result<(), String> {
        if !takes_value(does) {
            self.in_url |= matches!(does, Does::BodyInUrl);
            self.head |= matches!(does, Does::Head);
            self.as_is |= matches!(does, Does::PathAsIs);
            self.no_globs |= matches!(does, Does::NoGlobs);
            return Ok(());
        }
        let value = value.ok_or_else(|| format!("curl: found nothing after --{name}; copy the whole command"))?;
        match does {
            Does::Method => self.method = Some(value.to_owned()),
            Does::Url => self.url(value)?,
            Does::Header => {
                // `-H 'name;'` sends an empty one, and `-H 'name:'` none.
                if let Some(name) = value.strip_suffix(';').filter(|name| !name.contains(':')) {
                    self.headers.push(name, "");
                } else {
                    if value.starts_with('@') {
                        return Err(
                            "curl: --header names a file, which is not read; write the headers themselves".to_owned()
                        );
                    }
                    let (name, value) = header(value)?;
                    if value.is_empty() {
                        self.without.push(name.to_ascii_lowercase());
                    }
                    if value.is_empty() {
                        self.headers.remove(&name.to_ascii_lowercase())
                    } else {
                        self.headers.push(name, value)
                    }
                }
            }
            Does::Cookie if value.contains('=') => self.headers.push("cookie", value),
            Does::Cookie => {
                return Err("curl: --cookie names a file, which is not read; write the cookies themselves".to_owned());
            }
            Does::Named(name) => {
                self.headers.push(name, &if name == "range" { format!("bytes={value}") } else { value.to_owned() })
            }
            Does::User => self.headers.push("authorization", "Basic (not read)"),
            Does::Bearer => self.headers.push("authorization", &format!("Bearer {value}")),
            Does::Body => self.body("application/x-www-form-urlencoded", value),
            Does::Encoded => {
                let (name, text) = value.split_once('=').unwrap_or(("", value));
                let equals = if name.is_empty() { "" } else { "=" };
                self.body("application/x-www-form-urlencoded", &format!("{name}{equals}{}", as_in_form(text)));
            }
            Does::Query => self.query.push(value.trim_start_matches('+').to_owned()),
            Does::Upload => self.upload = true,
            Does::Json => {
                self.body("application/json", value);
                self.headers.push("accept", "application/json");
            }
            Does::Form => self.body("multipart/form-data", value),
            _ => {}
        }
        Ok(())
    }

    fn body(&mut self, kind: &'static str, value: &str) {
        self.body.get_or_insert(kind);
        self.data.push(value.to_owned());
    }

    fn url(&mut self, url: &str) -> Result<(), String> {
        if self.url.is_some() {
            return Err("curl: found a second address; explain one request at a time".to_owned());
        }
        // As curl does it.
        self.url = Some(if url.contains("://") { url.to_owned() } else { format!("http://{url}") });
        Ok(())
    }

    fn finish(mut self) -> Result<Request, String> {
        let mut url = self.url.take().ok_or("curl: found no address; copy the whole command")?;
        if !self.no_globs {
            // Browsers escape what curl would take for a range of addresses.
            for glob in ["[", "]", "{", "}"] {
                url = url.replace(&format!("\\{glob}"), glob);
            }
        }
        let data = if self.in_url { std::mem::take(&mut self.data) } else { Vec::new() };
        for part in self.query.drain(..).chain(data) {
            let (before, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
            let mark = if before.contains('?') { '&' } else { '?' };
            url = format!("{before}{mark}{part}{fragment}");
        }
        url = normalized(&url, self.as_is);
        let body = self.body.filter(|_| !self.in_url);
        let is_said =
            self.headers.get("content-type").is_some() || self.without.iter().any(|name| name == "content-type");
        if let Some(kind) = body.filter(|_| !is_said) {
            self.headers.push("content-type", kind);
        }
        let usual = match (self.head, body) {
            (true, _) => "HEAD",
            (_, Some(_)) => "POST",
            _ if self.upload => "PUT",
            _ => "GET",
        };
        Ok(Request {
            method: self.method.unwrap_or_else(|| usual.to_owned()),
            url,
            headers: self.headers,
            ..Request::default()
        })
    }
}
