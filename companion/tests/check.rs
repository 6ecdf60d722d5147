//! `check`: what is found in a wrangler file.

use access_relay_companion::check;
use access_relay_companion::findings::Finding;

use crate::committed;

const SOUND: &str = r#"
[vars.RELAY.access]
issuer = "https://acme.cloudflareaccess.com"
audience = ["4714"]
[[vars.RELAY.routes]]
path = "/api"
upstream = "https://api.example.com"
"#;

/// What is found, a line each.
#[derive(Debug)]
pub struct Lines {
    pub sound: Vec<String>,
    pub warnings: Vec<String>,
    pub mistakes: Vec<String>,
}

pub fn lines_of(name: &str, text: &str) -> Lines {
    let found = check::text(name, text);
    let line = |finding: &Finding| match finding.place.filter(|_| finding.path.is_empty()) {
        Some(place) => format!("line {}, column {}: {finding}", place.line, place.column),
        None => finding.to_string(),
    };
    // The hosts in these tables are examples, of which the check warns. `what_was_left_as_an_example_has_it` has that.
    let lines =
        |findings: &[Finding]| findings.iter().filter(|found| found.code != "wrangler::example").map(line).collect();
    Lines { warnings: lines(&found.warnings), mistakes: lines(&found.mistakes), sound: found.sound }
}

#[test]
fn the_demo_is_sound_and_the_template_says_what_is_left_to_fill_in() {
    let demo = lines_of("wrangler.toml", &committed("demo/wrangler.toml"));
    assert_eq!(
        demo.sound,
        ["[vars.RELAY] is sound: 1 route; it needs the secrets CF_ACCESS_CLIENT_ID, CF_ACCESS_CLIENT_SECRET"]
    );
    assert!(demo.mistakes.is_empty() && demo.warnings.is_empty(), "{demo:?}");

    let template = lines_of("wrangler.toml", &committed("wrangler.toml"));
    let paths: Vec<&str> = template.mistakes.iter().map(|line| line.split(": ").next().unwrap()).collect();
    let left = [
        "vars.RELAY.access.issuer",
        "vars.RELAY.access.audience[0]",
        "vars.RELAY.routes[0].upstream",
        "routes[0].pattern",
        "routes[0].zone_name",
        "routes[1].pattern",
        "routes[1].zone_name",
    ];
    assert_eq!((paths, template.warnings), (left.to_vec(), vec![]), "{:?}", template.mistakes);
}

#[test]
fn every_mistake_is_named_also_those_that_the_worker_cannot_know() {
    let cors =
        "[vars.RELAY.cors]\nallowed_origins = [\"https://*.kobe.jp\"]\nallow_credentials = true\nmax_age = 99999\n";
    let staging = "[env.staging.vars.RELAY]\nlog = \"all\"\n";
    let found = lines_of("wrangler.toml", &format!("{SOUND}{cors}{staging}")).mistakes;
    let expected = [
        "vars.RELAY.cors.max_age: found the number 99999",
        "vars.RELAY.cors.allowed_origins[0]: found \"https://*.kobe.jp\"; name the origins one by one",
        "env.staging.vars.RELAY.access: found nothing",
        "env.staging.vars.RELAY.routes: found no route",
        "env.staging.vars.RELAY.log: found \"all\"",
    ];
    for part in expected {
        assert!(found.iter().any(|line| line.starts_with(part)), "{part} is not in {found:?}");
    }
    assert_eq!(found.len(), expected.len(), "{found:?}");
}

#[test]
fn a_file_that_is_none_says_so() {
    for (name, text, expected) in [
        ("empty.toml", "", "found no [vars.RELAY]"),
        ("broken.toml", "[vars.RELAY\n", "line 1"),
        ("text.toml", "[vars]\nRELAY = \"{\"\n", "no JSON"),
        ("empty.jsonc", "", "found no [vars.RELAY]"),
        ("wrangler.jsonc", "{\n  \"vars\": {\n    \"RELAY\": }\n}", "line 3, column 14: not valid JSON"),
        // TOML under a name of JSON.
        ("wrangler.json", SOUND, "line 2, column 2: not valid JSON"),
        // What wrangler's reader refuses, and other readers of JSON with comments let pass.
        ("quotes.jsonc", "{ 'vars': {} }", "line 1, column 3: not valid JSON"),
        ("comma.jsonc", "{ \"a\": 1 \"b\": 2 }", "line 1, column 9: not valid JSON"),
    ] {
        let found = lines_of(name, text).mistakes;
        assert!(found.len() == 1 && found[0].contains(expected), "{name}: {found:?}");
    }
}

