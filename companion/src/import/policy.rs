//! From their policy to `cors`, as their words say it. Whether the relay takes a value is the core's to say, afterwards.

use access_relay_core::config::keys::cors as keys;
use access_relay_core::config::keys::{Key, Kind};
use access_relay_core::syntax::redact::looks_secret;
use access_relay_core::syntax::text::quoted;
use serde_json::{Map, Value, json};

use crate::import::found::{Given, Policy};
use crate::import::sheet::Sheet;
use crate::import::term::Term;

/// The path of one of the policy's keys.
#[must_use]
pub fn path_of(key: Key) -> String {
    format!("cors.{}", key.name)
}

/// The table `cors`, and what there is to say of it.
#[must_use]
pub fn cors(policy: &Policy, sheet: &mut Sheet) -> Map<String, Value> {
    let mut cors = Map::new();
    if let Some(whole) = &policy.whole {
        let found =
            format!("{} is {}; write its policy here, or import what has its values", whole.key, whole.value.shown());
        sheet.left("cors", &found);
    }
    let credentials = policy.credentials.as_ref().and_then(|given| boolean(given, keys::ALLOW_CREDENTIALS, sheet));
    let with_login = credentials == Some(true);
    let lists = [
        (keys::ALLOWED_ORIGINS, &policy.all_origins, &policy.origins),
        (keys::ALLOWED_METHODS, &policy.all_methods, &policy.methods),
        (keys::ALLOWED_HEADERS, &policy.all_headers, &policy.headers),
        (keys::EXPOSED_HEADERS, &None, &policy.exposed),
    ];
    for (key, all, some) in lists {
        let texts = list(key, all.as_ref(), some.as_ref(), with_login, sheet);
        if !texts.is_empty() {
            cors.insert(key.name.to_owned(), json!(texts));
        }
    }
    if let Some(Given { key, value }) = &policy.expressions {
        let path = path_of(keys::ALLOWED_ORIGINS);
        for expression in items(key, value, &path, sheet) {
            let text = format!(
                "the regular expression {} ({key}) cannot be moved; list the origins, or write a pattern, as in \
                 \"https://*.example.com\" or \"https://example.com:*\"",
                expression.shown()
            );
            sheet.left(&path, &text);
        }
    }
    if let Some(credentials) = credentials {
        cors.insert(keys::ALLOW_CREDENTIALS.name.to_owned(), json!(credentials));
    }
    if let Some(age) = policy.max_age.as_ref().and_then(|given| max_age(given, sheet)) {
        cors.insert(keys::MAX_AGE.name.to_owned(), json!(age));
    }
    if let Some(bypass) = &policy.bypass {
        by_the_api(bypass, &mut cors, sheet);
    }
    cors
}

fn boolean(Given { key, value }: &Given, of: Key, sheet: &mut Sheet) -> Option<bool> {
    let read = value.boolean();
    if read.is_none() {
        sheet.left(&path_of(of), &format!("{key} is {}; write true or false", value.shown()));
    }
    read
}

