//! `cors`: a policy that a browser can act on, or errors. Pure.

use crate::cors::{Allowed, Origins, Policy};
use crate::headers::is_token;
use crate::origin::Origin;

use super::table::Table;
use crate::problem::quoted;

/// What a policy says where it says nothing: half an hour, the default of Access's own settings.
const DEFAULT_MAX_AGE: i64 = 1800;

/// Reads one policy, global or a route's own. Only a route's may list no origin: it then closes the route to those that
/// the global policy allows.
pub(super) fn read(mut table: Table, of_a_route: bool) -> Policy {
    let closes = of_a_route && table.is_empty_list("allowed_origins");
    let credentials = table.boolean("allow_credentials", false);
    let policy = Policy {
        origins: origins(&mut table, credentials),
        methods: methods(&mut table, credentials),
        headers: headers(&mut table, credentials),
        exposed: exposed(&mut table, credentials),
        credentials,
        // Access and others write -1 for "do not keep"; browsers would read it as 5 seconds, and 0 as what is meant.
        max_age: u32::try_from(table.integer("max_age", DEFAULT_MAX_AGE, -1..=86_400, "seconds")).unwrap_or(0),
    };
    if table.strings("excluded_paths", r#"["/api/admin"]"#).is_some_and(|paths| !paths.is_empty()) {
        table.error("excluded_paths", "paths", "leave it out: it has no effect in this version");
    }
    match table.string("preflight", "edge").as_deref() {
        None | Some("edge") => {}
        Some("upstream") => table.error(
            "preflight",
            "\"upstream\"",
            "leave it out: it has no effect in this version, preflights are answered at the edge",
        ),
        Some(other) => table.error("preflight", &quoted(other), "write \"edge\" or \"upstream\""),
    }
    if policy.origins == Origins::Nobody && !closes && !table.has_error_at("allowed_origins") {
        table.error("allowed_origins", "no origin", "name the origins that may call; the relay's own needs no policy");
    }
    table.finish();
    policy
}

fn origins(table: &mut Table, credentials: bool) -> Origins {
    const KEY: &str = "allowed_origins";
    let Some(texts) = table.strings(KEY, r#"["https://admin.example.com"]"#) else { return Origins::Nobody };
    if is_wildcard(table, KEY, &texts, credentials) {
        return Origins::Anybody;
    }
    let mut listed: Vec<String> = Vec::new();
    for (index, text) in texts.into_iter().enumerate() {
        let at = format!("{KEY}[{index}]");
        if text == "*" {
            continue; // is_wildcard has said it
        }
        if text == "null" {
            table.error(&at, "\"null\"", "leave it out: any sandboxed page can send it");
            continue;
        }
        if text.contains('*') {
            table.error(&at, &quoted(&text), "name the origins one by one: patterns have no effect in this version");
            continue;
        }
        match Origin::parse(&text) {
            Err(error) => table.error(&at, &quoted(&text), &error.to_string()),
            Ok(origin) if credentials && origin.scheme() == "http" && !origin.is_loopback() => {
                let expected = "use https: with allow_credentials, whoever sits on the network could act for the user";
                table.error(&at, &quoted(&text), expected);
            }
            Ok(_) => {
                let sorted_place = listed.partition_point(|other| *other < text);
                listed.insert(sorted_place, text);
            }
        }
    }
    if listed.is_empty() {
        return Origins::Nobody;
    }
    Origins::Listed(listed)
}

fn methods(table: &mut Table, credentials: bool) -> Allowed {
    const KEY: &str = "allowed_methods";
    let Some(texts) = table.strings(KEY, r#"["GET", "PUT"]"#) else { return Allowed::default() };
    if is_wildcard(table, KEY, &texts, credentials) {
        return Allowed::All;
    }
    for (index, text) in texts.iter().enumerate() {
        let at = format!("{KEY}[{index}]");
        let upper = text.to_ascii_uppercase();
        if text == "*" {
        } else if !is_token(text) {
            table.error(&at, &quoted(text), "write a method's name, as in \"PUT\"");
        } else if matches!(upper.as_str(), "CONNECT" | "TRACE" | "TRACK") {
            table.error(&at, &quoted(text), "leave it out: browsers never send it");
        } else if *text != upper
            && matches!(upper.as_str(), "DELETE" | "GET" | "HEAD" | "OPTIONS" | "PATCH" | "POST" | "PUT")
        {
            table.error(&at, &quoted(text), &format!("write \"{upper}\": methods are case-sensitive"));
        }
    }
    Allowed::Listed(texts)
}

fn headers(table: &mut Table, credentials: bool) -> Allowed {
    const KEY: &str = "allowed_headers";
    let Some(texts) = table.strings(KEY, r#"["content-type"]"#) else { return Allowed::default() };
    let is = |text: &String, name: &str| text.eq_ignore_ascii_case(name);
    if texts.len() == 2 && texts.iter().any(|text| text == "*") && texts.iter().any(|text| is(text, "authorization")) {
        if credentials {
            table.error(
                KEY,
                "\"*\"",
                "name the headers one by one: with allow_credentials, browsers take \"*\" for a name",
            );
        }
        return Allowed::AllAndAuthorization;
    }
    if is_wildcard(table, KEY, &texts, credentials) {
        return Allowed::All;
    }
    check_header_names(table, KEY, &texts);
    Allowed::Listed(texts.into_iter().map(|text| text.to_ascii_lowercase()).collect())
}

fn exposed(table: &mut Table, credentials: bool) -> Option<String> {
    const KEY: &str = "exposed_headers";
    let texts = table.strings(KEY, r#"["x-total-count"]"#)?;
    if is_wildcard(table, KEY, &texts, credentials) {
        return Some("*".to_owned());
    }
    check_header_names(table, KEY, &texts);
    (!texts.is_empty()).then(|| texts.join(","))
}

fn check_header_names(table: &Table, key: &str, names: &[String]) {
    for (index, name) in names.iter().enumerate() {
        let at = format!("{key}[{index}]");
        if name != "*" && !is_token(name) {
            table.error(&at, &quoted(name), "write a header's name, as in \"content-type\"");
        } else if names.iter().take(index).any(|other| other != name && other.eq_ignore_ascii_case(name)) {
            table.error(
                &at,
                &format!("{} once more", &quoted(name)),
                "leave out the repetition: header names have no case",
            );
        }
    }
}

/// Whether a list is `["*"]`; a `*` that cannot work is an error.
fn is_wildcard(table: &Table, key: &str, texts: &[String], credentials: bool) -> bool {
    if !texts.iter().any(|text| text == "*") {
        return false;
    }
    if texts.len() > 1 {
        table.error(key, "\"*\" among others", "write [\"*\"] alone, or name them all without it");
        return false;
    }
    if credentials {
        let expected = "name them one by one: with allow_credentials, browsers do not take \"*\" for a wildcard";
        table.error(key, "\"*\"", expected);
    }
    true
}
