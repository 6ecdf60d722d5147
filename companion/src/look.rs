//! A page and an API, looked at from outside and without any credential: what the answers mean.

use access_relay_core::syntax::text::quoted;
use serde::Serialize;

use crate::addresses::{Addresses, Place, Said};
use crate::findings::one_line;
use crate::view::{Application, Meets, Seen, View};

/// What was seen, in words; and what a configuration takes from it.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// What stands in front of each address.
    pub seen: Vec<Sight>,
    /// What nobody means to have.
    pub mistakes: Vec<String>,
    /// What looks wrong, or may surprise.
    pub warnings: Vec<String>,
    /// Whether an address gave no answer, so that nothing can be said of it.
    pub unseen: bool,
    /// What `access.issuer` has to be, if it is said, or can be told.
    pub issuer: Option<String>,
    /// What `access.audience` has to be, if it is said, or can be told.
    pub audience: Option<String>,
}

/// What stands in front of an address, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sight {
    /// What it is the address of.
    pub place: Place,
    /// The address.
    pub url: String,
    /// Which application covers it.
    pub application: String,
    /// What strangers get.
    pub strangers: String,
}

/// What the answers mean, at `now`, in seconds since the epoch.
#[must_use]
pub fn judge(said: &Said, addresses: &Addresses, seen: &[Seen], now: i64) -> Report {
    let mut report = Report::default();
    let mut views = Vec::new();
    for ask in addresses.asks() {
        if let Some(seen) = seen.iter().find(|seen| seen.place == ask.place) {
            views.push(View::of(ask, seen, now, &mut report.warnings));
        }
    }
    report.unanswered(&views);
    let callers = report.callers(&views);
    report.paths(&views);
    report.api(&views, callers.as_ref());
    report.take(said, callers.as_ref());

    let sight = |view: &View| Sight {
        place: view.ask.place,
        url: view.ask.url.clone(),
        application: one_line(&view.covered()),
        strangers: one_line(&view.strangers()),
    };
    report.seen = views.iter().map(sight).collect();
    // Names of applications and addresses are other people's words.
    for line in report.mistakes.iter_mut().chain(&mut report.warnings) {
        *line = one_line(line);
    }
    report
}

fn at(views: &[View], place: Place) -> Option<&View> {
    views.iter().find(|view| view.ask.place == place)
}

impl Report {
    /// Where a host does not answer at all, its first address stands for all of them.
    fn unanswered(&mut self, views: &[View]) {
        let mut told = Vec::new();
        for view in views.iter().filter(|view| view.meets == Meets::Nothing) {
            self.unseen = true;
            let reason = (view.ask.place == Place::Api, view.strangers());
            if !told.contains(&reason) {
                self.warnings.push(format!("{}: {}; nothing could be seen there", view.ask.url, reason.1));
                told.push(reason);
            }
        }
    }

    /// The application whose token callers bring: that of the relay's path, or, where Access lets strangers pass there, that of the
    /// page. What Access has signed counts more than what it has not.
    fn callers(&mut self, views: &[View]) -> Option<Application> {
        let page = at(views, Place::Page)?;
        let below = at(views, Place::Below).filter(|below| matches!(below.meets, Meets::Access | Meets::Unclear));
        let own = below.and_then(|below| below.application.as_ref());
        match (own, &page.application) {
            // One application: the answer that says more of it counts.
            (Some(own), Some(pages)) if own.is(pages) => {
                let known = |one: &Application| (one.signed, one.issuer.is_some());
                Some(if known(pages) > known(own) { pages } else { own }.clone())
            }
            (Some(own), Some(pages)) if pages.signed && !own.signed => {
                self.warnings.push(format!(
                    "{}: an answer that nobody has signed names another application than Access has signed for the page, and was \
                     not used: {}",
                    below.map(|below| below.ask.url.as_str()).unwrap_or_default(),
                    own.told()
                ));
                Some(pages.clone())
            }
            (Some(own), Some(_)) => {
                self.warnings.push(format!(
                    "{}: another Access application covers it than the page: whoever is logged in to the page meets another \
                     login here, which no fetch can follow; let one application cover both",
                    below.map(|below| below.ask.url.as_str()).unwrap_or_default()
                ));
                Some(own.clone())
            }
            (Some(own), None) => Some(own.clone()),
            (None, Some(pages)) => {
                if let Some(below) = below {
                    self.warnings.push(format!(
                        "{}: Access answers here, and does not say for which application; if it is not the page's, name its AUD \
                         tag in access.audience",
                        below.ask.url
                    ));
                }
                Some(pages.clone())
            }
            (None, None) => {
                if page.meets == Meets::WhatIsBehind {
                    self.mistakes.push(format!(
                        "{}: no Access application covers the page ({}), so nobody has a token, and the relay would refuse \
                         everybody; make an application for it first",
                        page.ask.url,
                        page.strangers()
                    ));
                }
                None
            }
        }
    }

