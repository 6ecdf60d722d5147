//! Terraform: what `terraform show -json` prints of a state or a plan, and resources in whatever form.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::import::found::Application;
use crate::import::term::Term;
use crate::import::{access, fusionauth};

/// Whether a resource of this type can have a policy.
#[must_use]
pub fn has_policy(kind: &str) -> bool {
    is_access(kind) || kind == FUSIONAUTH
}

const FUSIONAUTH: &str = "fusionauth_system_configuration";

/// Provider v3 and early v4, later v4 and v5.
fn is_access(kind: &str) -> bool {
    matches!(kind, "cloudflare_access_application" | "cloudflare_zero_trust_access_application")
}

/// A resource's application.
#[must_use]
pub fn application(kind: &str, address: &str, values: &Term) -> Application {
    let mut found = if is_access(kind) { access::application(values) } else { fusionauth::resource(values) };
    if found.name.is_empty() {
        address.clone_into(&mut found.name);
    }
    if found.name != address {
        found.others.push(address.to_owned());
    }
    found
}

/// The applications in what `terraform show -json` printed.
///
/// # Errors
/// It is a state file as Terraform keeps it, whose form is Terraform's own.
pub fn applications(file: &Value) -> Result<Vec<Application>, String> {
    if is_state_file(file) {
        return Err(
            "found a state file as Terraform keeps it; write what `terraform show -json` prints: its form is the one \
                    that Terraform documents"
                .to_owned(),
        );
    }
    let unknown = marks_of(file);
    let mut found = Vec::new();
    for part in ["values", "planned_values"] {
        if let Some(module) = file.get(part).and_then(|values| values.get("root_module")) {
            module_resources(module, &unknown, &mut found);
        }
    }
    Ok(found)
}

/// Whether it is `terraform.tfstate`.
#[must_use]
pub fn is_state_file(file: &Value) -> bool {
    file.get("terraform_version").is_some() && file.get("resources").is_some_and(Value::is_array)
}

fn module_resources(module: &Value, unknown: &BTreeMap<&str, &Value>, found: &mut Vec<Application>) {
    let list = |key: &str| module.get(key).and_then(Value::as_array).into_iter().flatten();
    for resource in list("resources") {
        let text = |key: &str| resource.get(key).and_then(Value::as_str).unwrap_or_default();
        let (kind, address) = (text("type"), text("address"));
        // Whoever cuts such a file down may leave out what the address says, too.
        let kind =
            if kind.is_empty() { address.split('.').find(|part| has_policy(part)).unwrap_or_default() } else { kind };
        let Some(values) = resource.get("values").filter(|_| has_policy(kind)) else { continue };
        let mut values = Term::from(values);
        if let Some(marks) = resource.get("sensitive_values") {
            values = values.marked(marks, "a value that Terraform marks as sensitive");
        }
        if let Some(marks) = unknown.get(address) {
            values = values.marked(marks, "a value that Terraform knows only after it is applied");
        }
        found.push(application(kind, address, &values));
    }
    for child in list("child_modules") {
        module_resources(child, unknown, found);
    }
}

/// What a plan does not know yet, by the address of the resource. `planned_values` just leaves it out.
fn marks_of(file: &Value) -> BTreeMap<&str, &Value> {
    let changes = file.get("resource_changes").and_then(Value::as_array).into_iter().flatten();
    changes
        .filter_map(|change| Some((change.get("address")?.as_str()?, change.get("change")?.get("after_unknown")?)))
        .collect()
}
