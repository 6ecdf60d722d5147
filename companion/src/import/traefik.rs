//! Traefik's headers middleware: of its files (JSON, TOML, YAML), of its API, of Kubernetes, and of the labels of containers.

use std::collections::BTreeMap;

use crate::import::found::{Application, Given, Policy};
use crate::import::term::Term;

/// The middlewares that have something to do with headers.
#[must_use]
pub fn applications(file: &Term) -> Vec<Application> {
    let mut found = Vec::new();
    let middlewares = file.within(&["http", "middlewares"]);
    for (name, middleware) in middlewares.into_iter().flat_map(Term::entries) {
        found.extend(headers_of(middleware).map(|headers| application(name, headers)));
    }
    let listed = file.at("items").unwrap_or(file).items();
    for middleware in listed.iter().chain(std::iter::once(file)) {
        let name = middleware.at("name").or_else(|| middleware.within(&["metadata", "name"])).and_then(Term::text);
        let headers = headers_of(middleware).or_else(|| middleware.at("spec").and_then(headers_of));
        found.extend(headers.map(|headers| application(name.unwrap_or("headers"), headers)));
    }
    found.extend(of_labels(file).iter().map(|(name, headers)| application(name, headers)));
    if found.is_empty() && at(file, "accessControlAllowOriginList").is_some() {
        found.push(application("headers", file));
    }
    found
}

/// Whether a table has the form of one of those files.
#[must_use]
pub fn is_like(file: &Term) -> bool {
    file.within(&["http", "middlewares"]).is_some()
        || file.at("kind").and_then(Term::text) == Some("Middleware")
        || !applications(file).is_empty()
}

/// The middlewares in the labels of a Compose file: `traefik.http.middlewares.<name>.headers.<key>=<value>`. A label is a text, and a
/// list has commas.
fn of_labels(file: &Term) -> BTreeMap<String, Term> {
    let services = file.at("services").into_iter().flat_map(Term::entries);
    let labels =
        services.flat_map(|(_, service)| [service.at("labels"), service.within(&["deploy", "labels"])]).flatten();
    let mut found: BTreeMap<String, BTreeMap<String, Term>> = BTreeMap::new();
    for (label, value) in labels.flat_map(pairs) {
        let label = label.to_ascii_lowercase();
        let Some((name, key)) =
            label.strip_prefix("traefik.http.middlewares.").and_then(|rest| rest.split_once(".headers."))
        else {
            continue;
        };
        let headers = found.entry(name.to_owned()).or_default();
        let (key, value) = match key.strip_prefix("customresponseheaders.") {
            Some(header) => {
                let custom = headers.remove("customresponseheaders");
                let mut custom: BTreeMap<String, Term> =
                    custom.iter().flat_map(Term::entries).map(|(name, value)| (name.clone(), value.clone())).collect();
                custom.insert(header.to_owned(), value);
                ("customresponseheaders", Term::Table(custom))
            }
            None => (key, if is_list(key) { list_of(value) } else { value }),
        };
        headers.insert(key.to_owned(), value);
    }
    found.into_iter().map(|(name, headers)| (name, Term::Table(headers))).collect()
}

/// Labels as a table has them, or a list of `key=value`.
fn pairs(labels: &Term) -> Vec<(&str, Term)> {
    let of_list = labels.items().iter().filter_map(Term::text).filter_map(|label| label.split_once('='));
    let of_list = of_list.map(|(key, value)| (key, Term::Text(value.to_owned())));
    of_list.chain(labels.entries().map(|(key, value)| (key.as_str(), value.clone()))).collect()
}

fn is_list(key: &str) -> bool {
    key.starts_with("accesscontrol") && !["accesscontrolallowcredentials", "accesscontrolmaxage"].contains(&key)
}

fn list_of(value: Term) -> Term {
    match value.text() {
        Some(text) => Term::List(text.split(',').map(|item| Term::Text(item.trim().to_owned())).collect()),
        None => value,
    }
}

fn headers_of(middleware: &Term) -> Option<&Term> {
    middleware.at("headers").filter(|headers| matches!(headers, Term::Table(_)))
}

fn application(name: &str, headers: &Term) -> Application {
    let given = |key: &str| at(headers, key).map(|value| Given { key: key.to_owned(), value: value.clone() });
    let policy = Policy {
        origins: given("accessControlAllowOriginList"),
        expressions: given("accessControlAllowOriginListRegex"),
        methods: given("accessControlAllowMethods"),
        headers: given("accessControlAllowHeaders"),
        exposed: given("accessControlExposeHeaders"),
        credentials: given("accessControlAllowCredentials"),
        max_age: given("accessControlMaxAge"),
        ..Policy::default()
    };
    let has_policy = headers.entries().any(|(key, _)| key.to_ascii_lowercase().starts_with("accesscontrol"));
    let mut found =
        Application { name: name.to_owned(), policy: has_policy.then_some(policy), ..Application::default() };
    if at(headers, "addVaryHeader").and_then(Term::boolean) == Some(false) {
        found.remarks.push("addVaryHeader is false, but the relay sends Vary: Origin whenever it has to".to_owned());
    }
    let custom = at(headers, "customResponseHeaders");
    for (name, _) in custom.into_iter().flat_map(Term::entries) {
        if name.to_ascii_lowercase().starts_with("access-control-") {
            let name = Term::Text(name.clone()).shown();
            found.left.push(format!(
                "customResponseHeaders sets {name} by hand, which is not imported; write the key of [vars.RELAY.cors] for it"
            ));
        }
    }
    found
}

/// Traefik does not mind the case of a key.
fn at<'t>(table: &'t Term, key: &str) -> Option<&'t Term> {
    table
        .entries()
        .find(|(name, value)| name.eq_ignore_ascii_case(key) && **value != Term::Null)
        .map(|(_, value)| value)
}
