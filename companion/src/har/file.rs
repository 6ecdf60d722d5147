//! A HAR file as browsers write it (HAR 1.2, and what Chromium, Firefox and Safari add). Unknown members are passed over, missing ones and
//! `null` are empty. Of bodies only those are looked at that are a refusal of the relay's own.

use access_relay_core::outcomes::problem::CONTENT_TYPE;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::headers::Headers;

/// A recording.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Har<'t> {
    /// What there is of it.
    #[serde(borrow, deserialize_with = "or_empty")]
    pub log: Log<'t>,
}

/// What a recording holds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Log<'t> {
    /// What has written it.
    #[serde(deserialize_with = "or_empty")]
    pub creator: Program,
    /// The pages.
    #[serde(deserialize_with = "or_empty")]
    pub pages: Vec<Page>,
    /// The exchanges.
    #[serde(borrow, deserialize_with = "or_empty")]
    pub entries: Vec<Entry<'t>>,
}

/// A program.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Program {
    /// Its name.
    #[serde(deserialize_with = "or_empty")]
    pub name: String,
    /// Its version.
    #[serde(deserialize_with = "or_empty")]
    pub version: String,
}

/// A page that was open.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Page {
    /// Its address, in Chromium; else its title.
    #[serde(deserialize_with = "or_empty")]
    pub title: String,
}

/// A request and its answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Entry<'t> {
    /// When it began (RFC 3339).
    #[serde(deserialize_with = "or_empty")]
    pub started_date_time: String,
    /// The request.
    #[serde(deserialize_with = "or_empty")]
    pub request: Request,
    /// The answer.
    #[serde(borrow, deserialize_with = "or_empty")]
    pub response: Response<'t>,
    /// What it is for, in Chromium: `fetch`, `document`, `preflight`, ...
    #[serde(rename = "_resourceType", deserialize_with = "or_empty")]
    pub resource_type: String,
    /// What has caused it, in Chromium.
    #[serde(rename = "_initiator", deserialize_with = "or_empty")]
    pub initiator: Initiator,
}

/// A request.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Request {
    /// The method.
    #[serde(deserialize_with = "or_empty")]
    pub method: String,
    /// The whole URL.
    #[serde(deserialize_with = "or_empty")]
    pub url: String,
    /// The headers.
    #[serde(deserialize_with = "or_empty")]
    headers: Vec<Line>,
}

/// An answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Response<'t> {
    #[serde(deserialize_with = "number")]
    status: u16,
    #[serde(deserialize_with = "or_empty")]
    headers: Vec<Line>,
    /// Where it redirects to.
    #[serde(rename = "redirectURL", deserialize_with = "or_empty")]
    pub redirect_url: String,
    /// Why it failed, in Chromium and Safari: `net::ERR_FAILED`, ...
    #[serde(rename = "_error", deserialize_with = "or_empty")]
    pub error: String,
    #[serde(borrow, deserialize_with = "or_empty")]
    content: Content<'t>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Content<'t> {
    #[serde(rename = "mimeType", deserialize_with = "or_empty")]
    mime_type: String,
    #[serde(borrow)]
    text: Option<&'t RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    #[serde(deserialize_with = "or_empty")]
    name: String,
    #[serde(deserialize_with = "or_empty")]
    value: String,
}

/// What has caused a request.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Initiator {
    /// Of a preflight, the URL of the request that it is for.
    #[serde(deserialize_with = "or_empty")]
    pub url: String,
}

/// A value, or an empty one where there is `null`.
fn or_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(reader: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(reader)?.unwrap_or_default())
}

/// A number, also where it is a text or a fraction; 0 where it is none.
fn number<'de, D: Deserializer<'de>>(reader: D) -> Result<u16, D::Error> {
    let value = Value::deserialize(reader)?;
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).unwrap_or_default();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float becomes the nearest number that there is"
    )]
    Ok(number as u16)
}

impl<'t> Har<'t> {
    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// It is no HAR.
    pub fn read(bytes: &'t [u8]) -> Result<Self, String> {
        // Other tools leave one when they save what a browser has written.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let help = "save one with the network panel's \"Export HAR\"";
        let har: Self = serde_json::from_slice(bytes).map_err(|error| {
            format!("found no HAR 1.2, at line {}, column {}; {help}", error.line(), error.column())
        })?;
        if har.log.entries.is_empty() { Err(format!("found no entry in the recording; {help}")) } else { Ok(har) }
    }
}

impl Request {
    /// The headers, without the request line that HTTP/2 and later have among them.
    #[must_use]
    pub fn headers(&self) -> Headers {
        headers(&self.headers)
    }
}

impl Response<'_> {
    /// The status; 0 where none came.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> Headers {
        headers(&self.headers)
    }

    /// The code of a refusal, if the body is one of the relay's own.
    #[must_use]
    pub fn relays_code(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Refusal {
            r#type: String,
        }
        if self.content.mime_type.split(';').next()?.trim() != CONTENT_TYPE {
            return None;
        }
        let body: String = serde_json::from_str(self.content.text?.get()).ok()?;
        let refusal: Refusal = serde_json::from_str(&body).ok()?;
        refusal.r#type.strip_prefix("urn:problem-type:access-relay:").map(str::to_owned)
    }
}

fn headers(lines: &[Line]) -> Headers {
    let real = lines.iter().filter(|line| !line.name.starts_with(':'));
    real.map(|line| (line.name.as_str(), line.value.as_str())).collect()
}
