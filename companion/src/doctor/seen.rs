//! What came so far, by the names of the questions.

use std::collections::BTreeMap;

use access_relay_core::syntax::origin::Origin;

use crate::addresses::{self, Place};
use crate::answers::Answer;
use crate::doctor::came::{Came, Whose};
use crate::doctor::subject::{BELOW, Subject};
use crate::metadata;
use crate::view::{Application, Meets, Seen, View};

/// What came of each question.
pub type Answers = BTreeMap<String, Came>;

/// What is looked at, and what came so far.
pub struct Sights<'s> {
    /// What is looked at.
    pub subject: &'s Subject,
    /// What came of each question.
    pub answers: &'s Answers,
    /// Seconds since the epoch.
    pub now: i64,
}

impl<'s> Sights<'s> {
    /// What came of a question.
    #[must_use]
    pub fn came(&self, spot: &str, question: &str) -> Option<&'s Came> {
        self.answers.get(&format!("{spot}.{question}"))
    }

    /// Who answered a question.
    #[must_use]
    pub fn whose(&self, spot: &str, question: &str) -> Option<Whose> {
        self.came(spot, question).map(Came::whose)
    }

    /// Where a spot is.
    #[must_use]
    pub fn url(&self, spot: &str) -> Option<String> {
        let Subject { paths, page_path, .. } = self.subject;
        let target =
            || paths.get(spot.trim_start_matches(|letter: char| letter.is_ascii_lowercase()).parse::<usize>().ok()?);
        match spot.trim_end_matches(|letter: char| letter.is_ascii_digit()) {
            "page" => Some(self.subject.at(page_path)),
            "path" => target().map(|target| self.subject.at(&target.path)),
            "below" => target().map(|target| self.subject.at(&target.below())),
            "api" => target().and_then(|target| target.api.as_ref()).map(|api| api.url.clone()),
            "door" => {
                let door =
                    spot.strip_prefix("door").and_then(|at| self.subject.doors.get(at.parse::<usize>().ok()?))?;
                let path = paths.first().map_or_else(|| BELOW.to_owned(), |target| target.below());
                Some([door.as_str(), &path].concat())
            }
            _ => None,
        }
    }

    /// What stands in front of a spot, if a stranger's answer came; and what is wrong with a word that is none of Access's.
    #[must_use]
    pub fn view(&self, spot: &str) -> Option<(View, Option<String>)> {
        let (url, answer) = (self.url(spot)?, self.came(spot, "get")?.answer.clone());
        let place = if spot.starts_with("api") { Place::Api } else { Place::Page };
        let metadata = self.came(spot, "word").and_then(|word| word.metadata.clone());
        let mut faults = Vec::new();
        let seen = Seen { place, metadata, answer };
        let view = View::of(addresses::Ask { place, url }, &seen, self.now, &mut faults);
        Some((view, faults.pop()))
    }

    /// The application that covers a spot.
    #[must_use]
    pub fn application(&self, spot: &str) -> Option<Application> {
        self.view(spot)?.0.application
    }

    /// The word that Access has signed about exactly this spot: its token. It holds, or there is none.
    #[must_use]
    pub fn proof(&self, spot: &str) -> Option<(String, Application)> {
        let application = self.application(spot).filter(|application| application.signed)?;
        Some((self.came(spot, "word")?.metadata.as_ref()?.token.clone(), application))
    }

    /// Whether Access keeps strangers from a spot.
    #[must_use]
    pub fn is_kept(&self, spot: &str) -> bool {
        let is_relays =
            matches!(self.whose(spot, "get"), Some(Whose::Relay(_) | Whose::Cloudflare(_) | Whose::Challenge));
        !is_relays && self.view(spot).is_some_and(|(view, _)| matches!(view.meets, Meets::Access | Meets::Unclear))
    }

    /// The spot whose application a caller's token is for: what is below the path if Access stands there, else the page.
    #[must_use]
    pub fn callers<'a>(&self, below: &'a str) -> &'a str {
        if self.is_kept(below) && self.application(below).is_some() { below } else { "page" }
    }

    /// Where the keys are that tokens have to be signed by: the configuration's, or else those of the team that the page names.
    #[must_use]
    pub fn keys_url(&self) -> Option<String> {
        let config = self.subject.config.as_ref();
        if let Some(policy) = config.and_then(|config| config.access.tokens()) {
            return Some(policy.certs_url.clone());
        }
        let named = ["page", "below0"].iter().find_map(|spot| {
            let url: Origin = metadata::origin_of(&self.url(spot)?).ok()?;
            metadata::issuer(&self.came(spot, "word")?.metadata.as_ref()?.token, &url).ok()
        });
        named.map(|team| metadata::keys_url(&team))
    }

    /// Whose service tokens are at hand: the configuration's team, or else the one that has signed that it covers the page.
    #[must_use]
    pub fn team(&self) -> Option<String> {
        let policy = self.subject.config.as_ref().and_then(|config| config.access.tokens());
        let signed = || self.proof("page")?.1.issuer.map(|team| team.as_str().to_owned());
        policy.map(|policy| policy.issuer.clone()).or_else(signed)
    }

    /// Whether a host gave no answer at all, and why.
    #[must_use]
    pub fn unreachable(&self, spot: &str) -> Option<&'s str> {
        match &self.came(spot, "get")?.answer {
            Answer::Failed { failed } => Some(failed),
            Answer::Came { .. } => None,
        }
    }
}
