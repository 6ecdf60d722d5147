//! What was found in a file: applications, and what each says, still in the words of where it comes from.

use crate::import::term::Term;

/// A value, and what it is called where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Its key there, as in `cors_headers.max_age`.
    pub key: String,
    /// The value.
    pub value: Term,
}

/// A CORS policy.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// If the policy as a whole is unknown: what stands in its place.
    pub whole: Option<Given>,
    /// Whether every origin is allowed.
    pub all_origins: Option<Given>,
    /// Which are.
    pub origins: Option<Given>,
    /// Regular expressions of origins.
    pub expressions: Option<Given>,
    /// Whether every method is allowed.
    pub all_methods: Option<Given>,
    /// Which are.
    pub methods: Option<Given>,
    /// Whether every header is allowed.
    pub all_headers: Option<Given>,
    /// Which are.
    pub headers: Option<Given>,
    /// Which headers of an answer pages may read.
    pub exposed: Option<Given>,
    /// Whether cookies are allowed.
    pub credentials: Option<Given>,
    /// How many seconds a preflight's answer may be kept.
    pub max_age: Option<Given>,
    /// Whether preflights go to the API.
    pub bypass: Option<Given>,
}

/// What one application, middleware or installation says.
#[derive(Debug, Clone, Default)]
pub struct Application {
    /// What people call it.
    pub name: String,
    /// Other words by which `--name` finds it: its address in Terraform, its id, its domain.
    pub others: Vec<String>,
    /// Its policy; `None` if it has none.
    pub policy: Option<Policy>,
    /// The Access team.
    pub issuer: Option<Given>,
    /// The AUD tag of the application in front of the page.
    pub audience: Option<Given>,
    /// The API.
    pub upstream: Option<Given>,
    /// The AUD tag of the application itself, which may stand in front of something else than the page.
    pub tag: Option<String>,
    /// What else there is to say of it.
    pub remarks: Vec<String>,
    /// What else somebody has to do.
    pub left: Vec<String>,
}

impl Application {
    /// Whether `--name` means it.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.others.iter().any(|other| other == name)
    }
}

/// A table's value by its key, which is told with `before` it.
#[must_use]
pub fn given(table: &Term, before: &str, key: &str) -> Option<Given> {
    let value = table.at(key)?.clone();
    Some(Given { key: format!("{before}{key}"), value })
}
