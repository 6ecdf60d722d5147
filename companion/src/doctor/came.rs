//! What came of a question, and who has answered.

use access_relay_core::messages::name::Name;
use access_relay_core::syntax::text::contains_ignoring_case;
use serde::Deserialize;
use serde_json::Value;

use crate::answers::Answer;
use crate::shown;
use crate::view::Word;

/// What came of a question.
#[derive(Debug, Clone, Deserialize)]
pub struct Came {
    /// Status and headers, or why there are none.
    #[serde(flatten)]
    pub answer: Answer,
    /// The beginning of its body, if it was asked for.
    #[serde(default)]
    pub body: Option<String>,
    /// The signed word of Access, if the answer had one.
    #[serde(default)]
    pub metadata: Option<Word>,
}

/// Who has answered, as far as it shows. Anybody can write these marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Nobody, and why.
    Nobody(String),
    /// The relay, with this code of `docs/errors.md`.
    Relay(String),
    /// Access, and what shows it.
    Access(String),
    /// Cloudflare, which wants to see a browser first.
    Challenge,
    /// Cloudflare, with an error of its own: the number of the error, or else the status.
    Cloudflare(u16),
    /// Somebody else.
    Other,
}

/// What the `type` of the relay's refusals begins with.
const RELAYS: &str = "urn:problem-type:access-relay:";

impl Came {
    /// The status, if there is an answer.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match &self.answer {
            Answer::Came { status, .. } => Some(*status),
            Answer::Failed { .. } => None,
        }
    }

    /// A header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        match &self.answer {
            Answer::Came { headers, .. } => headers.get(name).map(String::as_str),
            Answer::Failed { .. } => None,
        }
    }

    /// Who has answered.
    #[must_use]
    pub fn whose(&self) -> Whose {
        let status = match &self.answer {
            Answer::Failed { failed } => return Whose::Nobody(shown::clean(failed)),
            Answer::Came { status, .. } => *status,
        };
        if let Some(code) = self.relays_code() {
            return Whose::Relay(code);
        }
        if let Some(sign) = self.answer.shows_access() {
            return Whose::Access(sign);
        }
        // Cloudflare, "Detect a Challenge Page response".
        if self.header("cf-mitigated") == Some("challenge") {
            return Whose::Challenge;
        }
        self.cloudflares_error(status).map_or(Whose::Other, Whose::Cloudflare)
    }

    /// The answer in words.
    #[must_use]
    pub fn told(&self) -> String {
        let status = self.status().map(|status| status.to_string()).unwrap_or_default();
        match self.whose() {
            Whose::Nobody(why) => format!("no answer: {why}"),
            Whose::Relay(code) => format!("{status} {code}, the relay's own problem+json"),
            Whose::Access(sign) => sign,
            Whose::Challenge => format!("{status}, a challenge of Cloudflare's for browsers"),
            Whose::Cloudflare(error) if Some(error) == self.status() => {
                format!("{status}, an error page of Cloudflare's")
            }
            Whose::Cloudflare(error) => format!("{status}, Cloudflare's error {error}"),
            Whose::Other => {
                let to = self.header(Name::Location.as_str()).filter(|_| status.starts_with('3'));
                let to =
                    to.map(|url| format!(" to {}", shown::clean(url.split(['?', '#']).next().unwrap_or_default())));
                let kind = self.header("content-type").map(|kind| format!(", {}", shown::clean(kind)));
                format!("{status}{}{}", to.unwrap_or_default(), kind.unwrap_or_default())
            }
        }
    }

    /// The body as JSON, if it is.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        serde_json::from_str(self.body.as_deref()?).ok()
    }

    /// The code of a refusal of the relay's (`docs/errors.md`).
    fn relays_code(&self) -> Option<String> {
        let kind = self.header("content-type")?;
        let is_problem = kind.split(';').next().is_some_and(|kind| kind.trim() == "application/problem+json");
        let body = self.json().filter(|_| is_problem)?;
        let code = body.get("type")?.as_str()?.strip_prefix(RELAYS)?.to_owned();
        let is_code = code.bytes().all(|letter| letter.is_ascii_lowercase() || letter == b'_');
        is_code.then_some(code).filter(|code| !code.is_empty() && code.len() < 40)
    }

    /// An error of Cloudflare's own: 1xxx by the page, 52x and 530 by the status (Cloudflare, "Error 1xxx", "5xx errors").
    fn cloudflares_error(&self, status: u16) -> Option<u16> {
        if status < 400 || !self.header("server").is_some_and(|server| contains_ignoring_case(server, "cloudflare")) {
            return None;
        }
        let body = self.body.as_deref().unwrap_or_default();
        let marks = ["error code: ", "\"error_code\":", "cf-error-code\">"];
        let number = |mark: &&str| {
            let rest = body.split_once(*mark)?.1.trim_start();
            let digits: String = rest.chars().take_while(char::is_ascii_digit).take(5).collect();
            digits.parse().ok().filter(|number| (1000..2000).contains(number))
        };
        marks.iter().find_map(number).or_else(|| matches!(status, 520..=527 | 530).then_some(status))
    }
}
