//! A project's wrangler file.

use access_relay_companion::check;
use access_relay_companion::document::Language;
use access_relay_companion::forms::{Folder, Form};
use access_relay_companion::project::{
    Known, Values, by_hand, check_name, check_path, relay_alone, warnings, worker_name, wrangler_file,
};
use access_relay_companion::wrangler;
use serde_json::json;

const AUD: &str = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";
const LANGUAGES: [(&str, Language); 2] = [("wrangler.toml", Language::Toml), ("wrangler.jsonc", Language::Jsonc)];

fn known() -> Known {
    let text = |text: &str| Some(text.to_owned());
    Known {
        name: text("app"),
        host: text("app.example.com"),
        zone: text("example.com"),
        upstream: text("https://api.example.com/v1"),
        issuer: text("https://acme.cloudflareaccess.com"),
        audience: text(AUD),
        ..Known::default()
    }
}

#[test]
fn what_is_known_makes_a_file_that_is_sound() {
    for (name, language) in LANGUAGES {
        for (form_name, form) in Form::ALL {
            let (text, unfinished) = wrangler_file(form, language, &Values::of(known()));
            assert!(!unfinished && !text.contains('<'), "{text}");
            let found = check::text(name, &text);
            // Nothing is left to say but that these are examples.
            let codes: Vec<&str> = found.warnings.iter().map(|found| found.code.as_str()).collect();
            assert!(found.mistakes.is_empty() && codes == ["wrangler::example"], "{form_name}: {found:?}\n{text}");
        }
    }
}

#[test]
fn what_is_not_known_is_refused_until_it_is_filled_in() {
    for (name, language) in LANGUAGES {
        for (form_name, form) in Form::ALL {
            let (text, unfinished) = wrangler_file(form, language, &Values::of(Known::default()));
            let found = check::text(name, &text).mistakes.iter().map(|found| format!("{found}\n")).collect::<String>();
            assert!(unfinished && text.contains("Fill in the values in angle brackets."), "{form_name}: {text}");
            let routes: &[&str] = match form {
                Form::Route => {
                    &["routes[0].pattern: ", "routes[0].zone_name: ", "routes[1].pattern: ", "routes[1].zone_name: "]
                }
                Form::Pages => &[],
                _ => &["routes[0].pattern: "],
            };
            for path in ["access.issuer: ", "access.audience[0]: ", "routes[0].upstream: "].iter().chain(routes) {
                assert!(found.contains(path), "{form_name}: {path} is not in {found}");
            }
            assert_eq!(found.matches("angle brackets").count(), 2 + routes.len(), "{form_name}: {found}");
        }
    }
}

#[test]
fn where_the_worker_runs() {
    let read = |form, known: Known| {
        let (text, _) = wrangler_file(form, Language::Toml, &Values::of(known));
        wrangler::read("wrangler.toml", &text).unwrap()
    };
    let own = json!([{ "pattern": "app.example.com", "custom_domain": true }]);
    let below = |path: &str| json!({ "pattern": format!("app.example.com{path}"), "zone_name": "example.com" });
    let at = |path: &str| Known { path: Some(path.to_owned()), ..known() };
    assert_eq!(read(Form::Route, known())["routes"], json!([below("/api"), below("/api/*")]));
    assert_eq!(read(Form::Route, at("/"))["routes"], json!([below("/*")]));
    for form in [Form::Assets, Form::Vite, Form::Wrap] {
        assert_eq!(read(form, known())["routes"], own);
    }
    for form in [Form::Assets, Form::Vite] {
        assert_eq!(read(form, known())["assets"]["run_worker_first"], json!(["/api", "/api/*"]));
        assert_eq!(read(form, at("/x/y"))["assets"]["run_worker_first"], json!(["/x/y", "/x/y/*"]));
    }
    // No route on this machine, nor in a Pages project.
    let here = || Known { loopback: true, ..known() };
    assert_eq!(read(Form::Route, here()).get("routes"), None);
    assert_eq!(read(Form::Pages, known()).get("routes"), None);
    assert_eq!(warnings(Form::Route, &Values::of(here())).len(), 1);
    assert!(warnings(Form::Pages, &Values::of(here())).is_empty());
}

#[test]
fn a_host_of_cloudflares_own_can_have_no_route() {
    let at = |host: &str| Values::of(Known { host: Some(host.to_owned()), ..known() });
    for host in ["app.pages.dev", "app.acme.workers.dev", "app.vercel.app", "app.github.io"] {
        assert!(warnings(Form::Route, &at(host))[0].starts_with(&format!("routes: {host} is in no zone of yours")));
        assert!(warnings(Form::Pages, &at(host)).is_empty());
    }
    for host in ["app.example.com", "pages.dev.example.com"] {
        assert!(warnings(Form::Route, &at(host)).is_empty());
        assert!(
            warnings(Form::Vite, &at(host))[0]
                .starts_with(&format!("routes: this Worker will serve the whole page at {host}"))
        );
    }
    assert!(warnings(Form::Assets, &Values::of(Known::default())).is_empty());
}

