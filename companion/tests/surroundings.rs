//! `check`: what stands around `RELAY`, and beside the file.

use access_relay_companion::check;
use access_relay_companion::surroundings::local::LocalFile;

use crate::check::{AUD, SHUT, lines_of, relay, said, told};

#[test]
fn what_a_template_has_in_place_of_a_route_is_a_mistake() {
    for (routes, expected) in [
        ("route = \"<page host>/api/*\"\n", &["route: found \"<page host>/api/*\"; write your own value"][..]),
        ("routes = [\"app.example.com/api/*\", \"<page host>/api\"]\n", &["routes[1]: found \"<page host>/api\""]),
        (
            "routes = [{ pattern = \"<page host>\", zone_name = \"<zone>\" }]\n",
            &["routes[0].pattern: ", "routes[0].zone_name: "],
        ),
        ("routes = [{ pattern = \"app.example.com\", custom_domain = true }]\n", &[]),
    ] {
        let found = lines_of("wrangler.toml", &format!("{routes}{SHUT}{}", relay(""))).mistakes;
        assert_eq!(found.len(), expected.len(), "{found:?}");
        assert!(found.iter().zip(expected).all(|(found, expected)| found.starts_with(expected)), "{found:?}");
    }
    let staging = format!("{SHUT}[env.staging]\nroute = \"<page host>\"\n{}", relay("env.staging."));
    assert_eq!(
        lines_of("wrangler.toml", &staging).mistakes,
        ["env.staging.route: found \"<page host>\"; write your own value in place of what stands in angle brackets"]
    );
}

#[test]
fn an_api_in_the_workers_own_zone_and_one_that_is_the_worker() {
    let flag = "compatibility_flags = [\"global_fetch_strictly_public\"]\n";
    let route = |pattern: &str| format!("routes = [{{ pattern = \"{pattern}\", zone_name = \"x\" }}]\n");
    let zone = "compatibility_flags: found no \"global_fetch_strictly_public\", and https://api.example.com in the zone of a route";
    let own = "vars.RELAY.routes: found https://api.example.com as an API, where this Worker has a route";
    #[rustfmt::skip]
    let table: Vec<(String, Option<&str>, Option<&str>)> = vec![
        (route("app.example.com/api*"), Some(zone), None),
        (route("*.example.com/api*"), Some(zone), None),
        (route("https://example.com/api*"), Some(zone), None),
        (format!("{flag}{}", route("app.example.com/api*")), None, None),
        (route("app.example.org/api*"), None, None),
        (route("app.example.com.evil.org/api*"), None, None),
        (format!("{flag}{}", route("api.example.com/api*")), None, Some(own)),
        (format!("{flag}route = \"api.example.com/*\"\n"), None, Some(own)),
        (format!("{flag}{}", route("notapi.example.com/*")), None, None),
        (String::new(), None, None),
    ];
    for (index, (text, warning, mistake)) in table.iter().enumerate() {
        let found = lines_of("wrangler.toml", &format!("{SHUT}{text}{}", relay("")));
        for (lines, expected) in [(&found.warnings, warning), (&found.mistakes, mistake)] {
            assert_eq!(lines.len(), usize::from(expected.is_some()), "{index}: {found:?}");
            assert!(
                lines.iter().zip(expected).all(|(line, expected)| line.starts_with(expected)),
                "{index}: {found:?}"
            );
        }
        assert_eq!(found.sound.is_empty(), mistake.is_some(), "{index}: what is wrong is not called sound: {found:?}");
    }
}

#[test]
fn what_is_bound_is_on_no_network() {
    let bound = |access: &str| {
        format!(
            "{SHUT}routes = [{{ pattern = \"api.example.com/*\", zone_name = \"example.com\" }}]\nservices = [{{ binding = \"API\", service = \"api\" }}]\n[vars.RELAY.access]\n{access}[[vars.RELAY.routes]]\npath = \"/api\"\nupstream = \"http://api.example.com\"\nbinding = \"API\"\ncredentials = \"none\"\n"
        )
    };
    let checked = format!("issuer = \"https://acme.cloudflareaccess.com\"\naudience = [\"{AUD}\"]\n");
    let found = lines_of("wrangler.toml", &bound(&checked));
    assert!(found.mistakes.is_empty() && found.warnings.is_empty(), "{found:?}");
    assert_eq!(found.sound, ["[vars.RELAY] is sound: 1 route"]);
    let (is_sound, _, found) = said(&bound("dangerously_allow_anyone = true\n"));
    assert!(!is_sound && found[0].starts_with("vars.RELAY.access.dangerously_allow_anyone: found true"), "{found:?}");
}

