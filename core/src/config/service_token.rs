//! A route's service token, and whether its secrets can be what Access gave out.

use crate::config::keys::routes::SERVICE_TOKEN;
use crate::config::secrets::{Secrets, names_of};
use crate::config::table::Table;
use crate::rules::route::ServiceToken;
use crate::syntax::field::is_plain_value;
use crate::syntax::redact::looks_secret;

/// What every Client ID ends with, and no Client Secret.
const CLIENT_ID_END: &str = ".access";

/// The service token whose secrets' names begin with `name`.
pub fn service_token(table: &Table, name: String, secrets: &Secrets) -> Option<ServiceToken> {
    let starts_well = name.starts_with(|c: char| c.is_ascii_uppercase());
    let is_name = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    if !starts_well || !name.bytes().all(is_name) || looks_secret(&name) {
        // The value is not shown: the token itself may have been put here.
        let found = format!("a text of {} characters (not shown)", name.chars().count());
        table.error(SERVICE_TOKEN, &found, "write the prefix of the secrets' names in capitals, as in \"CF_ACCESS\"");
        return None;
    }
    let [id_name, secret_name] = names_of(&name);
    let (client_id, client_secret) = (secret(table, &id_name, secrets), secret(table, &secret_name, secrets));
    let (client_id, client_secret) = (client_id?, client_secret?);
    let id_is_secret =
        !client_id.ends_with(CLIENT_ID_END) && (looks_secret(&client_id) || client_id.starts_with("cfast_"));
    let wrong = match (client_id.ends_with(CLIENT_ID_END), client_secret.ends_with(CLIENT_ID_END)) {
        (false, true) => Some((
            &secret_name,
            "a Client ID",
            "swap the two secrets: the Client ID is the one that ends with .access".to_owned(),
        )),
        (true, true) => Some((
            &secret_name,
            "a Client ID",
            format!("run `wrangler secret put {secret_name}` with the Client Secret: the one that Access showed once"),
        )),
        _ if id_is_secret => Some((
            &id_name,
            "a Client Secret (not shown)",
            format!("run `wrangler secret put {id_name}` with the Client ID: the one that ends with .access"),
        )),
        _ => None,
    };
    if let Some((path, found, expected)) = wrong {
        table.report_at(path, found, &expected);
        return None;
    }
    Some(ServiceToken { name, client_id, client_secret })
}

fn secret(table: &Table, name: &str, secrets: &Secrets) -> Option<String> {
    let Some((_, value)) = secrets.iter().find(|(found, value)| found == name && !value.is_empty()) else {
        table.report_at(
            name,
            "no secret of that name",
            &format!("run `wrangler secret put {name}`, or put it in .dev.vars for local development"),
        );
        return None;
    };
    if is_placeholder(name, value) {
        table.report_at(
            name,
            "a placeholder (not shown)",
            "set it to the value that Access showed when the service token was made",
        );
        return None;
    }
    // No value of Access has a quote, but a copied one may; and a copied line may have the header's name.
    let has_more = value.contains([' ', '"', '\'', '`']) || value.to_ascii_lowercase().starts_with("cf-access-client-");
    if !is_plain_value(value) || has_more {
        table.report_at(
            name,
            "a space, a line break or another character that no service token has (value not shown)",
            "set it again, with the value alone",
        );
        return None;
    }
    Some(value.clone())
}

/// Whether a secret was copied from an example, or from a template that nothing filled in.
fn is_placeholder(name: &str, value: &str) -> bool {
    const WITHIN: [&str; 10] = ["<", ">", "...", "…", "***", "${", "{{", "changeme", "change-me", "change_me"];
    const FIRST: [&str; 6] = ["xxx", "your", "replace", "insert", "paste", "placeholder"];
    let lower = value.to_ascii_lowercase();
    let is_word = value == name || lower.strip_suffix(CLIENT_ID_END).unwrap_or(&lower) == "todo";
    is_word || WITHIN.iter().any(|word| lower.contains(word)) || FIRST.iter().any(|word| lower.starts_with(word))
}