#[test]
fn relay_alone_fits_into_a_file_that_is_there() {
    let alone = relay_alone(Language::Toml, &Values::of(known()));
    let there = "name = \"mine\"\nworkers_dev = false\npreview_urls = false\n\n[vars]\nOTHER = \"x\"\n\n";
    let found = check::text("wrangler.toml", &format!("{there}{alone}"));
    assert!(found.mistakes.is_empty() && found.sound.len() == 1, "{found:?}");
    let alone = relay_alone(Language::Jsonc, &Values::of(Known { strip_prefix: true, ..known() }));
    let read = wrangler::read("wrangler.jsonc", &alone).unwrap();
    assert_eq!(read.as_object().unwrap().len(), 1);
    assert_eq!(
        read["vars"]["RELAY"]["routes"],
        json!([{ "path": "/api", "upstream": "https://api.example.com/v1", "strip_prefix": true }])
    );
}

#[test]
fn each_template_has_the_file_that_is_written_from_nothing_known() {
    for (name, form) in Form::ALL {
        let folder = format!("{}/../templates/{name}", env!("CARGO_MANIFEST_DIR"));
        let there: Vec<(&str, Language)> =
            LANGUAGES.into_iter().filter(|(file, _)| std::fs::exists(format!("{folder}/{file}")).unwrap()).collect();
        let [(file, language)] = there[..] else { panic!("{name}: {there:?}") };
        let known = Known {
            name: Some(if form == Form::Route { "my-relay" } else { "my-app" }.to_owned()),
            ..Known::default()
        };
        let (text, _) = wrangler_file(form, language, &Values::of(known));
        let path = format!("{folder}/{file}");
        if std::env::var_os("WRITE_TEMPLATES").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        // To write them anew: WRITE_TEMPLATES=1 cargo test --package access-relay-companion template
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "{path}");
    }
}

#[test]
fn a_name_for_the_worker() {
    for (form, package, host, expected) in [
        (Form::Route, None, "app.example.com", "app-example-com-relay"),
        (Form::Route, None, "127.0.0.1", "127-0-0-1-relay"),
        (Form::Pages, None, "app.example.com", "app-example-com"),
        (Form::Route, Some("my-app"), "app.example.com", "my-app"),
        (Form::Wrap, Some("@acme/My_App"), "app.example.com", "acme-my-app"),
        (Form::Vite, Some("@/"), "app.example.com", "app-example-com"),
        (Form::Route, Some(&*"x".repeat(80)), "app.example.com", &*"x".repeat(50)),
    ] {
        assert_eq!(worker_name(form, package, host), expected);
    }
}

#[test]
fn what_only_a_person_can_do() {
    let with = |package: &str, script: &str| Folder {
        package: Some(package.to_owned()),
        script: Some(script.to_owned()),
        ..Folder::default()
    };
    let [step] = &by_hand(Form::Wrap, &with("{}", ""), "/inner/")[..] else { panic!() };
    assert!(step.contains(
        "if (pathname === \"/inner\" || pathname.startsWith(\"/inner/\")) return relay.fetch(request, env, ctx);"
    ));
    assert!(by_hand(Form::Wrap, &with("{}", "import relay from \"access-relay\";"), "/api").is_empty());
    assert!(by_hand(Form::Vite, &with("{}", ""), "/api")[0].contains("plugins: [cloudflare()],"));
    assert!(
        by_hand(Form::Vite, &with(r#"{"devDependencies": {"@cloudflare/vite-plugin": "^1"}}"#, ""), "/api").is_empty()
    );
    for form in [Form::Route, Form::Assets, Form::Pages] {
        assert!(by_hand(form, &with("{}", ""), "/api").is_empty());
    }
}

#[test]
fn a_name_that_no_worker_can_have() {
    for name in ["app", "my-app-2", &"x".repeat(50)] {
        assert_eq!(check_name(name), Ok(()));
    }
    for name in ["", "My-App", "a b", "-a", "a-", "a_b", "é", &"x".repeat(51)] {
        assert!(check_name(name).unwrap_err().starts_with("--name: found \""), "{name}");
    }
}

#[test]
fn only_a_route_may_take_everything() {
    for (_, form) in Form::ALL {
        assert!(check_path(form, "/api").is_ok());
        assert_eq!(check_path(form, "/").is_ok(), form == Form::Route);
    }
}

#[test]
fn the_schema_lies_beside_the_script() {
    let script = Some("../../node_modules/access-relay/build/index.js".to_owned());
    let values = Values::of(Known { script, ..known() });
    let (text, _) = wrangler_file(Form::Route, Language::Toml, &values);
    assert!(text.starts_with("#:schema ../../node_modules/access-relay/build/schema-bundled.json\n"), "{text}");
    let (text, _) = wrangler_file(Form::Vite, Language::Jsonc, &values);
    assert!(text.contains(r#""$schema": "../../node_modules/access-relay/build/schema.json","#), "{text}");
}