#[test]
fn a_runtime_that_cannot_run_the_relay_is_a_mistake() {
    for (text, expected) in [
        (
            "compatibility_date = \"2024-11-10\"\n",
            Some("compatibility_date: found \"2024-11-10\"; write 2024-11-11 or later"),
        ),
        ("compatibility_date = \"2024-11-11\"\n", None),
        ("compatibility_date = \"2024-01-01\"\ncompatibility_flags = [\"cache_option_enabled\"]\n", None),
        ("", None),
    ] {
        let (is_sound, _, found) = said(&format!("{SHUT}{text}{}", relay("")));
        assert_eq!(is_sound, expected.is_none(), "{found:?}");
        assert!(found.iter().zip(expected).all(|(line, expected)| line.starts_with(expected)), "{found:?}");
    }
}

#[test]
fn files_for_everybody_may_not_be_this_folder() {
    for (text, expected) in [
        (
            "[assets]\nrun_worker_first = true\ndirectory = \".\"\n",
            Some("assets.directory: found the folder of this file"),
        ),
        ("[assets]\nrun_worker_first = true\ndirectory = \"./\"\n", Some("assets.directory: found")),
        ("[assets]\nrun_worker_first = true\ndirectory = \"./public\"\n", None),
        ("[assets]\nbinding = \"ASSETS\"\n", None),
    ] {
        let (is_sound, _, found) = said(&format!("{SHUT}{text}{}", relay("")));
        assert_eq!(is_sound, expected.is_none(), "{found:?}");
        assert!(found.iter().zip(expected).all(|(line, expected)| line.starts_with(expected)), "{found:?}");
    }
    let (is_sound, _, found) = said(&format!("pages_build_output_dir = \".\"\n{}", relay("")));
    assert!(!is_sound && found[0].starts_with("pages_build_output_dir: found"), "{found:?}");
}

#[test]
fn a_pages_project_has_no_such_doors() {
    let found = lines_of("wrangler.toml", &format!("pages_build_output_dir = \"public\"\n{}", relay("")));
    assert!(found.warnings.is_empty() && found.mistakes.is_empty(), "{found:?}");
}

#[test]
fn an_api_that_everybody_would_reach_is_a_mistake_unless_it_is_on_this_machine() {
    let open = |upstreams: &[&str]| {
        let routes: String = upstreams
            .iter()
            .enumerate()
            .map(|(index, url)| format!("[[vars.RELAY.routes]]\npath = \"/api{index}\"\nupstream = \"{url}\"\n"))
            .collect();
        format!("{SHUT}[vars.RELAY.access]\ndangerously_allow_anyone = true\n{routes}")
    };
    let far = "vars.RELAY.access.dangerously_allow_anyone: found true, and an API that is not on this machine (https://api.example.com); write issuer and audience";
    #[rustfmt::skip]
    let table: Vec<(String, Option<&str>)> = vec![
        (open(&["http://localhost:8701"]), None),
        (open(&["http://127.0.0.1:8701", "https://api.example.localhost"]), None),
        (open(&["https://api.example.com"]), Some(far)),
        (open(&["http://127.0.0.1:8701", "https://api.example.com", "https://other.example.com"]), Some(far)),
        (format!("{}{}", relay(""), open(&["https://api.example.com"]).replace("[vars", "[env.staging.vars").replace("[[vars", "[[env.staging.vars").replace(SHUT, "")), Some("env.staging.vars.RELAY.access.dangerously_allow_anyone: found true")),
        // Callers are checked.
        (open(&["https://api.example.com"]).replace("dangerously_allow_anyone = true", &format!("dangerously_allow_anyone = false\nissuer = \"https://acme.cloudflareaccess.com\"\naudience = [\"{AUD}\"]")), None),
    ];
    for (index, (text, expected)) in table.iter().enumerate() {
        let (is_sound, _, found) = said(text);
        assert_eq!(is_sound, expected.is_none(), "{index}: {found:?}");
        let told: Vec<&String> = found.iter().filter(|line| line.contains("allow_anyone")).collect();
        assert_eq!(told.len(), usize::from(expected.is_some()), "{index}: {found:?}");
        assert!(told.iter().zip(expected).all(|(line, expected)| line.starts_with(expected)), "{index}: {found:?}");
    }
}

