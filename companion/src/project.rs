//! The wrangler file of a project with the relay, in each form.

use access_relay_core::syntax::text::{has_placeholder, quoted};
use serde::Deserialize;

use crate::document::{Language, Table, Value, written};
use crate::forms::{Folder, Form, MARK};
use crate::suffixes::is_lent;

/// What is known of a project.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Known {
    /// The Worker's name.
    pub name: Option<String>,
    /// Where the relay's script lies, seen from the file.
    pub script: Option<String>,
    /// The folder of the page's files.
    pub assets: Option<String>,
    /// The relay's path on the page's host.
    pub path: Option<String>,
    /// Whether the page is on this machine, where there are no routes.
    pub loopback: bool,
    /// The page's host.
    pub host: Option<String>,
    /// The zone of the page's host.
    pub zone: Option<String>,
    /// The API.
    pub upstream: Option<String>,
    /// Whether the API's paths lack the relay's path.
    pub strip_prefix: bool,
    /// The team's address.
    pub issuer: Option<String>,
    /// The AUD tag of the application in front of the page.
    pub audience: Option<String>,
}

/// What a wrangler file says. In place of what is not known stands a placeholder in angle brackets, which the relay refuses.
#[derive(Debug, Clone)]
pub struct Values {
    name: String,
    script: String,
    assets: String,
    path: String,
    /// `None` on this machine.
    host: Option<String>,
    zone: String,
    upstream: String,
    strip_prefix: bool,
    issuer: String,
    audience: String,
}

impl Values {
    /// What is known, and placeholders for the rest.
    #[must_use]
    pub fn of(known: Known) -> Self {
        let or = |value: Option<String>, placeholder: &str| value.unwrap_or_else(|| placeholder.to_owned());
        Self {
            name: or(known.name, "access-relay"),
            script: or(known.script, "node_modules/access-relay/build/index.js"),
            assets: or(known.assets, "public"),
            path: or(known.path, "/api"),
            host: (!known.loopback).then(|| or(known.host, "<page host>")),
            zone: or(known.zone, "<zone>"),
            upstream: or(known.upstream, "https://<API host>"),
            strip_prefix: known.strip_prefix,
            issuer: or(known.issuer, "https://<team>.cloudflareaccess.com"),
            audience: or(known.audience, "<AUD tag of the page>"),
        }
    }
}

/// The day whose runtime the relay was tested with. Cloudflare's Vite plugin 1.64.0 brings a runtime of a week before, and refuses
/// a later day.
const fn compatibility_date(form: Form) -> &'static str {
    if matches!(form, Form::Vite) { "2026-10-12" } else { "2026-10-20" }
}

/// The text of the wrangler file, and whether something is left to fill in.
#[must_use]
pub fn wrangler_file(form: Form, language: Language, values: &Values) -> (String, bool) {
    let mut file = Table::default();
    if language == Language::Jsonc {
        file.set(&[], "$schema", Value::Text(beside_the_script(values, "schema.json")));
    }
    file.set(&[], "name", text(&values.name));
    match form {
        Form::Route | Form::Assets | Form::Vite => file.set(&[], "main", text(&values.script)),
        Form::Wrap => file.set(&[], "main", text("src/index.ts")),
        Form::Pages => file.set(&[], "pages_build_output_dir", text(&values.assets)),
    }
    file.set(&[], "compatibility_date", text(compatibility_date(form)));
    let public = "If the API is in the same zone, Access is still asked.";
    file.set(&[public], "compatibility_flags", Value::Texts(vec!["global_fetch_strictly_public".to_owned()]));
    if form != Form::Pages {
        doors(&mut file);
        routes(&mut file, form, values);
        if matches!(form, Form::Assets | Form::Vite) {
            assets(&mut file, form, values);
        }
        let mut observability = Table::default();
        observability.set(&[], "enabled", Value::Boolean(true));
        file.set(&[""], "observability", Value::Table(observability));
    }
    file.set(&[""], "vars", Value::Table(vars(values)));
    let about = format!("{MARK} says what each key of RELAY does.");
    let mut head = vec![about.as_str()];
    let is_unfinished = has_placeholder(&written(&[], &file, language));
    if is_unfinished {
        head.push("Fill in the values in angle brackets. `npm run check` says what is still wrong.");
    }
    if language == Language::Toml {
        head.push("");
    }
    // Taplo, which reads TOML in most editors, follows no reference from one schema to another.
    let first = match language {
        Language::Toml => format!("#:schema {}\n", beside_the_script(values, "schema-bundled.json")),
        Language::Jsonc => String::new(),
    };
    (first + &written(&head, &file, language), is_unfinished)
}

/// Where another file of the build lies, seen from the wrangler file.
fn beside_the_script(values: &Values, file: &str) -> String {
    let path = values.script.replace("index.js", file);
    let here = if path.starts_with("../") { "" } else { "./" };
    [here, path.as_str()].concat()
}