    fn paths(&mut self, views: &[View]) {
        let (path, below) = (at(views, Place::Path), at(views, Place::Below));
        for view in [path, below].into_iter().flatten() {
            if view.meets == Meets::WhatIsBehind
                && at(views, Place::Page).is_some_and(|page| page.application.is_some())
            {
                self.warnings.push(format!(
                    "{}: Access lets strangers pass here (no application covers it, or one with a Bypass policy); only the \
                     relay's own check of the page's token keeps them out",
                    view.ask.url
                ));
            }
        }
        let applications =
            path.zip(below).and_then(|(path, below)| path.application.as_ref().zip(below.application.as_ref()));
        if let (Some(path), Some((one, other))) = (path, applications)
            && !one.is(other)
        {
            self.warnings.push(format!(
                "{}: another Access application covers it than what is below it, so its callers bring another token; let one \
                 application cover both",
                path.ask.url
            ));
        }
    }

    fn api(&mut self, views: &[View], callers: Option<&Application>) {
        let Some(api) = at(views, Place::Api) else { return };
        if api.meets == Meets::WhatIsBehind {
            let why = match api.application {
                Some(_) => "the API's Access application lets everybody pass",
                None => "no Access application covers the API",
            };
            self.mistakes.push(format!(
                "{}: {why} ({}): everybody can call it without the relay, and the service token would go to a host that Access \
                 does not protect",
                api.ask.url,
                api.strangers()
            ));
        }
        let same = callers.zip(api.application.as_ref()).filter(|(callers, api)| callers.aud == api.aud);
        if let Some((_, application)) = same {
            self.warnings.push(format!(
                "{}: the API and the page are one Access application ({}): the service token opens the page, too, and a person's \
                 token opens the API; give the API another one",
                api.ask.url, application.aud
            ));
        }
    }

    /// Takes what is said, or else what was seen; and tells where the two differ.
    fn take(&mut self, said: &Said, callers: Option<&Application>) {
        let issuer = callers.and_then(|callers| callers.issuer.as_ref()).map(|issuer| issuer.as_str().to_owned());
        let audience = callers.map(|callers| callers.aud.clone());
        for (name, said, seen) in [("issuer", &said.issuer, &issuer), ("audience", &said.audience, &audience)] {
            if let (Some(said), Some(seen)) = (said, seen)
                && said != seen
            {
                self.warnings.push(format!("--{name}: found {}, but the page's application says {seen}", quoted(said)));
            }
        }
        let by_sight = said.issuer.is_none() || said.audience.is_none();
        if let Some(callers) = callers.filter(|callers| by_sight && !callers.signed) {
            let issuer = issuer.as_ref().map(|issuer| format!("access.issuer = {issuer} and ")).unwrap_or_default();
            self.warnings.push(format!(
                "{issuer}access.audience = {} is what an unsigned answer says; compare it with your settings in Access",
                callers.aud
            ));
        }
        self.issuer = said.issuer.clone().or(issuer);
        self.audience = said.audience.clone().or(audience);
    }
}