/// Where Access protects the Worker itself, no door leads past it; but in a Worker with static assets the runtime does not say so.
#[test]
fn the_runtimes_word_needs_a_worker_to_which_it_is_told() {
    let by = |access: &str, around: &str| {
        format!(
            "{around}\n[vars.RELAY.access]\n{access}\n[[vars.RELAY.routes]]\npath = \"/api\"\nupstream = \"https://api.example.com\"\n"
        )
    };
    let tokens = format!("issuer = \"https://acme.cloudflareaccess.com\"\naudience = [\"{AUD}\"]");
    let both = format!("platform = true\n{tokens}");
    let assets = "assets = { directory = \"public\", run_worker_first = [\"/api/*\"] }";
    let silent = |key: &str| format!("vars.RELAY.access.platform: found true beside {key}; add issuer and audience");
    for (text, expected) in [
        (by("platform = true", ""), vec![]),
        // Where a token opens as well, it may be a hostname application's.
        (by(&both, ""), vec!["workers_dev: found nothing".to_owned(), "preview_urls: found nothing".to_owned()]),
        (by("platform = true", assets), vec![silent("assets")]),
        (by("platform = true", "pages_build_output_dir = \"dist\""), vec![silent("pages_build_output_dir")]),
        (by(&both, &format!("{SHUT}{assets}")), vec![]),
        (
            by("platform = false", &format!("{SHUT}{assets}")),
            vec!["vars.RELAY.access.issuer: found nothing".to_owned()],
        ),
        // Doors past the route are doors past a hostname application.
        (by(&tokens, ""), vec!["workers_dev: found nothing".to_owned(), "preview_urls: found nothing".to_owned()]),
    ] {
        let (_, _, found) = said(&text);
        let told: Vec<bool> = found.iter().zip(&expected).map(|(line, start)| line.starts_with(start)).collect();
        assert!(found.len() >= expected.len() && told.into_iter().all(|told| told), "{text}\n{found:?}");
        assert!(!expected.is_empty() || found.is_empty(), "{text}\n{found:?}");
    }
}

#[test]
fn what_looks_wrong_is_a_warning_and_no_more() {
    let routes = "routes = [\"app.example.org/api*\"]\n";
    let route = "route = \"app.example.org/api*\"\n";
    let top = relay("");
    let staging = relay("env.staging.");
    #[rustfmt::skip]
    let table: Vec<(String, &[&str])> = vec![
        (format!("{SHUT}{top}"), &[]),
        (top.clone(), &["workers_dev: found nothing, which means true where there is no route; write workers_dev = false", "preview_urls: found nothing, so that Cloudflare's default decides; write preview_urls = false"]),
        (format!("routes = []\n{top}"), &["workers_dev: found nothing", "preview_urls: found nothing"]),
        (format!("{routes}{top}"), &["preview_urls: found nothing"]),
        (format!("{route}preview_urls = false\n{top}"), &[]),
        (format!("workers_dev = true\npreview_urls = true\n{routes}{top}"), &["workers_dev: found true; write workers_dev = false", "preview_urls: found true; write"]),
        // An environment inherits all of these, and may say otherwise.
        (format!("{SHUT}{top}{staging}"), &[]),
        (format!("{SHUT}{top}[env.staging]\nworkers_dev = true\n{staging}"), &["env.staging.workers_dev: found true"]),
        (format!("{routes}workers_dev = true\npreview_urls = false\n[env.staging]\nworkers_dev = false\n{staging}"), &[]),
        (format!("{routes}preview_urls = false\n[env.staging]\nroutes = []\n{staging}"), &["env.staging.workers_dev: found nothing"]),
        (format!("{routes}preview_urls = false\n[env.staging]\n{staging}"), &[]),
        // What two of them inherit is told once.
        (format!("workers_dev = true\npreview_urls = false\n{top}{staging}"), &["workers_dev: found true"]),
        // An environment without a table is no relay.
        (format!("{SHUT}{top}[env.other]\nworkers_dev = true\n"), &[]),
        // What the Worker warns of, too.
        (format!("{SHUT}{}", top.replace("acme.cloudflareaccess.com", "login.example.com")), &["vars.RELAY.access.issuer: found \"https://login.example.com\"; tokens of Access come"]),
        (format!("{SHUT}{}", top.replace(AUD, "4714")), &["vars.RELAY.access.audience[0]: found a text of 4 characters (not shown)"]),
        (format!("{SHUT}{staging}[env.staging.vars.RELAY.cors]\nallowed_origins = [\"https://a.example\"]\n"), &["env.staging.vars.RELAY.cors.allow_credentials: found false"]),
    ];
    for (index, (text, expected)) in table.iter().enumerate() {
        let (is_sound, sound, found) = said(text);
        assert!(is_sound && sound.contains("is sound"), "{index}: {found:?} {sound}");
        assert_eq!(found.len(), expected.len(), "{index}: {found:?}");
        assert!(found.iter().zip(*expected).all(|(found, expected)| found.starts_with(expected)), "{index}: {found:?}");
    }
}

