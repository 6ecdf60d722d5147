//! Heads of messages: headers as a list of lines, what `headers.js` tells of them, and what edits make of them.

use std::collections::BTreeSet;

use access_relay_core::messages::crossing;
use access_relay_core::messages::edits::{Edit, Edits};
use access_relay_core::messages::head::{RequestHead, ResponseHead};
use access_relay_core::messages::name::{ALONG_A_REQUEST, ALONG_AN_ANSWER, Name};
use access_relay_core::messages::present::Read;
use access_relay_core::messages::trace::Trace;

/// Headers as a list of lines.
#[derive(Debug, Clone, Default)]
pub struct Lines(pub Vec<(String, String)>);

impl Lines {
    pub fn of(lines: &[(&str, &str)]) -> Self {
        Self(lines.iter().map(|(name, value)| (name.to_ascii_lowercase(), (*value).to_owned())).collect())
    }

    /// What `head` of `headers.js` tells of them: each name once, in order.
    pub fn told(&self) -> String {
        let [beginnings, _] = crossing::beginnings();
        self.told_as(ALONG_A_REQUEST, &beginnings, &[])
    }

    /// What `answerHead` of `headers.js` tells of them, where these are the secrets.
    pub fn told_by_the_api(&self, secrets: &[&str]) -> String {
        let [_, beginnings] = crossing::beginnings();
        self.told_as(ALONG_AN_ANSWER, &beginnings, secrets)
    }

    fn told_as(&self, along: &[Name], beginnings: &str, secrets: &[&str]) -> String {
        let pairs: Vec<&[u8]> = beginnings.as_bytes().chunks(2).collect();
        let matters = |name: &str| {
            let fold = |b: u8| if b.is_ascii_alphanumeric() { b } else { b'-' };
            let begins =
                matches!(name.as_bytes(), [first, second, ..] if pairs.contains(&[*first, fold(*second)].as_slice()));
            begins || (along == ALONG_AN_ANSWER && name.ends_with(crossing::TARGETED))
        };
        let names: BTreeSet<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        let (mut places, mut lines) = (String::new(), String::new());
        for name in names {
            let value = self.get(name).unwrap_or_default();
            let known_name = Name::ALL.iter().find(|known| known.as_str() == name);
            let holds = |secret: &&str| value.to_ascii_lowercase().contains(&secret.to_ascii_lowercase());
            if secrets.iter().any(holds) {
                lines.extend(["\n!", name]);
            }
            match known_name {
                Some(known) if along.contains(known) => {
                    let value: String = value.chars().take(known.longest() + 1).collect();
                    lines.extend(["\n", &known.place().to_string(), &value]);
                }
                Some(known) => places.push(known.place()),
                None if matters(name) => lines.extend(["\n", name]),
                None => {}
            }
        }
        places + &lines
    }

    /// An API's answer with these headers, as decisions see it.
    pub fn answered<T>(&self, status: u16, decide: impl FnOnce(&ResponseHead<'_, Lines>) -> T) -> T {
        let told = self.told_by_the_api(&["s3cr3t-value"]);
        decide(&ResponseHead { status, present: &crossing::in_answer(&told), headers: self })
    }

    /// A request with these headers, as decisions see it.
    pub fn asked<T>(&self, method: &str, url: &str, decide: impl FnOnce(&RequestHead<'_, Lines>) -> T) -> T {
        let told = self.told();
        let trace = Trace::new(self.get("traceparent").as_deref(), [7; 24]);
        decide(&RequestHead { method, url, present: &crossing::in_request(&told), headers: self, trace: &trace })
    }

    /// The same, where a decision takes its time.
    pub async fn asked_later<T>(
        &self,
        method: &str,
        url: &str,
        decide: impl AsyncFnOnce(&RequestHead<'_, Lines>) -> T,
    ) -> T {
        let told = self.told();
        let trace = Trace::new(None, [7; 24]);
        decide(&RequestHead { method, url, present: &crossing::in_request(&told), headers: self, trace: &trace }).await
    }

    pub fn get(&self, name: &str) -> Option<String> {
        let values: Vec<&str> =
            self.0.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// What `edit` of `headers.js` does.
    pub fn apply(mut self, edits: &Edits) -> Self {
        for edit in edits.iter() {
            match edit {
                Edit::Delete(name) => self.0.retain(|(found, _)| found != name),
                Edit::Remove(name) => self.0.retain(|(found, _)| found != name.as_str()),
                Edit::RemoveAll(prefix) => self.0.retain(|(found, _)| !found.starts_with(prefix)),
                Edit::Set(name, value) => {
                    self.0.retain(|(found, _)| found != name.as_str());
                    self.0.push((name.as_str().to_owned(), value.to_owned()));
                }
                Edit::Append(name, value) => self.0.push((name.as_str().to_owned(), value.to_owned())),
            }
        }
        self
    }
}

impl Read for Lines {
    fn read(&self, name: Name) -> Option<String> {
        self.get(name.as_str())
    }

    fn set_cookies(&self) -> Vec<String> {
        self.0.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value.clone()).collect()
    }
}
