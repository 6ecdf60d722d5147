//! The tokens of a request, taken apart for people.

use access_relay_core::caller::gate::tokens_of;
use access_relay_core::caller::token::Candidate;
use access_relay_core::messages::name::Name;
use access_relay_core::messages::trace::Trace;
use chrono::{DateTime, Datelike as _, Timelike as _};
use serde::Serialize;
use serde_json::Value;

use crate::explain::request::Request;
use crate::explain::who::claims;
use crate::shown;

/// A token, as far as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Token {
    /// What it came in.
    pub from: &'static str,
    /// What it says; times in UTC, and how long before or after the request.
    pub claims: Vec<(String, String)>,
    /// What is wrong with its form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrong: Option<String>,
}

/// The texts of the tokens that the caller check would look at.
#[must_use]
pub fn texts(request: &Request) -> Vec<String> {
    let trace = Trace::new(None, [0; 24]);
    let Request { method, url, headers, .. } = request;
    headers.asked(method, url, &trace, |head| {
        tokens_of(head).unwrap_or_default().into_iter().map(std::borrow::Cow::into_owned).collect()
    })
}

/// The claims that are shown, in this order.
const SHOWN: [&str; 9] = ["iss", "aud", "type", "sub", "email", "common_name", "iat", "nbf", "exp"];

/// The tokens of a request that came at `now` (seconds since the epoch).
#[must_use]
pub fn tokens(request: &Request, now: i64) -> Vec<Token> {
    let is_header = request.headers.get(Name::AccessJwtAssertion.as_str()).is_some();
    let from = if is_header { "cf-access-jwt-assertion" } else { "the cookie CF_Authorization" };
    let read = |text: &String| {
        let said = claims(text).unwrap_or_default();
        let claims = SHOWN.iter().filter_map(|name| Some(((*name).to_owned(), claim(said.get(name)?, name, now))));
        Token { from, claims: claims.collect(), wrong: Candidate::parse(text).err().map(|error| shown::clean(&error)) }
    };
    texts(request).iter().map(read).collect()
}

fn claim(value: &Value, name: &str, now: i64) -> String {
    match (name, value) {
        ("iat" | "nbf" | "exp", value) => {
            value.as_i64().map_or_else(|| shown::clean(&value.to_string()), |at| time(at, now))
        }
        // AUD tags and addresses are no secrets, though a tag looks like one.
        ("aud" | "iss" | "type", value) => {
            crate::findings::one_line(value.to_string().trim_matches('"')).chars().take(300).collect()
        }
        (_, Value::String(text)) => shown::clean(text),
        (_, other) => shown::clean(&other.to_string()),
    }
}

/// A time, and how far it is from now.
fn time(at: i64, now: i64) -> String {
    let far = at.saturating_sub(now);
    let seconds = far.unsigned_abs();
    let (number, unit) = match seconds {
        0..120 => (seconds, "seconds"),
        120..7200 => (seconds / 60, "minutes"),
        7200..172_800 => (seconds / 3600, "hours"),
        _ => (seconds / 86_400, "days"),
    };
    let when = if far < 0 { format!("{number} {unit} before") } else { format!("{number} {unit} after") };
    let date = DateTime::from_timestamp(at, 0).filter(|date| (1970..10_000).contains(&date.year()));
    let date = date.map(|date| {
        let [year, month, day] = [date.year().unsigned_abs(), date.month(), date.day()];
        format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC", date.hour(), date.minute(), date.second())
    });
    format!("{}, {when} the request", date.unwrap_or_else(|| at.to_string()))
}