#[test]
fn a_cache_in_front_of_the_worker_is_a_mistake_where_callers_are_checked() {
    let open = "[vars.RELAY.access]\ndangerously_allow_anyone = true\n[[vars.RELAY.routes]]\npath = \"/api\"\nupstream = \"http://localhost:8701\"\n";
    let (on, off) = ("[cache]\nenabled = true\n", "[cache]\nenabled = false\n");
    let (top, staging) = (relay(""), relay("env.staging."));
    let as_text = format!(
        "[vars]\nRELAY = '{{\"access\":{{\"issuer\":\"https://acme.cloudflareaccess.com\",\"audience\":[\"{AUD}\"]}},\"routes\":[{{\"path\":\"/api\",\"upstream\":\"https://api.example.com\"}}]}}'\n"
    );
    #[rustfmt::skip]
    let table: Vec<(String, Option<&str>)> = vec![
        (format!("{on}{top}"), Some("cache.enabled: found true where callers are checked; write false")),
        (format!("{on}{as_text}"), Some("cache.enabled: found true")),
        (format!("{off}{top}"), None),
        (format!("{on}{open}"), None),
        // An environment inherits it, or has its own.
        (format!("{on}{staging}"), Some("cache.enabled: found true")),
        (format!("{on}{top}{staging}"), Some("cache.enabled: found true")),
        (format!("{on}[env.staging.cache]\nenabled = false\n{staging}"), None),
        (format!("{off}{top}[env.staging.cache]\nenabled = true\n{staging}"), Some("env.staging.cache.enabled: found true")),
        // The same switch elsewhere.
        (format!("[exports.default]\ntype = \"worker\"\ncache = {{ enabled = true }}\n{top}"), Some("exports.default.cache.enabled: found true")),
        (format!("[previews.cache]\nenabled = true\n{top}"), Some("previews.cache.enabled: found true")),
        // Even where the table is wrong otherwise.
        (format!("{on}{}", top.replace("https://api", "ftp://api")), Some("cache.enabled: found true")),
    ];
    for (index, (text, expected)) in table.iter().enumerate() {
        let (is_sound, _, found) = said(&format!("{SHUT}{text}"));
        assert_eq!(is_sound, expected.is_none(), "{index}: {found:?}");
        let told: Vec<&String> = found.iter().filter(|line| line.contains("cache")).collect();
        assert_eq!(told.len(), usize::from(expected.is_some()), "{index}: {found:?}");
        assert!(told.iter().zip(expected).all(|(line, expected)| line.contains(expected)), "{index}: {found:?}");
    }
}

