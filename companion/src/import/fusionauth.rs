//! FusionAuth's system configuration, as its API has it, and Terraform too.

use crate::import::found::{Application, Given, Policy, given};
use crate::import::term::Term;

/// The configuration in a file: an answer of the API, or a request to it; also one among those of a kickstart file.
///
/// # Errors
/// There is none.
pub fn applications(file: &Term) -> Result<Vec<Application>, String> {
    let requests = file.at("requests").map(Term::items).unwrap_or_default();
    let bodies = requests.iter().filter_map(|request| request.at("body"));
    let of = |body: &Term| {
        let settings =
            body.within(&["systemConfiguration", "corsConfiguration"]).or_else(|| body.at("corsConfiguration"))?;
        Some(configuration("FusionAuth", settings, "corsConfiguration.", &JSON))
    };
    let found: Vec<Application> = std::iter::once(file).chain(bodies).filter_map(of).collect();
    if found.is_empty() {
        return Err("found no systemConfiguration.corsConfiguration; write what GET /api/system-configuration answers"
            .to_owned());
    }
    Ok(found)
}

/// The resource `fusionauth_system_configuration`.
#[must_use]
pub fn resource(values: &Term) -> Application {
    let settings = match values.at("cors_configuration") {
        Some(Term::List(items)) => items.first(),
        settings => settings,
    };
    match settings {
        Some(settings) => configuration("", settings, "cors_configuration.", &TERRAFORM),
        None => Application::default(),
    }
}

/// The names of keys.
struct Keys {
    credentials: &'static str,
    headers: &'static str,
    methods: &'static str,
    origins: &'static str,
    exposed: &'static str,
    max_age: &'static str,
}

const JSON: Keys = Keys {
    credentials: "allowCredentials",
    headers: "allowedHeaders",
    methods: "allowedMethods",
    origins: "allowedOrigins",
    exposed: "exposedHeaders",
    max_age: "preflightMaxAgeInSeconds",
};

const TERRAFORM: Keys = Keys {
    credentials: "allow_credentials",
    headers: "allowed_headers",
    methods: "allowed_methods",
    origins: "allowed_origins",
    exposed: "exposed_headers",
    max_age: "preflight_max_age_in_seconds",
};

fn configuration(name: &str, settings: &Term, before: &str, keys: &Keys) -> Application {
    let mut found = Application { name: name.to_owned(), ..Application::default() };
    let at = |key: &str| given(settings, before, key);
    let whole = (!matches!(settings, Term::Table(_)))
        .then(|| Given { key: before.trim_end_matches('.').to_owned(), value: settings.clone() });
    match at("enabled").map(|Given { value, .. }| (value.boolean(), value.shown())) {
        // What is not in the file may be on or off.
        _ if whole.is_some() => {}
        // FusionAuth: off is the default.
        None | Some((Some(false), _)) => {
            found.remarks.push(format!(
                "{before}enabled is not true: FusionAuth has no CORS policy, so there is none to move; write true there to \
                 import what it says all the same"
            ));
            return found;
        }
        Some((None, shown)) => {
            found.left.push(format!("{before}enabled is {shown}; if it is false, leave [vars.RELAY.cors] out"))
        }
        Some((Some(true), _)) => {}
    }
    found.policy = Some(Policy {
        whole,
        origins: at(keys.origins),
        methods: at(keys.methods),
        headers: at(keys.headers),
        exposed: at(keys.exposed),
        credentials: at(keys.credentials),
        max_age: at(keys.max_age),
        ..Policy::default()
    });
    found.remarks.push(
        "FusionAuth's own /account, /admin, /support and /ajax are closed to other origins; if the API has such paths, name \
         them in excluded_paths"
            .to_owned(),
    );
    found
}