/// `RELAY` alone, for a wrangler file that is there already.
#[must_use]
pub fn relay_alone(language: Language, values: &Values) -> String {
    let mut file = Table::default();
    file.set(&[], "vars", Value::Table(vars(values)));
    written(&[], &file, language).trim_start().to_owned()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// What stands in the way of these values in this form, or may surprise.
#[must_use]
pub fn warnings(form: Form, values: &Values) -> Vec<String> {
    if form == Form::Pages {
        return Vec::new();
    }
    let Some(host) = &values.host else {
        return vec!["routes: the page is on this machine, so there are none; add them before you deploy".to_owned()];
    };
    if is_lent(host) {
        return vec![format!(
            "routes: {host} is in no zone of yours, so no Worker can have a route there; give the page a host in a zone of \
             yours, or write --form pages for a Pages project"
        )];
    }
    if form == Form::Route || has_placeholder(host) {
        return Vec::new();
    }
    vec![format!(
        "routes: this Worker will serve the whole page at {host}; if something else serves it today, and should go on, write \
         --form route"
    )]
}

/// Why a Worker cannot have this name.
///
/// # Errors
/// What to write instead.
pub fn check_name(name: &str) -> Result<(), String> {
    let is_plain = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-';
    if name.is_empty()
        || name.len() > LONGEST_NAME
        || !name.bytes().all(is_plain)
        || name.starts_with('-')
        || name.ends_with('-')
    {
        return Err(format!(
            "--name: found {}; write 1 to {LONGEST_NAME} of a-z, 0-9 and -, as in my-relay",
            quoted(name)
        ));
    }
    Ok(())
}

/// Why a form cannot have this path.
///
/// # Errors
/// What to write instead.
pub fn check_path(form: Form, path: &str) -> Result<(), String> {
    if path.trim_end_matches('/').is_empty() && form != Form::Route {
        return Err(
            "--path: found \"/\"; name a path below it, as in /api: the relay would take the page's own".to_owned()
        );
    }
    Ok(())
}

/// What nobody but a person can do in a project that is there already.
#[must_use]
pub fn by_hand(form: Form, folder: &Folder, path: &str) -> Vec<String> {
    let has = |part: &str| folder.script.as_deref().is_some_and(|script| script.contains(part));
    match form {
        Form::Wrap if !has("access-relay") => {
            let path = path.trim_end_matches('/');
            vec![format!(
                "Let your Worker hand the relay its requests. At its top:\n     import relay from \"access-relay\";\n   First in \
                 its fetch(request, env, ctx):\n     const {{ pathname }} = new URL(request.url);\n     if (pathname === \
                 \"{path}\" || pathname.startsWith(\"{path}/\")) return relay.fetch(request, env, ctx);"
            )]
        }
        Form::Vite if !folder.depends_on("@cloudflare/vite-plugin") => vec![
            "Let vite.config use Cloudflare's plugin. At its top:\n     import { cloudflare } from \
             \"@cloudflare/vite-plugin\";\n   And in it:\n     plugins: [cloudflare()],"
                .to_owned(),
        ],
        _ => Vec::new(),
    }
}

fn doors(file: &mut Table) {
    let about = ["", "No address but the page's own host: the others are not behind its Access application."];
    file.set(&about, "workers_dev", Value::Boolean(false));
    file.set(&[], "preview_urls", Value::Boolean(false));
}

/// Where the Worker runs.
fn routes(file: &mut Table, form: Form, values: &Values) {
    let Some(host) = &values.host else { return };
    if form != Form::Route {
        let mut route = Table::default();
        route.set(&[], "pattern", text(host));
        route.set(&[], "custom_domain", Value::Boolean(true));
        return file.set(&["", "The page's own host."], "routes", Value::Rows(vec![route]));
    }
    let rows = patterns(values).map(|pattern| {
        let mut route = Table::default();
        route.set(&[], "pattern", Value::Text([host, pattern.as_str()].concat()));
        route.set(&[], "zone_name", text(&values.zone));
        route
    });
    let about = "The relay's path on the page's host. A pattern that ends with /* does not match the path itself.";
    file.set(&["", about], "routes", Value::Rows(rows.collect()));
}

fn assets(file: &mut Table, form: Form, values: &Values) {
    let mut assets = Table::default();
    if form == Form::Assets {
        assets.set(&[], "directory", text(&values.assets));
    }
    assets.set(&[], "not_found_handling", text("single-page-application"));
    assets.set(&[], "run_worker_first", Value::Texts(patterns(values).collect()));
    let about = ["", "The page. A path without a file gets index.html, but the relay's path always gets the relay."];
    file.set(&about, "assets", Value::Table(assets));
}

/// The relay's path, and all below it.
fn patterns(values: &Values) -> impl Iterator<Item = String> {
    let path = values.path.trim_end_matches('/').to_owned();
    let itself = (!path.is_empty()).then(|| path.clone());
    itself.into_iter().chain([format!("{path}/*")])
}

fn vars(values: &Values) -> Table {
    let mut access = Table::default();
    access.set(&[], "issuer", text(&values.issuer));
    access.set(&[], "audience", Value::Texts(vec![values.audience.clone()]));
    let mut route = Table::default();
    route.set(&[], "path", text(&values.path));
    route.set(&[], "upstream", text(&values.upstream));
    if values.strip_prefix {
        route.set(&[], "strip_prefix", Value::Boolean(true));
    }
    let mut relay = Table::default();
    let who = "Who may call: people with a token of this team, for the application in front of the page.";
    relay.set(&[who], "access", Value::Table(access));
    let leads = "Where it leads: the API behind Access. `npm run secrets` sets the service token that opens it.";
    relay.set(&[leads], "routes", Value::Tables(vec![route]));
    let mut vars = Table::default();
    vars.set(&[], "RELAY", Value::Table(relay));
    vars
}

/// A Worker's name: that of the project, or one made of the page's host. A name is an address within an account, and what has it
/// already would be deployed over.
#[must_use]
pub fn worker_name(form: Form, package: Option<&str>, host: &str) -> String {
    let plain = |text: &str| {
        let letters =
            text.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' });
        let name: String = letters.collect();
        name.trim_matches('-').chars().take(LONGEST_NAME).collect::<String>()
    };
    match package.map(plain).filter(|name| !name.is_empty()) {
        Some(name) => name,
        None => plain(&if form == Form::Route { format!("{host}-relay") } else { host.to_owned() }),
    }
}

/// wrangler: "1 to 63 characters", of which a preview's address needs some.
const LONGEST_NAME: usize = 50;