#[test]
fn an_environment_inherits_routes_and_no_vars() {
    let routes = "routes = [{ pattern = \"app.example.com/api/*\", zone_name = \"example.com\" }, { pattern = \"app.example.com/api\", zone_name = \"example.com\" }]\ncompatibility_flags = [\"global_fetch_strictly_public\"]\n";
    let lost = "env.staging: found routes, and no vars.RELAY; write [env.staging.vars.RELAY]";
    let top = format!("{SHUT}{routes}{}", relay(""));
    for (text, expected) in [
        (format!("{top}[env.staging]\nname = \"x\"\n"), Some(lost)),
        (format!("{top}[env.staging.vars]\nOTHER = \"x\"\n"), Some(lost)),
        (format!("{top}{}", relay("env.staging.")), None),
        // Another Worker; no routes at all; a file without the relay.
        (format!("{top}[env.staging]\nmain = \"other.js\"\n"), None),
        (format!("{top}[env.staging]\nroutes = []\n"), None),
        (format!("{SHUT}{}[env.staging]\nname = \"x\"\n", relay("")), None),
        (format!("{SHUT}[env.staging]\nroute = \"a.example/*\"\n{}", relay("env.production.")), None),
    ] {
        let (is_sound, _, found) = said(&text);
        assert_eq!(is_sound, expected.is_none(), "{text}\n{found:?}");
        assert!(found.iter().zip(expected).all(|(line, expected)| line.starts_with(expected)), "{found:?}");
    }
}

#[test]
fn patterns_and_paths_must_meet() {
    let never = |path: &str| {
        format!("vars.RELAY.routes[0].path: found \"{path}\", to which no route of the Worker leads; add a route")
    };
    let missed = |path: &str, route: &str| {
        format!(
            "vars.RELAY.routes[0].path: found \"{path}\", which the route \"{route}\" does not match; add the route"
        )
    };
    for (patterns, path, expected) in [
        (&["app.example.org/api/*", "app.example.org/api"][..], "/api", None),
        (&["app.example.org/api*"], "/api", None),
        (&["app.example.org/*"], "/api", None),
        (&["*/*"], "/api", None),
        (&["https://app.example.org/api/*", "https://app.example.org/api"], "/api", None),
        (&["app.example.org/*"], "/", None),
        (&["app.example.org/api/*"], "/api", Some(missed("/api", "app.example.org/api/*"))),
        (&["app.example.org/api/*", "other.example.org/api"], "/api", Some(missed("/api", "app.example.org/api/*"))),
        (&["app.example.org/api/v1/*"], "/api", Some(missed("/api", "app.example.org/api/v1/*"))),
        (&["app.example.org/backend/*"], "/api", Some(never("/api"))),
        (&["app.example.org/apiary/*"], "/api", Some(never("/api"))),
        (&["app.example.org"], "/api", Some(never("/api"))),
        // Nothing can be said of these.
        (&[], "/api", None),
        (&["<page host>/x"], "/api", None),
    ] {
        let list: Vec<String> = patterns
            .iter()
            .map(|pattern| format!("{{ pattern = \"{pattern}\", zone_name = \"example.org\" }}"))
            .collect();
        let routes = if list.is_empty() { String::new() } else { format!("routes = [{}]\n", list.join(", ")) };
        let (_, _, found) = said(&format!("{SHUT}{routes}{}", relay("").replace("\"/api\"", &format!("\"{path}\""))));
        let found: Vec<&String> = found.iter().filter(|line| line.contains(".path: ")).collect();
        assert_eq!(found.len(), usize::from(expected.is_some()), "{patterns:?}: {found:?}");
        assert!(
            found.iter().zip(&expected).all(|(line, expected)| line.starts_with(expected)),
            "{patterns:?}: {found:?}"
        );
    }
    let domain = "routes = [{ pattern = \"app.example.org\", custom_domain = true }]\n";
    assert_eq!(said(&format!("{SHUT}{domain}{}", relay(""))).2, [""; 0]);
}

#[test]
fn assets_come_before_the_relay_unless_they_must_not() {
    let late =
        "assets.run_worker_first: found assets that come before /api; write run_worker_first = [\"/api\", \"/api/*\"]";
    for (assets, expected) in [
        ("directory = \"public\"", Some(late)),
        ("directory = \"public\", run_worker_first = false", Some(late)),
        ("directory = \"public\", run_worker_first = [\"/backend/*\", \"!/api/*\"]", Some(late)),
        ("directory = \"public\", run_worker_first = true", None),
        ("directory = \"public\", run_worker_first = [\"/api\", \"/api/*\"]", None),
        ("directory = \"public\", run_worker_first = [\"/*\"]", None),
        // Cloudflare's plugin for Vite knows the folder.
        ("binding = \"ASSETS\"", Some(late)),
        ("binding = \"ASSETS\", run_worker_first = [\"/api\", \"/api/*\"]", None),
    ] {
        let (is_sound, _, found) = said(&format!("{SHUT}assets = {{ {assets} }}\n{}", relay("")));
        assert!(is_sound && found.len() == usize::from(expected.is_some()), "{assets}: {found:?}");
        assert!(found.iter().zip(expected).all(|(line, expected)| line.starts_with(expected)), "{found:?}");
    }
}

