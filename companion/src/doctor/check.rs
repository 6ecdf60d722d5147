//! What was asked, what came, and what it means: a line each.

use serde::Serialize;

use crate::doctor::code::Code;
use crate::findings::one_line;

/// Whether something is as it has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum State {
    /// It is.
    #[serde(rename = "ok")]
    Ok,
    /// It is not.
    #[serde(rename = "wrong")]
    Wrong,
    /// What came does not tell.
    #[serde(rename = "cannot tell")]
    CannotTell,
}

/// One question, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What it is about.
    pub code: Code,
    /// Whether it is as it has to be.
    pub state: State,
    /// What was asked.
    pub asked: String,
    /// What came.
    pub came: String,
    /// What it means.
    pub means: String,
    /// What to do.
    #[serde(rename = "do", skip_serializing_if = "Option::is_none")]
    pub todo: Option<String>,
}

/// All that was judged.
#[derive(Debug, Default)]
pub struct Checks(pub Vec<Check>);

impl Checks {
    /// Something that is as it has to be.
    pub fn ok(&mut self, code: Code, asked: impl Into<String>, came: impl Into<String>, means: impl Into<String>) {
        self.add(code, State::Ok, asked.into(), came.into(), means.into(), None);
    }

    /// Something that is not, and what to do.
    pub fn wrong(
        &mut self,
        code: Code,
        asked: impl Into<String>,
        came: impl Into<String>,
        means: impl Into<String>,
        todo: impl Into<String>,
    ) {
        self.add(code, State::Wrong, asked.into(), came.into(), means.into(), Some(todo.into()));
    }

    /// Something that what came does not tell.
    pub fn unknown(&mut self, code: Code, asked: impl Into<String>, came: impl Into<String>, means: impl Into<String>) {
        self.add(code, State::CannotTell, asked.into(), came.into(), means.into(), None);
    }

    /// Whether something of this kind is wrong.
    #[must_use]
    pub fn has(&self, code: Code) -> bool {
        self.0.iter().any(|check| check.code == code && check.state == State::Wrong)
    }

    fn add(&mut self, code: Code, state: State, asked: String, came: String, means: String, todo: Option<String>) {
        // What is wrong is told once for each kind and cause.
        let told = self.0.iter().any(|check| check.code == code && check.state == state && check.means == means);
        if told && state != State::Ok {
            return;
        }
        // Names and headers are other people's words.
        let [asked, came, means] = [asked, came, means].map(|text| one_line(&text));
        self.0.push(Check { code, state, asked, came, means, todo: todo.map(|todo| one_line(&todo)) });
    }
}

/// A request in words.
#[must_use]
pub fn asked(method: &str, url: &str, with: &str) -> String {
    let space = if with.is_empty() { "" } else { " " };
    format!("{method} {url}{space}{with}")
}
