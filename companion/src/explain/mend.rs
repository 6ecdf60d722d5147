//! What to change in `RELAY` so that a request passes. Each change is tried: the core reads the changed table and decides anew.

use access_relay_core::config::types::Config;
use access_relay_core::outcomes::problem::{Code, Refusal};
use access_relay_core::syntax::target::Target;
use access_relay_core::syntax::text::quoted;
use serde::Serialize;
use serde_json::{Value, json};

use crate::check;
use crate::explain::request::Request;
use crate::findings::Place;
use crate::spans::{Step, steps};

/// A line to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The table that it stands in, as in `vars.RELAY.cors` or `vars.RELAY.routes[1].cors`.
    pub table: String,
    /// The key.
    pub key: String,
    /// Where it stands, or the table that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Its new value.
    pub value: Value,
    /// What it lets in besides.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub note: &'static str,
}

/// A table with a change in it, which the core takes.
pub struct Mended {
    /// The table.
    pub relay: Value,
    /// The same, read.
    pub config: Config,
    /// What is new in it.
    pub change: Change,
}

/// A value for the key that has refused a request, on this route: `routes[1]`.
///
/// # Errors
/// Nothing in `RELAY` would let it pass, as far as is known here; or why the core does not take what would.
pub fn mended(
    relay: &Value,
    key: &str,
    route: Option<&str>,
    refusal: &Refusal,
    request: &Request,
) -> Result<Mended, Option<String>> {
    let header = |name: &str| request.headers.get(name).unwrap_or_default();
    let is_navigation = header("sec-fetch-mode") == "navigate" && header("sec-fetch-dest") == "document";
    let key = match route {
        // No policy lets a form pass: an identity provider's has a list of its own.
        Some(route) if request.method == "POST" && is_navigation && refusal.code == Code::CrossOriginBlocked => {
            format!("{route}.callback_paths")
        }
        _ => key.to_owned(),
    };
    let (table, name) = key.rsplit_once('.').ok_or(None)?;
    let old = at(relay, table).and_then(|table| table.get(name)).cloned();
    let (value, note) = match (name, refusal.code) {
        ("callback_paths", _) => {
            let path = Target::of(&request.url).map_err(|_| None)?.path.to_owned();
            (with(old.clone(), &[path]), "only if it is the form of your identity provider")
        }
        ("allowed_origins", _) if request.server().is_ok_and(|server| server.as_str() == header("origin")) => {
            return Err(Some("its Origin is the relay's own: no browser asks for that".to_owned()));
        }
        ("allowed_origins", _) if !matches!(header("sec-fetch-mode").as_str(), "" | "cors" | "websocket") => {
            return Err(Some(
                "no CORS policy is for such a request: a page may call with fetch(), in mode \"cors\"".to_owned(),
            ));
        }
        ("allowed_origins", _) if header("origin").is_empty() => {
            return Err(Some("it names no Origin, which a policy could list".to_owned()));
        }
        ("allowed_origins", _) => (with(old.clone(), &[header("origin")]), ""),
        ("allowed_methods", _) => {
            let method = header("access-control-request-method");
            let upper = method.to_ascii_uppercase();
            let lists = |list: &Value| list.as_array().is_some_and(|list| list.contains(&json!(upper)));
            if upper != method && old.as_ref().is_some_and(lists) {
                let [method, upper] = [&method, &upper].map(|method| quoted(method));
                return Err(Some(format!(
                    "the page has to write {upper} in its call, not {method}: methods are case-sensitive"
                )));
            }
            (with(old.clone(), &[method]), "")
        }
        ("allowed_headers", _) => {
            let asked = header("access-control-request-headers");
            let names: Vec<String> = asked.split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
            (with(old.clone(), &names), "")
        }
        ("allow_credentials", _) => (json!(true), "pages of all listed origins then call with the person's login"),
        ("foreign_requests", Code::CrossOriginBlocked) => {
            let is_link = request.method == "GET" && is_navigation;
            if is_link {
                (json!("navigations"), "links from pages of other sites then lead here")
            } else {
                (json!("all"), "pages of other sites may then load images, scripts and frames from here")
            }
        }
        _ => return Err(None),
    };
    if old.as_ref() == Some(&value) {
        return Err(None);
    }
    let change = Change { table: table.to_owned(), key: name.to_owned(), place: None, value, note };
    let relay = put(relay, &change).ok_or(None)?;
    match check::config(&relay) {
        Ok(config) => Ok(Mended { relay, config, change }),
        Err(errors) => Err(errors.first().map(ToString::to_string)),
    }
}

/// A list with more in it, each once in whatever case.
fn with(list: Option<Value>, more: &[impl AsRef<str>]) -> Value {
    let mut texts: Vec<String> = match list {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    for text in more.iter().map(AsRef::as_ref).filter(|text| !text.is_empty()) {
        if !texts.iter().any(|known| known.eq_ignore_ascii_case(text)) {
            texts.push(text.to_owned());
        }
    }
    json!(texts)
}

/// A path as a JSON pointer (RFC 6901).
fn pointer(table: &str) -> String {
    let step = |step| match step {
        Step::Key(name) => format!("/{name}"),
        Step::Item(index) => format!("/{index}"),
    };
    steps(table).map(step).collect()
}

fn at<'r>(relay: &'r Value, table: &str) -> Option<&'r Value> {
    relay.pointer(&pointer(table))
}

fn put(relay: &Value, change: &Change) -> Option<Value> {
    let mut relay = relay.clone();
    let at = pointer(&change.table);
    if relay.pointer(&at).is_none() {
        relay.as_object_mut()?.insert(change.table.clone(), json!({}));
    }
    relay.pointer_mut(&at)?.as_object_mut()?.insert(change.key.clone(), change.value.clone());
    Some(relay)
}
