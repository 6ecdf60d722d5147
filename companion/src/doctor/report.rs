//! All of it: the next question, or the report.

use serde::Serialize;

use crate::doctor::check::{Check, Checks, State, asked};
use crate::doctor::code::Code;
use crate::doctor::plan::{self, Ask};
use crate::doctor::seen::{Answers, Sights};
use crate::doctor::subject::Subject;
use crate::doctor::{api, around, page, person, relay};

/// What is to be done next.
#[derive(Debug)]
pub enum Next {
    /// These questions are to be asked, one after the other.
    Asks(Vec<Ask>),
    /// Everything is known.
    Report(Report),
}

/// What was seen.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The page's origin.
    pub page: String,
    /// The relay's paths that were looked at.
    pub paths: Vec<String>,
    /// How many paths the relay has.
    pub all_paths: usize,
    /// How many questions were asked.
    pub asked: usize,
    /// What came of them.
    pub checks: Vec<Check>,
    /// The one thing to do first, if something is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<First>,
    /// Whether a host gave no answer.
    pub unseen: bool,
}

/// The one thing to do first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct First {
    /// What it is about.
    pub code: Code,
    /// What is wrong.
    pub means: String,
    /// What to do.
    #[serde(rename = "do")]
    pub todo: String,
}

/// What to do next, given what came, at `now` in seconds since the epoch.
#[must_use]
pub fn next(subject: &Subject, answers: &Answers, now: i64) -> Next {
    let sights = Sights { subject, answers, now };
    let asks = plan::next(&sights);
    if asks.is_empty() { Next::Report(report(&sights)) } else { Next::Asks(asks) }
}

fn report(sights: &Sights<'_>) -> Report {
    let subject = sights.subject;
    let mut checks = Checks::default();
    let unseen = unreachable(sights, &mut checks);
    page::judge(sights, &mut checks);
    api::judge(sights, &mut checks);
    relay::judge(sights, &mut checks);
    person::judge(sights, &mut checks);
    around::judge(sights, &mut checks);
    let worst = checks.0.iter().filter(|check| check.state == State::Wrong).min_by_key(|check| check.code);
    let first = worst.map(|check| First {
        code: check.code,
        means: check.means.clone(),
        todo: check.todo.clone().unwrap_or_default(),
    });
    Report {
        page: subject.page.as_str().to_owned(),
        paths: subject
            .paths
            .iter()
            .map(|target| if target.path.is_empty() { "/".to_owned() } else { target.path.clone() })
            .collect(),
        all_paths: subject.all_paths,
        asked: sights.answers.len(),
        checks: checks.0,
        first,
        unseen,
    }
}

/// Hosts that gave no answer: the page's once, and each API.
fn unreachable(sights: &Sights<'_>, checks: &mut Checks) -> bool {
    let of_page =
        ["page".to_owned()].into_iter().chain((0..sights.subject.paths.len()).map(|index| format!("below{index}")));
    let page = of_page.into_iter().find(|spot| sights.unreachable(spot).is_some());
    let apis = (0..sights.subject.paths.len())
        .map(|index| format!("api{index}"))
        .filter(|spot| sights.unreachable(spot).is_some());
    let mut unseen = false;
    for spot in page.into_iter().chain(apis) {
        if let (Some(url), Some(why)) = (sights.url(&spot), sights.unreachable(&spot)) {
            let at = asked("GET", &url, "");
            checks.unknown(
                Code::Unreachable,
                at,
                format!("no answer: {}", crate::shown::clean(why)),
                format!("nothing could be seen at {url}"),
            );
            unseen = true;
        }
    }
    unseen
}
