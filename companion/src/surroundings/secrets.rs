//! The secrets and the bindings that `RELAY` needs, against those that the environment has. None of them is inherited.

use std::collections::BTreeSet;

use access_relay_core::config::keys::routes::BINDING;
use access_relay_core::config::secrets::{binding_names, is_client_id, secret_names};
use access_relay_core::syntax::text::quoted;
use serde_json::Value;

use crate::findings::Finding;
use crate::surroundings::around::Around;

/// Secrets that are plain variables: whoever reads the file, or the Worker's settings, has them.
#[must_use]
pub fn plain(around: &Around) -> Vec<Finding> {
    let vars = around.environment.get("vars");
    let names = secret_names(around.relay).into_iter().filter(|name| !is_client_id(name));
    let plain = names.filter(|name| vars.is_some_and(|vars| vars.get(name).is_some()));
    plain
        .map(|name| {
            Finding::new(
                "wrangler::plain_secret",
                format!("{}vars.{name}", around.place),
                "found a secret as a plain variable (not shown)",
                format!("take it out, rotate it, and set the new one with `wrangler secret put {name}`"),
            )
        })
        .collect()
}

/// Secrets that a list of required ones lacks: a deployment would not ask for them.
#[must_use]
pub fn unlisted(around: &Around) -> Vec<Finding> {
    let Some(required) = required(around) else { return Vec::new() };
    let stored = stored(around);
    let names = secret_names(around.relay).into_iter();
    let lacking = names.filter(|name| !required.contains(name.as_str()) && !stored.contains(name.as_str()));
    lacking
        .map(|name| {
            Finding::new(
                "wrangler::secrets_required",
                format!("{}secrets.required", around.place),
                format!("found no {name}, which RELAY needs"),
                format!("add \"{name}\" to the list: wrangler then refuses to deploy without it"),
            )
        })
        .collect()
}

/// Those that no file on this machine has to have: wrangler gets them elsewhere, or asks for them by itself.
#[must_use]
pub fn given_elsewhere<'v>(around: &Around<'v>) -> BTreeSet<&'v str> {
    let vars = around.environment.get("vars").and_then(Value::as_object).into_iter().flatten();
    let vars = vars.map(|(name, _)| name.as_str());
    stored(around).into_iter().chain(required(around).unwrap_or_default()).chain(vars).collect()
}

/// The names that a deployment must have, if the file lists them.
fn required<'v>(around: &Around<'v>) -> Option<BTreeSet<&'v str>> {
    let names = around.environment.get("secrets")?.get("required")?.as_array()?;
    Some(names.iter().filter_map(Value::as_str).collect())
}

/// The names that are bound to a Secrets Store.
fn stored<'v>(around: &Around<'v>) -> BTreeSet<&'v str> {
    bound(around, &["secrets_store_secrets"])
}

/// The names of the bindings in these lists.
fn bound<'v>(around: &Around<'v>, lists: &[&str]) -> BTreeSet<&'v str> {
    let bindings = lists.iter().filter_map(|list| around.environment.get(*list)?.as_array()).flatten();
    bindings.filter_map(|binding| binding.get("binding")?.as_str()).collect()
}

/// Bindings that routes name, and the environment does not have.
#[must_use]
pub fn no_such_binding(around: &Around) -> Vec<Finding> {
    let bound = bound(around, &["services", "vpc_services", "vpc_networks", "mtls_certificates"]);
    let missing = binding_names(around.relay).into_iter().filter(|(_, name)| !bound.contains(name));
    missing
        .map(|(index, name)| {
            let help = format!(
                "add it, as in services = [{{ binding = {}, service = \"my-api\" }}], to the same environment",
                quoted(name)
            );
            let found = format!("found {}, and no binding of that name", quoted(name));
            Finding::new("wrangler::no_such_binding", around.at_route(index, &BINDING), found, help)
        })
        .collect()
}
