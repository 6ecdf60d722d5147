//! A request that somebody asks about.

use access_relay_core::syntax::field::is_token;
use access_relay_core::syntax::origin::{Origin, authority_of, split_scheme};
use access_relay_core::syntax::text::quoted;
use serde::Serialize;

use crate::headers::Headers;

/// A request, as it was sent or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// The headers.
    pub headers: Headers,
    /// When it was sent, in seconds since the epoch, if a recording says so.
    pub at: Option<i64>,
    /// What a recording has for an answer to it.
    pub recorded: Option<Recorded>,
}

/// What a recording has for an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recorded {
    /// The status; 0 if no answer came, or none that the page could read.
    pub status: u16,
    /// What shows that Access answered, in front of the relay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<String>,
}

impl Request {
    /// The origin of its URL.
    ///
    /// # Errors
    /// It is no address of a page or an API.
    pub fn server(&self) -> Result<Origin, String> {
        let scheme = split_scheme(&self.url).map_or("", |(scheme, _)| scheme);
        let origin = Origin::parse(&format!("{scheme}://{}", authority_of(&self.url)));
        match origin {
            Ok(origin) if matches!(scheme, "http" | "https") => Ok(origin),
            _ => Err("--url: found no whole address; write one, as in https://app.example.com/api/notes".to_owned()),
        }
    }

    /// Checks what no client could send.
    ///
    /// # Errors
    /// What was found, and what to write.
    pub fn check(&self) -> Result<(), String> {
        if !is_token(&self.method) {
            return Err(format!("--method: found {}; write a method, such as GET", quoted(&self.method)));
        }
        self.server().map(drop)
    }
}

/// A header as people write it: `name: value`.
///
/// # Errors
/// It is none. Its value is not shown.
pub fn header(text: &str) -> Result<(&str, &str), String> {
    let (name, value) = text.split_once(':').unwrap_or((text, ""));
    let (name, value) = (name.trim(), value.trim());
    if text.contains(':') && is_token(name) && !value.contains(['\n', '\r', '\0']) {
        return Ok((name, value));
    }
    let shown = if is_token(name) && text.contains(':') { quoted(name) } else { "a text (not shown)".to_owned() };
    Err(format!(
        "--header: found {shown}, which is no header; write a name, a colon and a value, as in 'accept: text/html'"
    ))
}