#[test]
fn a_binding_that_a_route_names_stands_in_the_same_environment() {
    let route = |place: &str| relay(place).replace("upstream =", "binding = \"API\"\nupstream =");
    let none = |place: &str| {
        format!("{place}vars.RELAY.routes[0].binding: found \"API\", and no binding of that name; add it")
    };
    let services = "services = [{ binding = \"API\", service = \"api\" }]\n";
    for (text, expected) in [
        (format!("{SHUT}{services}{}", route("")), None),
        (format!("{SHUT}vpc_services = [{{ binding = \"API\", service_id = \"x\" }}]\n{}", route("")), None),
        (format!("{SHUT}mtls_certificates = [{{ binding = \"API\", certificate_id = \"x\" }}]\n{}", route("")), None),
        (format!("{SHUT}{}", route("")), Some(none(""))),
        (format!("{SHUT}kv_namespaces = [{{ binding = \"API\", id = \"x\" }}]\n{}", route("")), Some(none(""))),
        // It is not inherited.
        (format!("{SHUT}{services}{}{}", route(""), route("env.staging.")), Some(none("env.staging."))),
    ] {
        let (is_sound, _, found) = said(&text);
        assert_eq!(is_sound, expected.is_none(), "{text}\n{found:?}");
        assert!(found.iter().zip(&expected).all(|(line, expected)| line.starts_with(expected)), "{found:?}");
    }
}

#[test]
fn a_list_of_required_secrets_has_those_that_relay_needs() {
    let lacks =
        |name: &str| format!("secrets.required: found no {name}, which RELAY needs; add \"{name}\" to the list");
    let [id, secret] = ["CF_ACCESS_CLIENT_ID", "CF_ACCESS_CLIENT_SECRET"];
    for (text, expected) in [
        (String::new(), vec![]),
        (format!("secrets = {{ required = [\"{id}\", \"{secret}\", \"OTHER\"] }}\n"), vec![]),
        (format!("secrets = {{ required = [\"{secret}\"] }}\n"), vec![lacks(id)]),
        ("secrets = { required = [] }\n".to_owned(), vec![lacks(id), lacks(secret)]),
        (
            format!(
                "secrets = {{ required = [] }}\nsecrets_store_secrets = [{{ binding = \"{id}\", store_id = \"x\", secret_name = \"y\" }}]\n"
            ),
            vec![lacks(secret)],
        ),
        // An environment has a list of its own, or none.
        (format!("secrets = {{ required = [] }}\n{}", relay("env.staging.")), vec![lacks(id), lacks(secret)]),
        (
            format!("[env.staging.secrets]\nrequired = [\"{id}\"]\n{}", relay("env.staging.")),
            vec![format!("env.staging.{}", lacks(secret))],
        ),
    ] {
        let (is_sound, _, found) = said(&format!("{SHUT}{text}{}", relay("")));
        assert!(is_sound && found.len() == expected.len(), "{text}: {found:?}");
        assert!(found.iter().zip(&expected).all(|(line, expected)| line.starts_with(expected)), "{found:?}");
    }
}