#[test]
fn json_with_comments_is_read_as_wrangler_reads_it() {
    let text = "\u{feff}// A comment\r\n{ \"workers_dev\": false, /* and */ \"preview_urls\": false, \"vars\": { \"RELAY\": {\r\n\
        \"access\": { \"issuer\": \"https://acme.cloudflareaccess.com\", \"audience\": [\"AUD\",] },\r\n\
        \"routes\": [{ \"path\": \"/api\", \"upstream\": \"https://api.example.com\" }], } } }";
    let text = text.replace("\"AUD\"", &format!("\"{AUD}\""));
    for name in ["wrangler.jsonc", "wrangler.json", "C:\\work\\wrangler.JSONC"] {
        let found = lines_of(name, &text);
        assert!(found.mistakes.is_empty() && found.warnings.is_empty() && found.sound.len() == 1, "{name}: {found:?}");
    }
    let mistaken = lines_of("wrangler.jsonc", &text.replace("https://api", "ftp://api")).mistakes;
    assert!(mistaken.len() == 1 && mistaken[0].contains("routes[0].upstream: found \"ftp://api"), "{mistaken:?}");
}

#[test]
fn a_key_that_stands_twice_in_json_is_a_mistake() {
    let table = format!(
        "\"RELAY\": {{ \"access\": {{ \"issuer\": \"https://acme.cloudflareaccess.com\", \"audience\": [\"{AUD}\"] }}, \"routes\": [{{ \"path\": \"/api\", \"upstream\": \"https://api.example.com\" }}] }}"
    );
    let once = format!("{{ \"vars\": {{ {table} }} }}");
    assert!(lines_of("wrangler.jsonc", &once).mistakes.is_empty());
    for (text, path) in [
        (format!("{{ \"vars\": {{}}, \"vars\": {{ {table} }} }}"), "vars"),
        (format!("{{ \"vars\": {{ {table}, {table} }} }}"), "vars.RELAY"),
        (
            once.replace("\"routes\"", "\"access\": { \"dangerously_allow_anyone\": true }, \"routes\""),
            "vars.RELAY.access",
        ),
    ] {
        let found = lines_of("wrangler.jsonc", &text);
        assert!(found.sound.is_empty() && found.mistakes.len() == 1, "{found:?}");
        assert!(
            found.mistakes[0].starts_with(&format!("{path}: found the same key once more; leave one")),
            "{found:?}"
        );
        let place = check::text("wrangler.jsonc", &text).mistakes[0].place;
        assert!(place.is_some_and(|place| place.line == 1 && place.column > 2), "it is marked: {place:?}");
    }
}

#[test]
fn previews_are_an_environment_too() {
    let mistaken = format!("{SHUT}{}{}", relay(""), relay("previews.").replace("issuer", "isuer"));
    let found = lines_of("wrangler.toml", &mistaken);
    assert!(found.mistakes.iter().any(|line| line.starts_with("previews.vars.RELAY.access.isuer: ")), "{found:?}");
    let open = "[previews.vars.RELAY.access]\ndangerously_allow_anyone = true\n[[previews.vars.RELAY.routes]]\npath = \"/api\"\nupstream = \"https://api.example.com\"\n";
    let found = lines_of("wrangler.toml", &format!("{SHUT}{}{open}", relay("")));
    let expected = "previews.vars.RELAY.access.dangerously_allow_anyone: found true";
    assert!(found.mistakes[0].starts_with(expected), "{found:?}");
    assert_eq!(found.sound.len(), 1, "{found:?}");
}

/// They inherit from their environment what it has itself.
#[test]
fn an_environments_own_previews_are_one_too() {
    let [top, staging, previews] = ["", "env.staging.", "env.staging.previews."].map(relay);
    let text = format!(
        "preview_urls = false\nworkers_dev = true\n{top}[env.staging]\nworkers_dev = false\n{staging}{previews}"
    );
    let found = lines_of("wrangler.toml", &text);
    assert_eq!((found.sound.len(), found.mistakes.len()), (3, 0), "{found:?}");
    assert_eq!(found.warnings.len(), 1, "{found:?}");
    assert!(found.warnings[0].starts_with("workers_dev: found true"), "{found:?}");
    let wrong = text.replace(&previews, &previews.replace("https://api", "ftp://api"));
    for name in [None, Some("staging")] {
        let found = check::environment("wrangler.toml", &wrong, name).mistakes;
        let paths: Vec<&str> = found.iter().map(|found| found.path.as_str()).collect();
        assert_eq!(paths, ["env.staging.previews.vars.RELAY.routes[0].upstream"], "{name:?}");
    }
    // Previews without RELAY are not told of: they have no routes.
    let routes = "routes = [\"app.example.org/api*\"]\n";
    let found =
        lines_of("wrangler.toml", &format!("{SHUT}{routes}{top}{staging}[env.staging.previews.vars]\nA = \"b\"\n"));
    assert!(found.mistakes.is_empty() && found.warnings.is_empty(), "{found:?}");
}