/// A list of texts: everything, or some. A `*` is nobody's name, so it stands alone, and it cannot stand with credentials.
fn list(key: Key, all: Option<&Given>, some: Option<&Given>, with_login: bool, sheet: &mut Sheet) -> Vec<String> {
    let path = path_of(key);
    match all.map(|all| (all, all.value.boolean())) {
        None | Some((_, Some(false))) => {}
        Some((all, None)) => {
            let text = format!("{} is {}; if it is true, write [\"*\"]", all.key, all.value.shown());
            sheet.left(&path, &text);
        }
        Some((all, Some(true))) if with_login => no_wildcard(key, &all.key, sheet),
        Some((all, Some(true))) => {
            if let Some(some) = some.filter(|some| !some.value.items().is_empty()) {
                sheet.note(&path, &format!("{} has no effect beside {}, and is left out", some.key, all.key));
            }
            return everything(key, &all.key, sheet);
        }
    }
    let Some(Given { key: theirs, value }) = some else { return Vec::new() };
    let mut texts = Vec::new();
    for item in items(theirs, value, &path, sheet) {
        match item {
            Term::Text(text) if text == "*" && with_login => no_wildcard(key, &format!("\"*\" in {theirs}"), sheet),
            Term::Text(text) if !looks_secret(text) => texts.push(text.clone()),
            other => {
                let text = format!("{theirs} holds {}; write the value that it has{}", other.shown(), as_in(key));
                sheet.left(&path, &text);
            }
        }
    }
    let has_wildcard = texts.iter().any(|text| text == "*");
    let is_authorization = |text: &String| text.eq_ignore_ascii_case("authorization");
    if has_wildcard && key == keys::ALLOWED_HEADERS && texts.iter().any(is_authorization) {
        texts = vec!["*".to_owned(), "authorization".to_owned()];
    } else if has_wildcard {
        if let Some(other) = texts.iter().find(|text| *text != "*") {
            sheet
                .note(&path, &format!("{} has no effect beside \"*\", and is left out like all but it", quoted(other)));
        }
        texts = everything(key, &format!("\"*\" in {theirs}"), sheet);
    }
    texts
}

/// A list's items, or one that stands by itself.
fn items<'t>(theirs: &str, value: &'t Term, path: &str, sheet: &mut Sheet) -> &'t [Term] {
    match value {
        Term::List(items) if items.len() > LONGEST => {
            sheet.left(path, &format!("{theirs} has {} values; write {LONGEST} at most", items.len()));
            &[]
        }
        Term::List(items) => items,
        one => std::slice::from_ref(one),
    }
}

/// More values than any policy has; some of what the core checks takes time with the square of their number.
const LONGEST: usize = 1000;

fn everything(key: Key, theirs: &str, sheet: &mut Sheet) -> Vec<String> {
    if key == keys::ALLOWED_HEADERS {
        let text = format!(
            "{theirs} is [\"*\"] here; browsers do not count authorization in: write [\"*\", \"authorization\"] for that one"
        );
        sheet.note(&path_of(key), &text);
    }
    vec!["*".to_owned()]
}

fn no_wildcard(key: Key, theirs: &str, sheet: &mut Sheet) {
    let text = format!(
        "{theirs} cannot be moved: with allow_credentials, browsers take \"*\" for a plain name; write each one{}",
        as_in(key)
    );
    sheet.left(&path_of(key), &text);
}

/// An example of a value, as the core's own description has it.
fn as_in(key: Key) -> String {
    if let Kind::Texts(example) = key.kind { format!(", as in {example}") } else { String::new() }
}

fn max_age(Given { key, value }: &Given, sheet: &mut Sheet) -> Option<i64> {
    let path = path_of(keys::MAX_AGE);
    let Kind::Integer(least, most, unit) = keys::MAX_AGE.kind else { return None };
    let Some(age) = value.number() else {
        sheet
            .left(&path, &format!("{key} is {}; write a whole number of {unit} from {least} to {most}", value.shown()));
        return None;
    };
    let clamped = age.clamp(least, most);
    if clamped != age {
        sheet.note(&path, &format!("{key} is {age}, and the relay takes {least} to {most}"));
    }
    Some(clamped)
}

/// The API answers preflights: it says what the policy must not say then.
fn by_the_api(Given { key, value }: &Given, cors: &mut Map<String, Value>, sheet: &mut Sheet) {
    let path = path_of(keys::PREFLIGHT);
    if value.boolean() != Some(true) {
        sheet.left(&path, &format!("{key} is {}; write preflight = \"upstream\" if it is true", value.shown()));
        return;
    }
    sheet.note(
        &path,
        &format!(
            "{key}: Access lets every OPTIONS request through to the API, the relay only preflights of allowed origins"
        ),
    );
    for key in [keys::ALLOWED_METHODS, keys::ALLOWED_HEADERS, keys::MAX_AGE] {
        if cors.remove(key.name).is_some() {
            sheet.note(&path_of(key), "left out: with preflight = \"upstream\" the API says it in its answer");
        }
    }
    cors.insert(keys::PREFLIGHT.name.to_owned(), json!("upstream"));
}
