//! An application of Cloudflare Access, as its API has it, and Terraform too.

use std::collections::BTreeSet;

use access_relay_core::caller::token::is_aud_tag;

use crate::import::found::{Application, Given, Policy, given};
use crate::import::term::Term;

/// The applications in an answer of the API: one, or a list; or an application by itself.
///
/// # Errors
/// The answer tells of a failure.
pub fn applications(file: &Term) -> Result<Vec<Application>, String> {
    if file.at("success").and_then(Term::boolean) == Some(false) {
        let message = file.at("errors").and_then(|errors| errors.items().first()).and_then(|error| error.at("message"));
        let message = message.map(|message| format!(": {}", message.shown())).unwrap_or_default();
        return Err(format!(
            "found an answer of Cloudflare's API that tells of a failure{message}; ask the API once more"
        ));
    }
    let result = match file.at("result") {
        Some(result) => result,
        None if file.at("success").is_some() => {
            return Err("found an answer of Cloudflare's API without a result; ask the API once more".to_owned());
        }
        None => file,
    };
    Ok(match result {
        Term::List(items) => items.iter().map(application).collect(),
        one => vec![application(one)],
    })
}

/// An application.
#[must_use]
pub fn application(table: &Term) -> Application {
    let text = |key: &str| table.at(key).and_then(Term::text).map(str::to_owned);
    let mut found = Application {
        name: text("name").or_else(|| text("domain")).unwrap_or_default(),
        others: ["id", "domain"].into_iter().filter_map(text).collect(),
        policy: policy(table),
        tag: text("aud").filter(|tag| is_aud_tag(tag)),
        ..Application::default()
    };
    upstream(table, &mut found);
    open_paths(table, &mut found);
    let policies = table.at("policies").map(Term::items).unwrap_or_default();
    for policy in policies.iter().filter(|policy| policy.at("decision").and_then(Term::text) == Some("bypass")) {
        let name = policy.at("name").map(|name| format!(" {}", name.shown())).unwrap_or_default();
        found.remarks.push(format!(
            "the policy{name} of this application bypasses Access: whoever it lets in needs no login there, but the relay \
             checks every caller"
        ));
    }
    found
}

/// Provider v4 has a list of one block, v5 a table, the API a table.
fn policy(table: &Term) -> Option<Policy> {
    const BEFORE: &str = "cors_headers.";
    let bypass = given(table, "", "options_preflight_bypass").filter(|bypass| bypass.value != Term::Boolean(false));
    let settings = match table.at("cors_headers") {
        Some(Term::List(items)) => items.first(),
        settings => settings,
    };
    let Some(settings) = settings else {
        return bypass.map(|bypass| Policy { bypass: Some(bypass), ..Policy::default() });
    };
    let at = |key: &str| given(settings, BEFORE, key);
    Some(Policy {
        whole: (!matches!(settings, Term::Table(_)))
            .then(|| Given { key: "cors_headers".to_owned(), value: settings.clone() }),
        all_origins: at("allow_all_origins"),
        origins: at("allowed_origins"),
        all_methods: at("allow_all_methods"),
        methods: at("allowed_methods"),
        all_headers: at("allow_all_headers"),
        headers: at("allowed_headers"),
        credentials: at("allow_credentials"),
        max_age: at("max_age"),
        bypass,
        ..Policy::default()
    })
}

/// The application's domain is where the API is: that is why the policy was there.
fn upstream(table: &Term, found: &mut Application) {
    let Some(Given { key, value }) = given(table, "", "domain") else { return };
    match value {
        Term::Text(domain) if domain.contains('*') => {
            let domain = Term::Text(domain).shown();
            found
                .remarks
                .push(format!("the domain {domain} stands for several addresses, so there is no route for it"));
        }
        Term::Text(domain) => {
            others(table, &domain, found);
            found.upstream = Some(Given { key, value: Term::Text(format!("https://{domain}")) });
        }
        value => found.upstream = Some(Given { key, value }),
    }
}

/// An application may cover more addresses than one.
fn others(table: &Term, domain: &str, found: &mut Application) {
    let listed = table.at("self_hosted_domains").map(Term::items).unwrap_or_default().iter();
    let destinations = table.at("destinations").map(Term::items).unwrap_or_default().iter();
    let addresses = listed.chain(destinations.filter_map(|destination| destination.at("uri"))).filter_map(Term::text);
    let others: BTreeSet<&str> = addresses.filter(|address| *address != domain).collect();
    for other in others {
        let other = Term::Text(other.to_owned()).shown();
        found.remarks.push(format!("the application covers {other}, too; write a route for it if it is another API"));
    }
}

/// Paths that Access lets everybody into.
fn open_paths(table: &Term, found: &mut Application) {
    for destination in table.at("destinations").map(Term::items).unwrap_or_default() {
        let of = destination.at("uri").map(|uri| format!(" of {}", uri.shown())).unwrap_or_default();
        let overrides = destination.at("overrides").map(Term::items).unwrap_or_default();
        for each in overrides.iter().filter(|each| each.at("behavior").and_then(Term::text) == Some("public")) {
            let path = each.at("path_pattern").map_or_else(|| "a path".to_owned(), Term::shown);
            found.remarks.push(format!(
                "{path}{of} is open to everybody at Access (destinations.overrides), but the relay checks every caller; \
                 health_path is for monitors"
            ));
        }
    }
}
