//! `import`: what becomes of a policy that somebody has elsewhere.

use std::time::{Duration, Instant};

use access_relay_companion::check;
use access_relay_companion::import::file::{Wish, import};
use access_relay_companion::import::moved::Moved;

/// A file as somebody might have it; every name in it is made up.
fn sample(file: &str) -> String {
    crate::committed(&format!("companion/tests/samples/{file}"))
}

fn wish(name: &str) -> Wish {
    Wish { name: Some(name.to_owned()), ..Wish::default() }
}

fn read(file: &str, text: &str) -> Moved {
    import(file, text, &Wish::default()).unwrap_or_else(|errors| panic!("{file}: {errors:?}"))
}

fn refused(file: &str, text: &str, wish: &Wish) -> String {
    import(file, text, wish).map(|moved| moved.text).unwrap_err().join("\n")
}

/// The lines of a table that are no comments: `cors` of `[vars.RELAY.cors]`.
fn table(moved: &Moved, name: &str) -> Vec<String> {
    let header = [format!("[vars.RELAY.{name}]"), format!("[[vars.RELAY.{name}]]")];
    let lines = moved.text.lines().skip_while(|line| !header.contains(&(*line).to_owned())).skip(1);
    lines
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// What is imported passes `check` beside the tables that are missing, if nothing is left to do.
fn is_sound(moved: &Moved) -> bool {
    let mut file = moved.text.clone();
    if !file.contains("[vars.RELAY.access]") {
        file.push_str("\n[vars.RELAY.access]\nissuer = \"https://acme.cloudflareaccess.com\"\naudience = [\"4714\"]\n");
    }
    if !file.contains("[[vars.RELAY.routes]]") {
        file.push_str("\n[[vars.RELAY.routes]]\npath = \"/api\"\nupstream = \"https://api.example.com\"\n");
    }
    let findings = check::text("wrangler.toml", &file);
    findings.mistakes.is_empty() && !findings.sound.is_empty()
}

fn contains(lines: &[String], part: &str) -> bool {
    lines.iter().any(|line| line.contains(part))
}

/// An application of Access with these CORS settings.
fn access_app(settings: &str) -> String {
    format!(r#"{{ "name": "API", "aud": "1", "cors_headers": {{ {settings} }} }}"#)
}

#[test]
fn an_answer_of_access() {
    let moved = read("access-app.json", &sample("access-app.json"));
    assert_eq!(
        table(&moved, "cors"),
        [
            r#"allowed_origins = ["https://app.example.com", "https://admin.example.com"]"#,
            r#"allowed_methods = ["GET", "POST", "PUT", "OPTIONS"]"#,
            "allow_credentials = true",
            "max_age = -1",
        ]
    );
    assert_eq!(table(&moved, "routes"), [r#"path = "/api""#, r#"upstream = "https://api.example.com""#]);
    assert!(table(&moved, "access").is_empty(), "the application's tag is not that of the page's: {}", moved.text);
    assert!(
        moved.mistakes.len() == 1
            && moved.mistakes[0].starts_with("cors.allowed_headers: cors_headers.allow_all_headers cannot be moved"),
        "{:?}",
        moved.mistakes
    );
    for part in [
        "\"/healthz\" of \"api.example.com\" is open to everybody",
        "tag of this application is 4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2",
    ] {
        assert!(contains(&moved.notes, part), "{part}: {:?}", moved.notes);
    }
    assert!(is_sound(&moved));
    // The application by itself, and in a list.
    let envelope: serde_json::Value = serde_json::from_str(&sample("access-app.json")).unwrap();
    for text in [
        envelope["result"].to_string(),
        format!("[{}]", envelope["result"]),
        serde_json::json!({ "result": [envelope["result"], { "name": "other" }] }).to_string(),
    ] {
        assert_eq!(read("", &text).text, moved.text);
    }
}

/// Settings of Access; lines of the policy; parts of notes; parts of what is left to do.
type Row = (&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

#[test]
fn what_is_changed_or_left_out_is_said() {
    const ORIGIN: &str = r#""allowed_origins": ["https://a.example.com"]"#;
    const HAS: &str = r#"allowed_origins = ["https://a.example.com"]"#;
    let rows: &[Row] = &[
        (r#""allow_credentials": true"#, &[HAS, "allow_credentials = true"], &[], &[]),
        (
            r#""allow_credentials": true, "allowed_methods": ["GET", "CONNECT", "TRACE"]"#,
            &[HAS, r#"allowed_methods = ["GET"]"#, "allow_credentials = true"],
            &["\"CONNECT\" is left out: browsers never send it", "\"TRACE\""],
            &[],
        ),
        (
            r#""allow_credentials": true, "allowed_methods": ["put", "PUT", "trace"]"#,
            &[HAS, r#"allowed_methods = ["PUT"]"#, "allow_credentials = true"],
            &["\"put\" is now \"PUT\"", "\"PUT\" once more: left out", "\"trace\" is left out"],
            &[],
        ),
        (
            r#""allow_credentials": true, "allowed_headers": ["Origin", "Access-Control-Request-Method", "Cookie", "x-a", "X-A", "not a name"]"#,
            &[HAS, r#"allowed_headers = ["x-a"]"#, "allow_credentials = true"],
            &[
                "\"Origin\" is left out: browsers let no page set it",
                "\"Access-Control-Request-Method\" is left out",
                "\"Cookie\" is left out: browsers send cookies by themselves",
                "\"X-A\" once more: left out",
                "\"not a name\" is left out",
            ],
            &[],
        ),
        (
            r#""allow_credentials": true, "allowed_headers": ["Origin", "Origin", "x-a", "x-b", "origin"]"#,
            &[HAS, r#"allowed_headers = ["x-a", "x-b"]"#, "allow_credentials = true"],
            &["\"Origin\" is left out", "\"Origin\" once more: left out"],
            &[],
        ),
        (
            r#""allow_credentials": true, "max_age": 100000"#,
            &[HAS, "allow_credentials = true", "max_age = 86400"],
            &["cors.max_age: cors_headers.max_age is 100000, and the relay takes -1 to 86400"],
            &[],
        ),
        (
            r#""allow_credentials": true, "max_age": -5"#,
            &[HAS, "allow_credentials = true", "max_age = -1"],
            &["is -5"],
            &[],
        ),
        (
            r#""allow_credentials": true, "max_age": "600""#,
            &[HAS, "allow_credentials = true", "max_age = 600"],
            &[],
            &[],
        ),
        (
            r#""allow_credentials": true, "max_age": 1.5"#,
            &[HAS, "allow_credentials = true"],
            &[],
            &["cors.max_age: cors_headers.max_age is a number that is not whole; write a whole number"],
        ),
        (
            r#""allow_credentials": true, "allow_all_methods": true, "allowed_methods": ["GET"]"#,
            &[HAS, r#"allowed_methods = ["GET"]"#, "allow_credentials = true"],
            &[],
            &[
                "cors.allowed_methods: cors_headers.allow_all_methods cannot be moved: with allow_credentials, browsers take \"*\" for a plain name",
            ],
        ),
        (
            r#""allow_all_methods": true, "allowed_methods": ["GET"]"#,
            &[HAS, r#"allowed_methods = ["*"]"#],
            &[
                "allowed_methods has no effect beside cors_headers.allow_all_methods",
                "cors.allow_credentials: found false, so that no listed origin can call",
            ],
            &[],
        ),
        (
            r#""allow_all_headers": true"#,
            &[HAS, r#"allowed_headers = ["*"]"#],
            &["write [\"*\", \"authorization\"] for that one"],
            &[],
        ),
        (
            r#""allowed_headers": ["*", "Authorization"]"#,
            &[HAS, r#"allowed_headers = ["*", "authorization"]"#],
            &[],
            &[],
        ),
        (
            r#""allowed_headers": ["*", "x-a"]"#,
            &[HAS, r#"allowed_headers = ["*"]"#],
            &["\"x-a\" has no effect beside \"*\""],
            &[],
        ),
        (
            r#""allow_credentials": "maybe""#,
            &[HAS],
            &[],
            &["cors.allow_credentials: cors_headers.allow_credentials is \"maybe\"; write true or false"],
        ),
        (r#""allowed_methods": [7, {}]"#, &[HAS], &[], &["holds 7; write the value", "holds a table"]),
        (r#""unknown": [[]]"#, &[HAS], &[], &[]),
        (
            r#""allow_credentials": "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl""#,
            &[HAS],
            &[],
            &["allow_credentials is a text that looks like a secret, and is not shown; write true or false"],
        ),
    ];
    for (settings, lines, notes, left) in rows {
        let moved = read("app.json", &access_app(&format!("{ORIGIN}, {settings}")));
        assert_eq!(table(&moved, "cors"), *lines, "{settings}");
        for part in *notes {
            assert!(contains(&moved.notes, part), "{settings}: {part} is not in {:?}", moved.notes);
        }
        assert_eq!(moved.mistakes.len(), left.len(), "{settings}: {:?}", moved.mistakes);
        for part in *left {
            assert!(contains(&moved.mistakes, part), "{settings}: {part} is not in {:?}", moved.mistakes);
        }
        assert!(is_sound(&moved), "{settings}: {}", moved.text);
    }
}

#[test]
fn origins_that_the_relay_refuses_are_left_to_somebody() {
    for (settings, lines, left) in [
        (r#""allow_all_origins": true"#, &[r#"allowed_origins = ["*"]"#][..], &[][..]),
        (
            r#""allow_all_origins": true, "allow_credentials": true"#,
            &["allow_credentials = true"],
            &[
                "allow_all_origins cannot be moved: with allow_credentials, browsers take \"*\" for a plain name; write each one, as in [\"https://admin.example.com\"]",
            ],
        ),
        (
            r#""allowed_origins": ["*"], "allow_credentials": true"#,
            &["allow_credentials = true"],
            &["\"*\" in cors_headers.allowed_origins cannot be moved"],
        ),
        (
            r#""allowed_origins": ["https://a.example.com/", "https://b.example.com"], "allow_credentials": true"#,
            &[r#"allowed_origins = ["https://b.example.com"]"#, "allow_credentials = true"],
            &["\"https://a.example.com/\" cannot be moved: leave out everything after the host and port"],
        ),
        (
            r#""allowed_origins": ["http://b.example.com", "null", "https://b.example.com"], "allow_credentials": true"#,
            &[r#"allowed_origins = ["https://b.example.com"]"#, "allow_credentials = true"],
            &["\"http://b.example.com\" cannot be moved: use https"],
        ),
        (
            r#""allowed_origins": ["https://*.github.io", "https://b.example.com"], "allow_credentials": true"#,
            &[r#"allowed_origins = ["https://b.example.com"]"#, "allow_credentials = true"],
            &["anybody can have a name below github.io"],
        ),
        (r#""max_age": 1"#, &["max_age = 1"], &["cors.allowed_origins: found no origin"]),
    ] {
        let moved = read("app.json", &access_app(settings));
        assert_eq!(table(&moved, "cors"), lines, "{settings}");
        assert_eq!(moved.mistakes.len(), left.len(), "{settings}: {:?}", moved.mistakes);
        for part in left {
            assert!(contains(&moved.mistakes, part), "{settings}: {part} is not in {:?}", moved.mistakes);
            assert!(moved.text.contains("# To do: "), "{}", moved.text);
        }
        assert_eq!(is_sound(&moved), moved.text.contains("allowed_origins = ["), "{settings}: {}", moved.text);
    }
}

#[test]
fn preflights_that_go_to_the_api() {
    let text = r#"{ "name": "API", "options_preflight_bypass": true, "cors_headers": { "allowed_origins": ["https://a.example.com"], "allowed_methods": ["PUT"], "max_age": 5, "allow_credentials": true } }"#;
    let moved = read("app.json", text);
    assert_eq!(
        table(&moved, "cors"),
        [r#"allowed_origins = ["https://a.example.com"]"#, "allow_credentials = true", r#"preflight = "upstream""#]
    );
    for part in [
        "cors.allowed_methods: left out: with preflight",
        "cors.max_age: left out",
        "the relay only preflights of allowed origins",
    ] {
        assert!(contains(&moved.notes, part), "{part}: {:?}", moved.notes);
    }
    assert!(moved.mistakes.is_empty() && is_sound(&moved));
    let alone = read("app.json", r#"{ "name": "API", "options_preflight_bypass": true }"#);
    assert_eq!(table(&alone, "cors"), [r#"preflight = "upstream""#]);
    assert!(
        contains(&alone.mistakes, "cors.allowed_origins: found no origin; name the origins that may call"),
        "{:?}",
        alone.mistakes
    );
}

#[test]
fn what_access_says_beside_the_policy() {
    let text = r#"{ "name": "API", "domain": "*.example.com/x", "policies": [{ "name": "all", "decision": "bypass" }, { "decision": "allow" }] }"#;
    let moved = read("app.json", text);
    assert!(moved.text.lines().all(|line| line.starts_with('#')), "{}", moved.text);
    for part in
        ["the policy \"all\" of this application bypasses Access", "\"*.example.com/x\" stands for several addresses"]
    {
        assert!(contains(&moved.notes, part), "{part}: {:?}", moved.notes);
    }
    let unfit = read(
        "app.json",
        r#"{ "name": "API", "domain": "api.example.com:99999", "cors_headers": { "allow_all_origins": true } }"#,
    );
    assert!(table(&unfit, "routes").is_empty(), "a route without an API is none: {}", unfit.text);
    assert!(
        contains(&unfit.mistakes, "routes.upstream: found \"https://api.example.com:99999\""),
        "{:?}",
        unfit.mistakes
    );
    assert!(unfit.mistakes.len() == 1 && is_sound(&unfit), "{:?}", unfit.mistakes);
    let below = read("app.json", r#"{ "name": "API", "domain": "api.example.com/v1" }"#);
    assert_eq!(table(&below, "routes"), [r#"path = "/api""#, r#"upstream = "https://api.example.com/v1""#]);
    let failed = refused(
        "app.json",
        r#"{ "success": false, "errors": [{ "message": "Authentication error" }], "result": null }"#,
        &Wish::default(),
    );
    assert!(failed.contains("tells of a failure: \"Authentication error\""), "{failed}");
}

#[test]
fn several_applications_are_listed_and_one_is_named() {
    let text = sample("terraform-show.json");
    let listed = refused("show.json", &text, &Wish::default());
    assert!(
        listed
            .starts_with("found several applications with a CORS policy; name one by --name:\n  \"Example API\", or "),
        "{listed}"
    );
    let unknown = refused("show.json", &text, &wish("none"));
    assert!(
        unknown.starts_with("--name: found no application \"none\"; write one of these:\n  \"Example API\""),
        "{unknown}"
    );
    for name in [
        "Example API",
        "api.example.com",
        "f174e90a-fafe-4643-bbbc-4a0ed4fc8415",
        "cloudflare_zero_trust_access_application.api",
    ] {
        let moved = import("show.json", &text, &wish(name)).unwrap();
        assert_eq!(
            table(&moved, "cors"),
            [
                r#"allowed_origins = ["https://app.example.com"]"#,
                r#"allowed_methods = ["GET", "POST", "OPTIONS"]"#,
                r#"allowed_headers = ["content-type"]"#,
                "allow_credentials = true",
                "max_age = 600",
            ]
        );
        assert!(moved.mistakes.is_empty() && is_sound(&moved), "{:?}", moved.mistakes);
    }
    // The older form of the provider, in a module.
    let legacy = import("show.json", &text, &wish("legacy.example.com")).unwrap();
    assert_eq!(
        table(&legacy, "cors"),
        [r#"allowed_origins = ["*"]"#, r#"allowed_methods = ["GET"]"#, "allow_credentials = false", "max_age = 10"]
    );
    assert!(legacy.mistakes.is_empty() && is_sound(&legacy));
}

/// A resource of `terraform show -json`, in this part of the file.
fn shown(part: &str, values: &str, marks: &str, rest: &str) -> String {
    format!(
        r#"{{ "format_version": "1.2", "{part}": {{ "root_module": {{ "resources": [{{ "address": "a.b", "type": "cloudflare_zero_trust_access_application", "values": {values}{marks} }}, {{ "type": "random_password", "values": {{ "result": "s3cret" }} }}] }} }}{rest} }}"#
    )
}

#[test]
fn terraform_says_what_is_sensitive_and_what_it_does_not_know_yet() {
    let values = r#"{ "name": "API", "cors_headers": { "allowed_origins": ["https://a.example.com", "https://hidden.example.com"], "allow_credentials": true } }"#;
    let marked = read(
        "s.json",
        &shown(
            "values",
            values,
            r#", "sensitive_values": { "cors_headers": { "allowed_origins": [false, true] } }"#,
            "",
        ),
    );
    assert_eq!(table(&marked, "cors"), [r#"allowed_origins = ["https://a.example.com"]"#, "allow_credentials = true"]);
    assert!(contains(&marked.mistakes, "holds a value that Terraform marks as sensitive"), "{:?}", marked.mistakes);
    assert!(!marked.text.contains("hidden"), "{}", marked.text);

    let values = r#"{ "name": "API", "cors_headers": [{ "allow_credentials": true, "allowed_origins": ["https://a.example.com", null] }] }"#;
    let rest = r#", "resource_changes": [{ "address": "a.b", "change": { "after_unknown": { "cors_headers": [{ "allowed_origins": [false, true], "max_age": true }] } } }]"#;
    let planned = read("p.json", &shown("planned_values", values, "", rest));
    assert_eq!(table(&planned, "cors"), [r#"allowed_origins = ["https://a.example.com"]"#, "allow_credentials = true"]);
    assert!(
        contains(
            &planned.mistakes,
            "cors.allowed_origins: cors_headers.allowed_origins holds a value that Terraform knows only after"
        ),
        "{:?}",
        planned.mistakes
    );
    assert!(
        contains(&planned.mistakes, "cors.max_age: cors_headers.max_age is a value that Terraform knows only after"),
        "{:?}",
        planned.mistakes
    );

    let whole = read(
        "p.json",
        &shown(
            "planned_values",
            r#"{ "name": "API" }"#,
            "",
            &rest.replace(r#"[{ "allowed_origins": [false, true], "max_age": true }]"#, "true"),
        ),
    );
    assert!(
        contains(&whole.mistakes, "cors: cors_headers is a value that Terraform knows only after"),
        "{:?}",
        whole.mistakes
    );

    // A part of what is not there yet.
    for marks in [r#"{ "max_age": true }"#, r#"[{ "max_age": true }]"#] {
        let marks = rest.replace(r#"[{ "allowed_origins": [false, true], "max_age": true }]"#, marks);
        let part = read("p.json", &shown("planned_values", r#"{ "name": "API", "cors_headers": null }"#, "", &marks));
        assert!(
            contains(&part.mistakes, "cors.max_age: cors_headers.max_age is a value that Terraform knows only after"),
            "{:?}",
            part.mistakes
        );
    }

    for (text, expected) in [
        (
            r#"{ "version": 4, "terraform_version": "1.9.0", "resources": [] }"#,
            "found a state file as Terraform keeps it; write what `terraform show -json` prints",
        ),
        (r#"{ "format_version": "1.0" }"#, "found no application, middleware or configuration"),
    ] {
        let told = refused("s.json", text, &Wish::default());
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn terraform_by_hand_has_its_references_named() {
    let old = read("main.tf", &sample("terraform-v4.tf"));
    assert_eq!(
        table(&old, "cors"),
        [
            r#"allowed_origins = ["https://app.example.com"]"#,
            r#"allowed_methods = ["GET", "POST", "OPTIONS"]"#,
            "allow_credentials = true",
            "max_age = 10"
        ]
    );
    assert!(
        contains(&old.mistakes, "cors_headers.allowed_origins holds the reference `var.admin_origin` (line 12)"),
        "{:?}",
        old.mistakes
    );

    let new = import("main.tf", &sample("terraform-v5.tf"), &wish("Example API")).unwrap();
    assert_eq!(
        table(&new, "cors"),
        [
            r#"allowed_methods = ["GET", "POST", "DELETE", "OPTIONS"]"#,
            r#"allowed_headers = ["content-type", "x-requested-with"]"#,
            "allow_credentials = true",
            "max_age = 600"
        ]
    );
    assert!(
        new.mistakes.len() == 1 && new.mistakes[0].contains("holds the reference `local.origins` (line 15)"),
        "{:?}",
        new.mistakes
    );
}

#[test]
fn each_comment_stands_where_it_belongs() {
    let whole = "resource \"cloudflare_access_application\" \"api\" {\n  name = \"API\"\n  domain = \"api.example.com\"\n  count = 2\n  options_preflight_bypass = true\n  cors_headers = local.cors\n}\n";
    assert_eq!(
        read("main.tf", whole).text,
        r#"# Imported from "API". `access-relay check` says what else RELAY needs.
# The resource stands for several (count): what it says is for all of them.

[[vars.RELAY.routes]]
# The file does not say it: write the path of your page's host that leads to the API.
path = "/api"
upstream = "https://api.example.com"

# To do: cors_headers is the reference `local.cors` (line 6); write its policy here, or import what has its
# values.
# To do: allowed_origins: found no origin; name the origins that may call; the relay's own needs no policy.
[vars.RELAY.cors]
# options_preflight_bypass: Access lets every OPTIONS request through to the API, the relay only preflights of
# allowed origins.
preflight = "upstream"
"#
    );
}

#[test]
fn terraform_by_hand_in_other_ways() {
    let resource =
        |inside: &str| format!("resource \"cloudflare_zero_trust_access_application\" \"api\" {{\n{inside}\n}}\n");
    for (inside, lines, left) in [
        (
            "cors_headers = {\n  \"allowed_origins\" : [\"https://a.example.com\"], max_age = -1\n  allow_credentials = (true)\n}",
            &[r#"allowed_origins = ["https://a.example.com"]"#, "allow_credentials = true", "max_age = -1"][..],
            &[][..],
        ),
        (
            "cors_headers = merge(local.a, {\n})",
            &[],
            &[
                "cors: cors_headers is the expression `merge(local.a, { …` (line 2)",
                "cors.allowed_origins: found no origin",
            ],
        ),
        (
            "cors_headers = {\n  allowed_origins = [\"https://a.example.com\"]\n  allowed_headers = null\n  max_age = -(1)\n}",
            &[r#"allowed_origins = ["https://a.example.com"]"#, "max_age = -1"],
            &[],
        ),
        (
            "cors_headers = {\n  allowed_origins = [\"https://a.example.com\"]\n  max_age = !5\n}",
            &[r#"allowed_origins = ["https://a.example.com"]"#],
            &["cors.max_age: cors_headers.max_age is the expression `!5` (line 4)"],
        ),
        (
            "dynamic \"cors_headers\" {\n  for_each = var.x\n  content { max_age = 1 }\n}",
            &[],
            &["cors: cors_headers is a dynamic block (line 2)", "cors.allowed_origins"],
        ),
        (
            "cors_headers {\n  allowed_origins = [\"https://${var.host}\", \"https://é.example.com\"]\n  allow_credentials = var.x ? true : false\n}",
            &[],
            &[
                "holds the expression `\"https://${var.host}\"` (line 3)",
                "\"https://é.example.com\" cannot be moved",
                "allow_credentials is the expression `var.x ? true : false` (line 4)",
            ],
        ),
    ] {
        let moved = read("main.tf", &resource(inside));
        assert_eq!(table(&moved, "cors"), lines, "{inside}");
        assert_eq!(moved.mistakes.len(), left.len(), "{inside}: {:?}", moved.mistakes);
        for part in left {
            assert!(contains(&moved.mistakes, part), "{inside}: {part} is not in {:?}", moved.mistakes);
        }
    }
    let named =
        "domain = var.domain\nname = \"API\"\nfor_each = toset([\"a\"])\ncors_headers { allow_all_origins = true }";
    let moved = read("main.tf", &resource(named));
    assert_eq!(table(&moved, "cors"), [r#"allowed_origins = ["*"]"#]);
    assert!(table(&moved, "routes").is_empty() && moved.mistakes.is_empty(), "{}", moved.text);
    assert!(
        contains(&moved.notes, "routes.upstream: domain is the reference `var.domain`")
            && contains(&moved.notes, "several (for_each)"),
        "{:?}",
        moved.notes
    );
    let nameless = read("main.tf", &resource("cors_headers { allow_all_origins = true }"));
    assert!(
        nameless.text.contains("# Imported from \"cloudflare_zero_trust_access_application.api\"."),
        "{}",
        nameless.text
    );
    let broken = refused("main.tf", "resource \"a\" \"b\" {\n  token = \"hunter2", &Wish::default());
    assert!(broken.starts_with("line 2, column ") && !broken.contains("hunter2"), "{broken}");
}

#[test]
fn fusionauth_as_json_and_in_terraform() {
    let json = sample("fusionauth.json");
    let expected = [
        r#"allowed_origins = ["http://localhost:4200", "https://app.example.com"]"#,
        r#"allowed_methods = ["PUT", "GET", "POST", "OPTIONS"]"#,
        r#"allowed_headers = ["Accept", "Authorization", "Content-Type", "Last-Modified", "X-FusionAuth-TenantId", "X-Requested-With"]"#,
        "allow_credentials = true",
        "max_age = 1800",
    ];
    let kickstart = format!(
        r#"{{ "requests": [{{ "method": "POST", "body": {{}} }}, {{ "method": "PATCH", "url": "/api/system-configuration", "body": {json} }}] }}"#
    );
    for (file, text) in [("fusionauth.json", json.clone()), ("kickstart.json", kickstart)] {
        let moved = read(file, &text);
        assert_eq!(table(&moved, "cors"), expected);
        assert!(moved.mistakes.is_empty() && is_sound(&moved));
        let order: Vec<usize> =
            ["\"Access-Control-Request-Headers\"", "\"Access-Control-Request-Method\"", "\"Origin\""]
                .iter()
                .map(|part| moved.text.find(part).unwrap())
                .collect();
        assert!(order.is_sorted(), "what is left out is told in the order of the file: {}", moved.text);
        assert!(
            contains(&moved.notes, "cors.exposed_headers: \"Access-Control-Allow-Origin\" is left out")
                && contains(&moved.notes, "excluded_paths"),
            "{:?}",
            moved.notes
        );
    }
    assert!(read("fusionauth.json", &json).text.starts_with("# Imported from \"FusionAuth\"."));
    let off = read("fusionauth.json", &json.replace("\"enabled\": true", "\"enabled\": false"));
    assert!(
        off.text.lines().all(|line| line.starts_with('#')) && contains(&off.notes, "enabled is not true"),
        "{}",
        off.text
    );
    let terraform = "resource \"fusionauth_system_configuration\" \"main\" {\n  cors_configuration {\n    enabled = true\n    allow_credentials = true\n    allowed_methods = [\"DELETE\"]\n    allowed_origins = [\"https://a.example.com\"]\n    exposed_headers = [\"x-total\"]\n    preflight_max_age_in_seconds = 60\n  }\n}\n";
    let moved = read("main.tf", terraform);
    assert_eq!(
        table(&moved, "cors"),
        [
            r#"allowed_origins = ["https://a.example.com"]"#,
            r#"allowed_methods = ["DELETE"]"#,
            r#"exposed_headers = ["x-total"]"#,
            "allow_credentials = true",
            "max_age = 60"
        ]
    );
    assert!(moved.text.contains("# Imported from \"fusionauth_system_configuration.main\"."), "{}", moved.text);
    let none = refused("a.json", "{}", &Wish { from: Some("fusionauth".to_owned()), ..Wish::default() });
    assert!(none.contains("found no systemConfiguration.corsConfiguration"), "{none}");
}

#[test]
fn fusionauth_that_is_not_in_the_file_is_not_taken_for_off() {
    for (inside, expected) in [
        (
            "cors_configuration = local.cors",
            "cors: cors_configuration is the reference `local.cors` (line 2); write its policy here",
        ),
        (
            "dynamic \"cors_configuration\" {\n  for_each = var.x\n  content { enabled = true }\n}",
            "cors: cors_configuration is a dynamic block (line 2); write its policy here",
        ),
    ] {
        let text = format!("resource \"fusionauth_system_configuration\" \"main\" {{\n{inside}\n}}\n");
        let unknown = read("main.tf", &text);
        assert!(contains(&unknown.mistakes, expected), "{:?}", unknown.mistakes);
        assert!(!contains(&unknown.notes, "enabled is not true"), "{:?}", unknown.notes);
    }
}

#[test]
fn traefik_in_all_its_files() {
    let headers = r#"{ "accessControlAllowOriginList": ["https://a.example.com"], "accessControlAllowMethods": ["PUT"], "accesscontrolmaxage": 100, "accessControlAllowCredentials": true, "accessControlExposeHeaders": ["x-a"], "accessControlAllowHeaders": ["x-b"], "addVaryHeader": false }"#;
    let expected = [
        r#"allowed_origins = ["https://a.example.com"]"#,
        r#"allowed_methods = ["PUT"]"#,
        r#"allowed_headers = ["x-b"]"#,
        r#"exposed_headers = ["x-a"]"#,
        "allow_credentials = true",
        "max_age = 100",
    ];
    let custom =
        format!(r#"{{ "kind": "Middleware", "metadata": {{ "name": "cors" }}, "spec": {{ "headers": {headers} }} }}"#);
    for text in [
        format!(
            r#"{{ "http": {{ "middlewares": {{ "cors": {{ "headers": {headers} }}, "zip": {{ "compress": {{}} }} }} }} }}"#
        ),
        custom.clone(),
        format!(r#"{{ "kind": "List", "items": [{custom}] }}"#),
        format!(r#"[{{ "name": "cors@file", "headers": {headers} }}]"#),
        headers.to_owned(),
    ] {
        let moved = read("traefik.json", &text);
        assert_eq!(table(&moved, "cors"), expected, "{text}");
        assert!(moved.mistakes.is_empty() && is_sound(&moved), "{:?}", moved.mistakes);
        assert!(contains(&moved.notes, "addVaryHeader is false"), "{:?}", moved.notes);
    }
    let toml = "[http.middlewares.cors.headers]\naccessControlAllowOriginListRegex = ['^https://.*\\.example\\.com$']\naccessControlAllowMethods = [\"PUT\"]\n[http.middlewares.cors.headers.customResponseHeaders]\nAccess-Control-Allow-Origin = \"*\"\n";
    for file in ["dynamic.toml", ""] {
        let moved = read(file, toml);
        assert_eq!(table(&moved, "cors"), [r#"allowed_methods = ["PUT"]"#]);
        assert!(
            contains(
                &moved.mistakes,
                r#"the regular expression "^https://.*\\.example\\.com$" (accessControlAllowOriginListRegex) cannot be moved"#
            ),
            "{:?}",
            moved.mistakes
        );
        assert!(
            contains(&moved.mistakes, "customResponseHeaders sets \"Access-Control-Allow-Origin\" by hand"),
            "{:?}",
            moved.mistakes
        );
    }
}

#[test]
fn traefik_in_yaml() {
    const HEADERS: &str = "accessControlAllowOriginList: ['https://a.example.com']\naccessControlAllowMethods:\n- \"PUT\"\naccessControlMaxAge: 100 # seconds\naccessControlAllowCredentials: true\naccessControlExposeHeaders: [x-a]\naccessControlAllowHeaders:\n  - x-b\n";
    let expected = [
        r#"allowed_origins = ["https://a.example.com"]"#,
        r#"allowed_methods = ["PUT"]"#,
        r#"allowed_headers = ["x-b"]"#,
        r#"exposed_headers = ["x-a"]"#,
        "allow_credentials = true",
        "max_age = 100",
    ];
    let within =
        |indent: usize| HEADERS.lines().map(|line| format!("{}{line}\n", " ".repeat(indent))).collect::<String>();
    let custom = |indent: usize, mark: &str| {
        let lines = format!(
            "apiVersion: traefik.io/v1alpha1\nkind: Middleware\nmetadata:\n  name: cors\nspec:\n  headers:{mark}\n{}",
            within(4)
        );
        lines.lines().map(|line| format!("{}{line}\n", " ".repeat(indent))).collect::<String>()
    };
    let labels = [
        "accessControlAllowOriginList=https://a.example.com",
        "accesscontrolallowmethods=PUT",
        "accesscontrolmaxage=100",
        "accessControlAllowCredentials=true",
        "accesscontrolexposeheaders=x-a",
        "accessControlAllowHeaders=x-b",
    ];
    let listed: String =
        labels.iter().map(|label| format!("      - \"traefik.http.middlewares.cors.headers.{label}\"\n")).collect();
    let mapped: String = labels
        .iter()
        .map(|label| format!("        traefik.http.middlewares.cors.headers.{}\n", label.replace('=', ": ")))
        .collect();
    for text in [
        format!(
            "http:\n  routers:\n    api: {{ rule: Host(`x`) }}\n  middlewares:\n    zip:\n      compress: {{}}\n    cors:\n      headers:\n{}",
            within(8)
        ),
        // Several documents, of which one is a middleware.
        format!("---\nkind: Service\n---\n{}---\nkind: IngressRoute\n...\n", custom(0, "")),
        format!("kind: List\nitems:\n  -\n{}", custom(4, "")),
        // What is said once and meant twice.
        format!(
            "{}---\n{}\n",
            custom(0, " &all").replace(
                "accessControlMaxAge: 100 # seconds",
                "<<: { accessControlMaxAge: 100, accessControlAllowCredentials: false }"
            ),
            "kind: ConfigMap"
        ),
        format!("base: &base\n{}http:\n  middlewares:\n    cors:\n      headers: *base\n", within(2)),
        format!("services:\n  api:\n    image: x\n    labels:\n      - traefik.enable=true\n{listed}"),
        format!("services:\n  api:\n    deploy:\n      labels:\n        traefik.enable: \"true\"\n{mapped}"),
    ] {
        for file in ["dynamic.yml", "dynamic.yaml", ""] {
            let moved = read(file, &text);
            assert_eq!(table(&moved, "cors"), expected, "{text}");
            assert!(moved.mistakes.is_empty() && is_sound(&moved), "{:?}", moved.mistakes);
        }
    }
    let custom = read(
        "compose.yml",
        "services:\n  api:\n    labels:\n      - traefik.http.middlewares.cors.headers.accesscontrolmaxage=5\n      - traefik.http.middlewares.cors.headers.customresponseheaders.Access-Control-Allow-Origin=*\n      - traefik.http.middlewares.cors.headers.customresponseheaders.X-A=1\n",
    );
    assert!(
        contains(&custom.mistakes, "customResponseHeaders sets \"access-control-allow-origin\" by hand"),
        "{:?}",
        custom.mistakes
    );
}

#[test]
fn yaml_says_what_a_plain_word_is() {
    let middleware =
        |name: &str, lines: &str| format!("http:\n  middlewares:\n    {name}:\n      headers: {{ {lines} }}\n");
    let text = middleware(
        "cors",
        "accessControlAllowOriginList: [https://a.example.com], accessControlAllowCredentials: True, accessControlMaxAge: ~, accessControlAllowHeaders: [inf, \"1\", !!str 2, 3], addVaryHeader: FALSE",
    );
    let moved = read("dynamic.yml", &text);
    assert_eq!(
        table(&moved, "cors"),
        [
            r#"allowed_origins = ["https://a.example.com"]"#,
            r#"allowed_headers = ["inf", "1", "2"]"#,
            "allow_credentials = true"
        ]
    );
    assert!(
        moved.mistakes.len() == 1 && contains(&moved.mistakes, "accessControlAllowHeaders holds 3; write the value"),
        "{:?}",
        moved.mistakes
    );
    assert!(contains(&moved.notes, "addVaryHeader is false"), "{:?}", moved.notes);
    let part = read("dynamic.yml", &middleware("cors", "accessControlMaxAge: 1.5"));
    assert!(contains(&part.mistakes, "accessControlMaxAge is a number that is not whole"), "{:?}", part.mistakes);
    // A key is a name, whatever else it could be.
    for name in ["true", "8080", "cors"] {
        let moved = read("dynamic.yml", &middleware(name, "accessControlMaxAge: 5"));
        assert!(moved.text.starts_with(&format!("# Imported from \"{name}\".")), "{}", moved.text);
    }
}

#[test]
fn yaml_that_cannot_be_read_says_where() {
    let many = |count: usize, each: &str| each.repeat(count);
    // A list with one of ten values, which is counted, kept, and counted each time that it is meant: 50000 in all.
    let full = |more: usize| format!("- &a [{}]\n{}{}", ["x"; 9].join(", "), many(4997, "- *a\n"), many(more, "- y\n"));
    let laughs = (1..12).map(|level| format!("- &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", ")));
    let laughs = format!("# accessControl\n- &a0 x\n{}", laughs.collect::<String>());
    let anchors = format!(
        "# accessControl\n{}1{}",
        (0..90).map(|level| format!("&a{level} [")).collect::<String>(),
        many(90, "]")
    );
    for (text, expected) in [
        ("http:\n  a: [1\nb: 2\n".to_owned(), "line 3, column 2: not valid YAML: "),
        (
            "metadata:\n  name: {{ .Release.Name }}-cors\n".to_owned(),
            "; fill in what stands in {{ }} first, as `helm template` does",
        ),
        ("token: 'hunter2\n".to_owned(), "not valid YAML"),
        ("a: *b\n".to_owned(), "line 1, column 4: not valid YAML: "),
        (laughs, "found more than 50000 values; write the middleware alone"),
        (anchors, "found no application, middleware or configuration"),
        (many(60_000, "- 1\n").replace('1', ""), "found 180000 bytes; write 131072 at most"),
        (many(30_000, "- 1\n"), "found no application"),
        (full(9), "found no application"),
        (full(10), "line 5008: found more than 50000 values; write the middleware alone"),
        (many(99, "- "), "found no application"),
        (many(60_000, "- "), "more than 100 deep"),
        (many(101, "? "), "more than 100 deep"),
        (many(30_000, "a: \""), "not valid YAML"),
        (many(20_000, "? a\n"), ""),
        (many(20_000, "{a: "), "not valid YAML: recursion limit exceeded"),
        (many(120_000, "["), "not valid YAML: recursion limit exceeded"),
        (many(200, "- a ( [ {\n").replace(" [ {", ""), "found no application"),
        (format!("[{}", many(60_000, "a,")), "found more than 50000 values"),
        (many(20_000, "&a *a "), ""),
        (many(20_000, "---\n"), "found no application"),
        (format!("a: |\n{}", many(60_000, " \n")), "found no application"),
        (
            "kind: ConfigMap\n".to_owned(),
            "found no application, middleware or configuration that could have a CORS policy",
        ),
        (String::new(), "found no application"),
    ] {
        let start = Instant::now();
        let told = refused("a.yaml", &text, &Wish::default());
        assert!(told.contains(expected), "{expected}: {told}");
        assert!(!told.contains("hunter2"), "{told}");
        assert!(start.elapsed() < Duration::from_secs(10), "{expected}: {:?}", start.elapsed());
    }
}

#[test]
fn the_sample_workers() {
    const TAG: &str = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";
    let api = "// The hostname where your API lives\nconst originalAPIHostname = \"api.mysite.example\";\nexport default { async fetch(request) {\n  url.hostname = originalAPIHostname;\n} };\n";
    let moved = read("index.js", api);
    assert_eq!(table(&moved, "routes"), [r#"path = "/api""#, r#"upstream = "https://api.mysite.example""#]);
    assert!(moved.text.starts_with("# Imported from \"the sample Worker\"."), "{}", moved.text);
    assert!(
        moved.mistakes.is_empty() && is_sound(&moved) && contains(&moved.notes, "there is no CORS policy"),
        "{:?}",
        moved.mistakes
    );

    let script = format!(
        "const JWKS = createRemoteJWKSet(new URL(`${{env.TEAM_DOMAIN}}/cdn-cgi/access/certs`));\nconst TEAM_DOMAIN: string = 'https://acme.cloudflareaccess.com/';\nconst POLICY_AUD = `{TAG}`;\nverify({{ audience: env.POLICY_AUD }});\n"
    );
    let vars = format!("name = \"x\"\n[vars]\nTEAM_DOMAIN = \"acme.cloudflareaccess.com\"\nPOLICY_AUD = \"{TAG}\"\n");
    let jsonc = format!(
        "{{\n  // The team.\n  \"vars\": {{ \"TEAM_DOMAIN\": \"https://acme.cloudflareaccess.com\", \"POLICY_AUD\": \"{TAG}\" }},\n}}\n"
    );
    for (file, text) in [("index.ts", script), ("wrangler.toml", vars), ("wrangler.jsonc", jsonc)] {
        let moved = read(file, &text);
        assert_eq!(
            table(&moved, "access"),
            [r#"issuer = "https://acme.cloudflareaccess.com""#.to_owned(), format!("audience = [\"{TAG}\"]")],
            "{file}"
        );
        assert!(moved.mistakes.is_empty() && is_sound(&moved), "{file}: {:?}", moved.mistakes);
    }
    // TOML by another name, and a script that could be TOML.
    let vars = format!(
        "name = \"x\"\nvars.TEAM_DOMAIN = \"https://acme.cloudflareaccess.com\"\nvars.POLICY_AUD = \"{TAG}\"\n"
    );
    assert_eq!(table(&read("", &vars), "access").len(), 2);
    let script = "originalAPIHostname = 'api.example.com'\n";
    assert_eq!(table(&read("index.mjs", script), "routes").len(), 2);
    // What is written, if it is no plain text, is not guessed; and a comparison gives no value.
    for (script, note, left) in [
        ("const TEAM_DOMAIN = `https://${team}.cloudflareaccess.com`;", "TEAM_DOMAIN is an expression", ""),
        ("const TEAM_DOMAIN = 'https://acme\\u002ecloudflareaccess.com';", "TEAM_DOMAIN is an expression", ""),
        ("if (TEAM_DOMAIN == team) {}", "", "access.issuer: not in the file; take it from the settings of Access"),
    ] {
        let moved = read("worker.js", &format!("const POLICY_AUD = '{TAG}';\n{script}\n"));
        assert_eq!(table(&moved, "access"), [format!("audience = [\"{TAG}\"]")], "{script}");
        let told = |lines: &[String], part: &str| part.is_empty() || contains(lines, part);
        assert!(told(&moved.notes, note) && told(&moved.mistakes, left), "{script}: {moved:?}");
        assert_eq!(contains(&moved.notes, "TEAM_DOMAIN is"), !note.is_empty(), "{script}: {:?}", moved.notes);
    }
    let unfit =
        read("worker.js", &format!("const POLICY_AUD = '{TAG}';\nconst TEAM_DOMAIN = 'https://acme.example.com/x';"));
    assert_eq!(table(&unfit, "access"), [format!("audience = [\"{TAG}\"]")], "{:?}", unfit.mistakes);
    assert!(contains(&unfit.mistakes, "access.issuer: found \"https://acme.example.com/x\""), "{:?}", unfit.mistakes);
    let open = "const CF_ACCESS_CLIENT_SECRET = 'hunter2hunter2';\nconst TEAM_DOMAIN = process.env.TEAM;\nconst originalAPIHostname = 'https://api.example.com'\nconst POLICY_AUD = '<AUD tag>'";
    let moved = read("worker.js", open);
    for part in ["CF_ACCESS_CLIENT_SECRET stands in the file", "access.issuer", "access.audience"] {
        assert!(contains(&moved.mistakes, part), "{part}: {:?}", moved.mistakes);
    }
    assert!(contains(&moved.notes, "TEAM_DOMAIN is the expression `process.env.TEAM`"), "{:?}", moved.notes);
    assert!(!format!("{moved:?}").contains("hunter2"), "{moved:?}");
}

#[test]
fn as_jsonc_it_says_the_same() {
    let wish = Wish { jsonc: true, ..Wish::default() };
    let moved = import("fusionauth.json", &sample("fusionauth.json"), &wish).unwrap();
    let findings = check::text("wrangler.jsonc", &moved.text);
    assert_eq!(findings.mistakes.len(), 2, "access and routes are missing, and nothing else: {findings:?}");
    assert!(moved.text.contains("// \"Origin\" is left out: browsers let no page set it.\n"), "{}", moved.text);
}

#[test]
fn what_cannot_be_read_says_so() {
    let from = |kind: &str| Wish { from: Some(kind.to_owned()), ..Wish::default() };
    for (file, text, wish, expected) in [
        ("a.json", "{", Wish::default(), "line 1, column 2: not valid JSON"),
        (
            "a.json",
            "{}",
            Wish::default(),
            "found nothing of a kind that can be imported; name the kind, as in --from access|terraform-json|",
        ),
        ("", "", Wish::default(), "found nothing of a kind"),
        ("a.txt", "hello", Wish::default(), "found nothing of a kind"),
        ("a.toml", "x = 1", Wish::default(), "found nothing of a kind"),
        (
            "a.json",
            "{}",
            from("nginx"),
            "--from: found \"nginx\"; write one of access, terraform-json, terraform, fusionauth, traefik, sample",
        ),
        (
            "a.json",
            "{\"a\": 1}",
            from("terraform"),
            "found other JSON than that of Terraform; write what `terraform show -json` prints",
        ),
        ("a.txt", "hello", from("access"), "found no JSON"),
        ("a.json", "[]", from("access"), "found no application"),
        ("a.json", "[]", Wish { name: Some("x".to_owned()), ..from("access") }, "found no application, middleware"),
        (
            "a.json",
            "[{ \"name\": \"x\", \"domain\": \"x.example.com\" }, { \"aud\": \"1\" }]",
            Wish::default(),
            "found several applications, none of them with a CORS policy:\n  \"x\", or \"x.example.com\"\n  one without a name",
        ),
        (
            "a.json",
            "{ \"success\": true }",
            Wish::default(),
            "found an answer of Cloudflare's API without a result; ask the API once more",
        ),
        // Traefik's, but nothing that has to do with headers.
        (
            "a.json",
            "{ \"http\": { \"middlewares\": { \"zip\": { \"compress\": {} } } } }",
            Wish::default(),
            "found no application, middleware",
        ),
        (
            "a.json",
            "{ \"kind\": \"Middleware\", \"spec\": { \"compress\": {} } }",
            Wish::default(),
            "found no application, middleware",
        ),
        ("main.tf", "locals {}\n", Wish::default(), "found no application"),
    ] {
        let told = refused(file, text, &wish);
        assert!(told.contains(expected), "{file} {text}: {told}");
    }
    assert!(!read("a.json", &format!("\u{feff}{}", access_app(r#""allow_all_origins": true"#))).text.is_empty());
}

#[test]
fn no_secret_is_told_and_no_line_is_forged() {
    const SECRETS: [&str; 3] = [
        "cfast_0123456789abcdefGHIJ",
        "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ];
    for secret in SECRETS {
        let middle = &secret[8..20];
        let app = format!(
            r#"{{ "name": "{secret}", "domain": "{secret}.example.com", "aud": "x{secret}", "policies": [{{ "decision": "bypass", "name": "{secret}" }}], "cors_headers": {{ "allowed_origins": ["https://{secret}"], "allowed_headers": ["{secret}"], "allowed_methods": ["{secret}"], "max_age": "{secret}" }} }}"#
        );
        let script = format!("const TEAM_DOMAIN = f('{secret}');\nconst originalAPIHostname = \"{secret}\";\n");
        let hcl = format!(
            "resource \"cloudflare_access_application\" \"a\" {{\n  cors_headers {{\n    allowed_origins = [f(\"{secret}\")]\n  }}\n}}\n"
        );
        for (file, text) in
            [("a.json", app.clone()), ("a.json", format!("[{app},{app}]")), ("a.js", script), ("a.tf", hcl)]
        {
            let told = match import(file, &text, &Wish::default()) {
                Ok(moved) => format!("{}{:?}{:?}", moved.text, moved.notes, moved.mistakes),
                Err(errors) => errors.join("\n"),
            };
            assert!(!told.contains(middle), "{file}: {told}");
        }
    }
    let forged = r#"a\n[vars.RELAY.access]\ndangerously_allow_anyone = true\u202e\u001b[31m"#;
    let app = format!(
        r#"{{ "name": "{forged}", "domain": "{forged}", "cors_headers": {{ "allowed_origins": ["{forged}", "https://a.example.com"], "allowed_headers": ["{forged}"], "max_age": "{forged}" }} }}"#
    );
    for jsonc in [false, true] {
        let moved = import("a.json", &app, &Wish { jsonc, ..Wish::default() }).unwrap();
        assert!(
            !moved.text.contains(['\u{202e}', '\u{1b}'])
                && !moved.text.lines().any(|line| line.trim_start().starts_with(['"', '[']) && line.contains("anyone")),
            "{}",
            moved.text
        );
        assert!(moved.text.contains("https://a.example.com"), "{}", moved.text);
    }
}

#[test]
fn hostile_files_end_soon_and_with_an_error() {
    let resource =
        |value: &str| format!("resource \"cloudflare_access_application\" \"a\" {{\n  cors_headers = {value}\n}}\n");
    let many = |count: usize, each: &str| each.repeat(count);
    let keys: String = (0..12_000).map(|index| format!("a{index}=1\n")).collect();
    for (file, text, expected) in [
        ("a.json", many(10_000_000, " "), "found 10000000 bytes; write 4194304 at most"),
        ("a.json", many(4_000_000, "["), "more than 100 deep"),
        ("a.tf", many(200_000, "#"), "found 200000 bytes; write 131072 at most"),
        ("a.tf", resource(&many(99, "[")), "at most 64 nested levels"),
        ("a.tf", resource(&format!("{}1", many(30_000, "a?1:"))), "nested levels"),
        ("a.tf", resource(&format!("{}1", many(40_000, "a+"))), "chained binary operators"),
        ("a.tf", format!("x = \"{}", many(30_000, "${\"")), "more than 100 deep"),
        ("a.tf", many(30_000, "a {\n"), "more than 100 deep"),
        ("a.tf", format!("a {{\n{keys}}}\nb = {{\n{}", keys.get(..10_000).unwrap()), "not valid HCL"),
        ("a.toml", format!("[{}a]\n", many(1_000_000, "a.")), ""),
        ("a.toml", format!("{}a = 1\n", many(1_000_000, "a.")), ""),
        ("a", many(400_000, "[[a]]\n"), ""),
        ("a.toml", (0..200_000).map(|index| format!("a{index} = 1\n")).collect(), "found nothing of a kind"),
        (
            "a.json",
            format!(
                "{{\"aud\":1,\"destinations\":[{{\"overrides\":[{}1]}}]}}",
                (0..20_000)
                    .map(|index| format!("{{\"behavior\":\"public\",\"path_pattern\":\"/{index}\"}},"))
                    .collect::<String>()
            ),
            "",
        ),
        (
            "a.json",
            format!(
                "{{\"accessControlAllowOriginList\":[],\"accessControlAllowOriginListRegex\":[{}1]}}",
                (0..200_000).map(|index| format!("\"{index}\",")).collect::<String>()
            ),
            "accessControlAllowOriginListRegex has 200001 values; write 1000 at most",
        ),
        ("a.js", many(9_000, "TEAM_DOMAIN=`\n"), ""),
        (
            "a.json",
            format!("[{{\"cors_headers\":{{\"allowed_origins\":[{}\"a\"]}}}}]", many(900_000, "\"a\",")),
            "write 1000 at most",
        ),
        ("a.json", format!("[{}1]", many(100_000, "{\"aud\":1},")), "and 99951 more"),
    ] {
        let start = Instant::now();
        let told = match import(file, &text, &Wish::default()) {
            Ok(moved) => moved.mistakes.join("\n"),
            Err(errors) => errors.join("\n"),
        };
        assert!(told.contains(expected), "{expected}: {}", told.chars().take(500).collect::<String>());
        assert!(start.elapsed() < Duration::from_secs(20), "{expected}: {:?}", start.elapsed());
    }
}

#[test]
fn so_much_is_read_and_no_more() {
    let many = |count: usize, each: &str| each.repeat(count);
    let padded = |text: &str, length: usize| format!("{text}{}", many(length - text.len(), " "));
    let app = access_app(r#""allow_all_origins": true"#);
    let script = "const originalAPIHostname = 'api.example.com';";
    let nested = |depth: usize| {
        access_app(&format!(r#""allow_all_origins": true, "x": {}{}"#, many(depth - 2, "["), many(depth - 2, "]")))
    };
    let names = |count: usize| {
        let names: Vec<String> = (0..count).map(|index| format!("\"x-{index}\"")).collect();
        access_app(&format!(r#""allow_all_origins": true, "allowed_headers": [{}]"#, names.join(",")))
    };
    for (file, most, more, expected) in [
        ("a.json", padded(&app, 4_194_304), padded(&app, 4_194_305), "found 4194305 bytes; write 4194304 at most"),
        ("a.js", padded(script, 131_072), padded(script, 131_073), "found 131073 bytes; write 131072 at most"),
        ("a.json", nested(100), nested(101), "found brackets within brackets, more than 100 deep"),
        ("a.json", names(1000), names(1001), "allowed_headers has 1001 values; write 1000 at most"),
    ] {
        assert_eq!(read(file, &most).mistakes, [""; 0]);
        let told =
            import(file, &more, &Wish::default()).map_or_else(|errors| errors, |moved| moved.mistakes).join("\n");
        assert!(told.contains(expected), "{expected}: {told}");
    }
    // Brackets beside each other, and those in a text, are not within each other.
    for text in [many(200, "[], "), format!("\"{}\", ", many(200, "[")), format!("\"\\\"{}\", ", many(200, "["))] {
        let moved = read("a.json", &access_app(&format!(r#""allow_all_origins": true, "x": [{text}]"#)));
        assert!(moved.mistakes.is_empty(), "{:?}", moved.mistakes);
    }
    // A text ends behind what is escaped in it.
    let behind = access_app(&format!(r#""x": "\\", "y": {}"#, many(200, "[")));
    let told = refused("a.json", &behind, &Wish::default());
    assert!(told.contains("more than 100 deep"), "{told}");
}

#[test]
fn comments_fit_on_a_screen_and_fill_their_lines() {
    for length in 1..=120 {
        let app = format!(
            r#"{{ "name": "API", "domain": "*", "policies": [{{ "decision": "bypass", "name": "{}" }}] }}"#,
            "x".repeat(length)
        );
        let text = read("a.json", &app).text;
        let lines: Vec<&str> = text.lines().map(|line| line.strip_prefix("# ").unwrap()).collect();
        for pair in lines.windows(2) {
            let first = pair[1].split(' ').next().unwrap();
            assert!(pair[0].len() <= 110, "{text}");
            assert!(pair[0].ends_with('.') || pair[0].len() + 1 + first.len() > 110, "{text}");
        }
    }
}

#[test]
fn whatever_it_is_cut_to_nothing_panics() {
    for file in ["access-app.json", "terraform-show.json", "fusionauth.json", "terraform-v4.tf", "terraform-v5.tf"] {
        let text = sample(file).replace("app.example.com", "äpp.example.com");
        for end in (0..text.len()).step_by(7).filter(|end| text.is_char_boundary(*end)) {
            let _ = import(file, &text[..end], &Wish::default());
            let _ = import("", &text[end..], &Wish::default());
        }
    }
}
