//! Traefik's headers middleware: of its files (JSON, TOML), of its API, and of Kubernetes.

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