#[test]
fn what_was_left_as_an_example_has_it() {
    let help = "write your own: nobody has an example's name, so it leads nowhere";
    // One that nobody could take for an example's.
    let own = |text: &str| {
        text.replace("api.example.com", "api.acme.internal")
            .replace("acme.cloudflareaccess.com", "mine.cloudflareaccess.com")
            .replace(AUD, &"ab".repeat(32))
    };
    let (api, tag, issuer) =
        ("vars.RELAY.routes[0].upstream", "vars.RELAY.access.audience[0]", "vars.RELAY.access.issuer");
    let sound = own(&relay(""));
    let cors = |at: &str, origin: &str| {
        format!(
            "{sound}[vars.RELAY.{at}cors]\nallowed_origins = [\"https://app.acme.internal\", \"{origin}\"]\nallow_credentials = true\n"
        )
    };
    let many = |number: usize| {
        format!("[[vars.RELAY.routes]]\npath = \"/{number}\"\nupstream = \"https://{number}.example.net\"\n")
    };
    #[rustfmt::skip]
    let table: Vec<(String, Option<String>)> = vec![
        (sound.clone(), None),
        // A team may have this name.
        (sound.replace("mine.cloudflareaccess", "acme.cloudflareaccess"), None),
        (relay(""), Some(format!("{issuer}: found \"https://acme.cloudflareaccess.com\", an example's; others at {tag}, {api}; {help}"))),
        (sound.replace(&"ab".repeat(32), AUD), Some(format!("{tag}: found the AUD tag, an example's; {help}"))),
        (format!("route = \"app.example.com/*\"\n{sound}"), Some(format!("route: found \"app.example.com/*\", an example's; {help}"))),
        (format!("routes = [\"app.acme.internal/*\", {{ pattern = \"*.EXAMPLE.org/*\", zone_name = \"example.org\" }}]\n{sound}"), Some(format!("routes[1].pattern: found \"*.EXAMPLE.org/*\", an example's; {help}"))),
        (cors("", "https://*.example.net:*"), Some(format!("vars.RELAY.cors.allowed_origins[1]: found \"https://*.example.net:*\", an example's; {help}"))),
        (cors("routes.", "http://x.test"), Some(format!("vars.RELAY.routes[0].cors.allowed_origins[1]: found \"http://x.test\", an example's; {help}"))),
        (cors("", "http://localhost:5173"), None),
        (cors("", "http://app.localhost:5173"), None),
        (cors("", "https://myexample.com"), None),
        (cors("", "https://example.com.acme.internal"), None),
        (cors("", "https://example.de"), None),
        (sound.replace("api.acme.internal", "api.invalid"), Some(format!("{api}: found \"https://api.invalid\", an example's; {help}"))),
        // Nothing of this is meant to be deployed.
        (cors("", "https://app.example.com").replace("https://api.acme.internal", "http://localhost:3000"), None),
        // A template's own placeholder is a mistake already.
        (format!("route = \"<page host>/*\"\n{sound}"), None),
        (format!("{sound}{}", (0..13).map(many).collect::<String>()), Some(format!("vars.RELAY.routes[1].upstream: found \"https://0.example.net\", an example's; others at {} and 2 more; {help}", (2..12).map(|at| format!("vars.RELAY.routes[{at}].upstream")).collect::<Vec<_>>().join(", ")))),
        (own(&relay("env.staging.")).replace("api.acme.internal", "api.example"), Some(format!("env.staging.{api}: found \"https://api.example\", an example's; {help}"))),
    ];
    for (index, (text, expected)) in table.iter().enumerate() {
        let found = check::text(
            "wrangler.toml",
            &format!("{SHUT}compatibility_flags = [\"global_fetch_strictly_public\"]\n{text}"),
        );
        let expected: Vec<String> = expected.iter().cloned().collect();
        assert_eq!(told(&found.warnings, "wrangler::example"), expected, "{index}: {found:?}");
    }
}

/// A file beside the wrangler file, with these names, and these of them as an example has them.
fn local(file: &str, names: &[&str], unfilled: &[&str]) -> LocalFile {
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    LocalFile { file: file.to_owned(), names: texts(names), unfilled: texts(unfilled) }
}