#[test]
fn a_file_that_is_too_long_is_not_read() {
    let found = lines_of("wrangler.toml", &"#\n".repeat(600_000)).mistakes;
    assert_eq!(found, ["found 1200000 bytes; write 1048576 at most, of which wrangler needs far less"]);
    // To the byte.
    let longest = "#\n".repeat(1_048_576 / 2);
    for (text, is_read) in [(longest.clone(), true), (longest + "#", false)] {
        let found = check::text("wrangler.toml", &text).mistakes;
        assert_eq!(found.iter().all(|finding| finding.code != "wrangler::too_long"), is_read, "{found:?}");
    }
}

/// Whether nothing is wrong; what is sound; warnings, then mistakes.
pub fn said(text: &str) -> (bool, String, Vec<String>) {
    let Lines { sound, warnings, mistakes } = lines_of("wrangler.toml", text);
    (mistakes.is_empty(), sound.join("\n"), [warnings, mistakes].concat())
}

pub const SHUT: &str = "workers_dev = false\npreview_urls = false\n";
pub const AUD: &str = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";

/// A table for an environment, or for the top level, that nothing is to be said of.
pub fn relay(environment: &str) -> String {
    let access = format!("issuer = \"https://acme.cloudflareaccess.com\"\naudience = [\"{AUD}\"]\n");
    let route = "path = \"/api\"\nupstream = \"https://api.example.com\"\n";
    format!("[{environment}vars.RELAY.access]\n{access}[[{environment}vars.RELAY.routes]]\n{route}")
}

#[test]
fn one_environment_alone() {
    let text = format!("{SHUT}{}{}", relay("").replace("https://api", "ftp://api"), relay("env.staging."));
    let of = |name: Option<&str>| check::environment("wrangler.toml", &text, name);
    assert_eq!((of(None).sound.len(), of(None).mistakes.len()), (1, 1));
    let staging = of(Some("staging"));
    assert!(
        staging.mistakes.is_empty() && staging.sound.len() == 1 && staging.sound[0].starts_with("[env.staging"),
        "{staging:?}"
    );
    let none = of(Some("production")).mistakes;
    assert_eq!(none[0].to_string(), "env: found no \"production\"; name one of staging");
    let none = check::environment("wrangler.toml", &relay(""), Some("x")).mistakes;
    assert_eq!(none[0].to_string(), "env: found no \"x\"; leave --env out: this file has no environments");
}

#[test]
fn a_deeper_route_is_no_protection() {
    let deeper = |keys: &str| {
        format!(
            "{SHUT}{}[[vars.RELAY.routes]]\npath = \"/api/admin\"\nupstream = \"https://api.example.com\"\n{keys}",
            relay("")
        )
    };
    let warns = |key: &str| {
        format!(
            "vars.RELAY.routes[1].path: found \"/api/admin\" with another {key} than /api, which leads to the same API; do not count on it"
        )
    };
    for (text, expected) in [
        (deeper(""), None),
        (deeper("timeout_ms = 5\n"), None),
        (deeper("foreign_requests = \"none\"\n"), Some(warns("foreign_requests"))),
        (
            deeper("cors = { allowed_origins = [\"https://a.example\"], allow_credentials = true }\n"),
            Some(warns("cors")),
        ),
        (deeper("service_token = \"ADMIN\"\n"), Some(warns("credentials"))),
        (deeper("foreign_requests = \"none\"\n").replace("/api/admin", "/admin"), None),
        (
            deeper("foreign_requests = \"none\"\n")
                .replace("admin\"\nupstream = \"https://api", "admin\"\nupstream = \"https://admin"),
            None,
        ),
    ] {
        let (is_sound, _, found) = said(&text);
        assert!(is_sound && found.len() == usize::from(expected.is_some()), "{text}: {found:?}");
        assert!(found.iter().zip(&expected).all(|(line, expected)| line.starts_with(expected)), "{found:?}");
    }
}

/// The findings of one code, a line each.
pub fn told(findings: &[Finding], code: &str) -> Vec<String> {
    findings.iter().filter(|found| found.code == code).map(ToString::to_string).collect()
}

/// What is looked at for every route may not take long for a thousand of them.
#[test]
fn a_thousand_routes_are_read() {
    let route = |number: usize| {
        format!(
            "[[vars.RELAY.routes]]\npath = \"/api/{number}\"\nupstream = \"https://api-{number}.example.com\"\ntimeout_ms = 0\n"
        )
    };
    let text = format!("{SHUT}{}{}", relay(""), (0..1000).map(route).collect::<String>());
    let found = check::text("wrangler.toml", &text);
    assert_eq!(found.mistakes.len(), 1000);
    assert_eq!(check::marked(&found, "wrangler.toml", &text, false).len(), 1001, "of the hosts, one warning");
}
