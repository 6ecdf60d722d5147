//! An address, and what stands in front of it.

use access_relay_core::config::access::is_team;
use access_relay_core::messages::name::Name;
use access_relay_core::syntax::origin::Origin;
use serde::Deserialize;

use crate::addresses::{Ask, Place};
use crate::answers::Answer;
use crate::metadata;

/// What came of an [`Ask`].
#[derive(Debug, Clone, Deserialize)]
pub struct Seen {
    /// What was asked.
    pub place: Place,
    /// The signed word of Access, if the answer had one.
    pub metadata: Option<Word>,
    /// The answer to a plain `GET`.
    pub answer: Answer,
}

/// A token of [`metadata`], and whether its signature holds.
#[derive(Debug, Clone, Deserialize)]
pub struct Word {
    /// The token.
    pub token: String,
    /// Why its signature does not hold, or could not be checked.
    pub unproven: Option<String>,
}

/// An application that covers an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Its AUD tag.
    pub aud: String,
    hostname: Option<String>,
    /// Its team's address.
    pub issuer: Option<Origin>,
    /// Whether Access has signed all of this.
    pub signed: bool,
}

/// What a stranger meets at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meets {
    /// Access, and no further.
    Access,
    /// What is behind it: no application covers it, or one that lets everybody pass.
    WhatIsBehind,
    /// An answer that does not tell whose it is, where Access says that an application covers it.
    Unclear,
    /// Nothing.
    Nothing,
}

/// An address, and what stands in front of it.
pub struct View {
    /// What was asked.
    pub ask: Ask,
    /// The application that covers it.
    pub application: Option<Application>,
    /// What a stranger meets there.
    pub meets: Meets,
    answer: Answer,
    /// What shows that Access answered.
    sign: Option<String>,
}

impl View {
    /// What an answer shows at `now`. A signed word that is none of Access's is told to `warnings`, and does not count.
    pub fn of(ask: Ask, seen: &Seen, now: i64, warnings: &mut Vec<String>) -> Self {
        let origin = metadata::origin_of(&ask.url).ok();
        let signed =
            seen.metadata.as_ref().zip(origin.as_ref()).and_then(|(word, origin)| match signed(word, origin, now) {
                Ok(application) => Some(application),
                Err(why) => {
                    warnings.push(format!(
                        "{}: what Access seems to say of it is not its own word, and was not used: {why}",
                        ask.url
                    ));
                    None
                }
            });
        let is_here = origin.is_some_and(|origin| origin.is_loopback());
        let hinted = || {
            let hint = seen.answer.application()?;
            let issuer = hint.team.filter(|team| is_team(team) || (is_here && team.is_loopback()));
            Some(Application { aud: hint.aud, hostname: hint.hostname, issuer, signed: false })
        };
        let sign = seen.answer.shows_access();
        let application = signed.or_else(hinted);
        let meets = match (&seen.answer, &sign, &application) {
            (Answer::Failed { .. }, ..) => Meets::Nothing,
            (_, Some(_), _) => Meets::Access,
            (Answer::Came { status: 200..=299, .. }, ..) | (_, _, None) => Meets::WhatIsBehind,
            _ => Meets::Unclear,
        };
        Self { application, meets, answer: seen.answer.clone(), sign, ask }
    }

    /// Which application covers it, in words.
    #[must_use]
    pub fn covered(&self) -> String {
        self.application.as_ref().map_or_else(|| "no Access application that can be seen".to_owned(), Application::told)
    }

    /// What strangers get, in words.
    #[must_use]
    pub fn strangers(&self) -> String {
        match (&self.answer, &self.sign) {
            (Answer::Failed { failed }, _) => format!("no answer: {failed}"),
            (_, Some(sign)) => format!("strangers get {sign}"),
            (Answer::Came { status, headers }, None) => {
                let to = headers.get(Name::Location.as_str()).filter(|_| matches!(status, 300..=399));
                let to = to.map(|url| format!(" to {}", url.split(['?', '#']).next().unwrap_or_default()));
                let whose = if self.meets == Meets::Unclear { "" } else { ", not from Access" };
                format!("strangers get {status}{}{whose}", to.unwrap_or_default())
            }
        }
    }
}

impl Application {
    /// Which it is, in words.
    #[must_use]
    pub fn told(&self) -> String {
        let name = self.hostname.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
        let team = self.issuer.as_ref().map(|issuer| format!(" of {}", issuer.as_str())).unwrap_or_default();
        let how = if self.signed { "signed by Access" } else { "unsigned" };
        format!("Access application{name}{team} ({how}), AUD tag {}", self.aud)
    }

    /// Whether another one is the same, as far as is known of both.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        let one_team = self.issuer.is_none() || other.issuer.is_none() || self.issuer == other.issuer;
        self.aud == other.aud && one_team
    }
}

fn signed(word: &Word, url: &Origin, now: i64) -> Result<Application, String> {
    if let Some(why) = &word.unproven {
        return Err(why.clone());
    }
    let (found, team) = metadata::read(&word.token, url, now)?;
    let hostname = found.app_hostname.unwrap_or(found.hostname);
    Ok(Application { aud: found.aud, hostname: Some(hostname), issuer: Some(team), signed: true })
}