#[test]
fn the_secrets_on_this_machine_are_those_that_wrangler_dev_would_read() {
    let [id, secret] = ["CF_ACCESS_CLIENT_ID", "CF_ACCESS_CLIENT_SECRET"];
    let both = [id, secret];
    let lacks = |place: &str, names: &str, file: &str| {
        format!(
            "{place}vars.RELAY: found no {names} in {file}; write each of them there: without it, `wrangler dev` serves nothing"
        )
    };
    let unfilled = |place: &str, names: &str, file: &str| {
        format!(
            "{place}vars.RELAY: found {names} in {file} as an example has it; write the service token's own value there: the relay refuses what stands in angle brackets"
        )
    };
    let (top, staging, previews) = (relay(""), relay("env.staging."), relay("previews."));
    let stored =
        format!("secrets_store_secrets = [{{ binding = \"{secret}\", store_id = \"x\", secret_name = \"y\" }}]\n{top}");
    let required = format!("secrets = {{ required = [\"{id}\", \"{secret}\"] }}\n{top}");
    let billing = top.replace("upstream =", "service_token = \"BILLING\"\nupstream =");
    let bound = format!(
        "services = [{{ binding = \"API\", service = \"api\" }}]\n{}",
        top.replace("upstream =", "binding = \"API\"\ncredentials = \"none\"\nupstream =")
    );
    #[rustfmt::skip]
    let table: Vec<(&str, Vec<LocalFile>, Vec<String>)> = vec![
        (&top, vec![], vec![]),
        (&top, vec![local(".dev.vars", &both, &[])], vec![]),
        (&top, vec![local(".dev.vars", &["OTHER"], &[])], vec![lacks("", &both.join(", "), ".dev.vars")]),
        (&top, vec![local(".dev.vars", &[id], &[])], vec![lacks("", secret, ".dev.vars")]),
        (&top, vec![local(".dev.vars", &both, &[secret])], vec![unfilled("", secret, ".dev.vars")]),
        (&top, vec![local(".dev.vars", &[id], &[id])], vec![lacks("", secret, ".dev.vars"), unfilled("", id, ".dev.vars")]),
        // What RELAY does not need may say what it likes.
        (&top, vec![local(".dev.vars", &[id, secret, "OTHER"], &["OTHER"])], vec![]),
        // A RELAY in the file may need others.
        (&top, vec![local(".dev.vars", &["RELAY"], &[])], vec![]),
        // Given elsewhere.
        (&stored, vec![local(".dev.vars", &[id], &[])], vec![]),
        (&required, vec![local(".dev.vars", &["OTHER"], &[])], vec![]),
        (&bound, vec![local(".dev.vars", &["OTHER"], &[])], vec![]),
        (&billing, vec![local(".dev.vars", &both, &[])], vec![lacks("", "BILLING_CLIENT_ID, BILLING_CLIENT_SECRET", ".dev.vars")]),
        // Others than the one of this environment are not read.
        (&top, vec![local(".dev.vars.staging", &["OTHER"], &[]), local(".dev.vars.example", &both, &both)], vec![]),
        (&staging, vec![local(".dev.vars", &["OTHER"], &[]), local(".dev.vars.staging", &both, &[])], vec![]),
        (&staging, vec![local(".dev.vars", &both, &[]), local(".dev.vars.staging", &[id], &[])], vec![lacks("env.staging.", secret, ".dev.vars.staging")]),
        (&staging, vec![local(".dev.vars", &[id], &[])], vec![lacks("env.staging.", secret, ".dev.vars")]),
        // Previews run at Cloudflare.
        (&previews, vec![local(".dev.vars", &["OTHER"], &[])], vec![]),
        // An .env is read where there is no .dev.vars. It is other programs' as well.
        (&top, vec![local(".dev.vars", &both, &[]), local(".env", &[id], &[id])], vec![]),
        (&top, vec![local(".env", &["OTHER"], &[])], vec![]),
        (&top, vec![local(".env", &[id], &[])], vec![lacks("", secret, ".env")]),
        (&top, vec![local(".env", &[id], &[]), local(".env.local", &[secret], &[secret])], vec![unfilled("", secret, ".env and .env.local")]),
        (&top, vec![local(".env", &both, &[id]), local(".env.local", &[id], &[])], vec![]),
        (&top, vec![local(".env.staging", &[id], &[])], vec![]),
        (&staging, vec![local(".env", &[id], &[id]), local(".env.staging.local", &both, &[])], vec![]),
        (&staging, vec![local(".env.staging", &[id], &[])], vec![lacks("env.staging.", secret, ".env.staging")]),
    ];
    for (index, (text, beside, expected)) in table.iter().enumerate() {
        let found = check::among_files("wrangler.toml", &format!("{SHUT}{text}"), None, beside);
        let lines =
            [told(&found.warnings, "wrangler::local_secret"), told(&found.warnings, "wrangler::local_placeholder")];
        assert_eq!(lines.concat(), *expected, "{index}: {found:?}");
        assert!(found.mistakes.is_empty() && found.sound.len() == 1, "{index}: {found:?}");
    }
}
