//! A file of whatever kind: what it is, which of its applications is meant, and what that one says in the relay's words.

use access_relay_core::syntax::text::quoted;
use serde::Deserialize;
use serde_json::Value;

use crate::document::Language;
use crate::findings::LineStarts;
use crate::import::found::Application;
use crate::import::moved::{Moved, moved};
use crate::import::term::{Term, harmless};
use crate::import::{access, fusionauth, hcl, sample, terraform, traefik, yaml};
use crate::wrangler;

/// What somebody wants.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wish {
    /// The kind of the file; else it is told by what is in it.
    pub from: Option<String>,
    /// Which application, if there are several.
    pub name: Option<String>,
    /// Whether to write JSON with comments, and not TOML.
    pub jsonc: bool,
}

/// Moves the policy in the text of a file.
///
/// # Errors
/// It cannot be read, or it is not clear what is meant: what was found, and what to write.
pub fn import(file: &str, text: &str, wish: &Wish) -> Result<Moved, Vec<String>> {
    let text = wrangler::body(text);
    let kind = wish.from.as_deref().map(Kind::parse).transpose().map_err(|error| vec![error])?;
    let found = read(file, text, kind).map_err(|error| vec![harmless(&error)])?;
    let application = chosen(&found, wish.name.as_deref())?;
    Ok(moved(application, if wish.jsonc { Language::Jsonc } else { Language::Toml }))
}

/// What can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Access,
    TerraformJson,
    Terraform,
    FusionAuth,
    Traefik,
    Sample,
}

const KINDS: [(&str, Kind); 6] = [
    ("access", Kind::Access),
    ("terraform-json", Kind::TerraformJson),
    ("terraform", Kind::Terraform),
    ("fusionauth", Kind::FusionAuth),
    ("traefik", Kind::Traefik),
    ("sample", Kind::Sample),
];

impl Kind {
    fn parse(name: &str) -> Result<Self, String> {
        let kind = KINDS.iter().find(|(other, _)| *other == name).map(|(_, kind)| *kind);
        kind.ok_or_else(|| format!("--from: found {}; write one of {}", quoted(&harmless(name)), names()))
    }
}

fn names() -> String {
    KINDS.map(|(name, _)| name).join(", ")
}

/// So many bytes are read: the state of a large Terraform project has this much.
const LONGEST: usize = 4 * 1024 * 1024;

/// Of Terraform's own language, and of scripts, which people write by hand, less is read: some of it takes time with the square
/// of the length.
const LONGEST_BY_HAND: usize = 128 * 1024;

/// Deeper than any of these files; what reads them calls itself for each level.
const DEEPEST: usize = 100;

fn read(file: &str, text: &str, kind: Option<Kind>) -> Result<Vec<Application>, String> {
    if text.len() > LONGEST {
        return Err(format!("found {} bytes; write {LONGEST} at most: the application alone is enough", text.len()));
    }
    // What reads YAML calls itself for nothing, and counts for itself.
    if !is_yaml(file) && is_deep(text) {
        return Err(format!("found brackets within brackets, more than {DEEPEST} deep; write the application alone"));
    }
    if let Some(table) = data(file, text, kind)? {
        return of_data(&table, kind);
    }
    if text.len() > LONGEST_BY_HAND {
        return Err(format!(
            "found {} bytes; write {LONGEST_BY_HAND} at most, or, of Terraform, what `terraform show -json` prints",
            text.len()
        ));
    }
    match kind.or_else(|| kind_of_text(file, text)) {
        Some(Kind::Terraform) => hcl::applications(text),
        Some(Kind::Sample) => Ok(vec![sample::script(text)]),
        Some(Kind::Traefik) => Ok(yaml::documents(text)?.iter().flat_map(traefik::applications).collect()),
        Some(_) => Err("found no JSON; write what the API answers, or what `terraform show -json` prints".to_owned()),
        None => Err(unclear()),
    }
}

fn unclear() -> String {
    format!("found nothing of a kind that can be imported; name the kind, as in --from {}", names().replace(", ", "|"))
}

/// A text in TOML or JSON, by the file's name; why it is none, and where.
fn value_of(file: &str, text: &str) -> Result<Value, String> {
    wrangler::read(file, text).map_err(|finding| {
        let place = finding.span.as_ref().map(|span| LineStarts::of(text).place(span));
        let at = place.map(|place| format!("line {}, column {}: ", place.line, place.column));
        at.unwrap_or_default() + &finding.found
    })
}

/// JSON or TOML, if the file is in one of them.
fn data(file: &str, text: &str, kind: Option<Kind>) -> Result<Option<Value>, String> {
    let name = file.to_ascii_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    if matches!(kind, Some(Kind::Terraform)) && !ends(&[".json"])
        || ends(&[".tf", ".hcl", ".tofu", ".js", ".mjs", ".ts"])
        || is_yaml(file)
    {
        return Ok(None);
    }
    if ends(&[".toml"]) {
        return value_of("file.toml", text).map(Some);
    }
    let begins = text.trim_start();
    if ends(&[".json", ".jsonc"]) || begins.starts_with('{') {
        return value_of("file.json", text).map(Some);
    }
    if begins.starts_with('[') {
        let json = value_of("file.json", text);
        return json.or_else(|error| value_of("file.toml", text).map_err(|_| error)).map(Some);
    }
    // TOML by another name; of anything else, this is not the place to say what is wrong with it.
    Ok(value_of("file.toml", text).ok().filter(|table| table.as_object().is_some_and(|table| !table.is_empty())))
}

fn of_data(file: &Value, kind: Option<Kind>) -> Result<Vec<Application>, String> {
    let table = Term::from(file);
    let has = |key: &str| table.at(key).is_some();
    let is_terraform =
        ["values", "planned_values", "format_version"].into_iter().any(has) || terraform::is_state_file(file);
    let kind = kind.or_else(|| {
        let access_keys = ["result", "success", "cors_headers", "options_preflight_bypass", "aud", "domain"];
        let first = table.items().first();
        Some(match () {
            () if is_terraform => Kind::TerraformJson,
            () if ["systemConfiguration", "corsConfiguration", "requests"].into_iter().any(has) => Kind::FusionAuth,
            () if sample::is_like_file(file) => Kind::Sample,
            () if traefik::is_like(&table) => Kind::Traefik,
            () if access_keys.into_iter().any(|key| has(key) || first.is_some_and(|one| one.at(key).is_some())) => {
                Kind::Access
            }
            () => return None,
        })
    });
    let Some(kind) = kind else { return Err(unclear()) };
    match kind {
        Kind::Access => access::applications(&table),
        Kind::TerraformJson | Kind::Terraform if is_terraform => terraform::applications(file),
        Kind::TerraformJson | Kind::Terraform => {
            Err("found other JSON than that of Terraform; write what `terraform show -json` prints".to_owned())
        }
        Kind::FusionAuth => fusionauth::applications(&table),
        Kind::Traefik => Ok(traefik::applications(&table)),
        Kind::Sample => Ok(sample::file(file)),
    }
}

fn kind_of_text(file: &str, text: &str) -> Option<Kind> {
    let name = file.to_ascii_lowercase();
    if [".tf", ".hcl", ".tofu"].iter().any(|ending| name.ends_with(ending)) || text.contains("resource \"") {
        return Some(Kind::Terraform);
    }
    if is_yaml(file) {
        return Some(Kind::Traefik);
    }
    if sample::is_like(text) {
        return Some(Kind::Sample);
    }
    text.to_ascii_lowercase().contains("accesscontrol").then_some(Kind::Traefik)
}

fn is_yaml(file: &str) -> bool {
    let name = file.to_ascii_lowercase();
    name.ends_with(".yaml") || name.ends_with(".yml")
}

/// Whether brackets stand deeper within each other than any of these files has them. Those in quotes do not count, and a quote in a
/// comment hides what follows: it is a bound, and what reads the file has its own, too.
fn is_deep(text: &str) -> bool {
    let mut depth = 0_usize;
    let mut in_text = false;
    let mut is_escaped = false;
    for byte in text.bytes() {
        if in_text {
            in_text = is_escaped || byte != b'"';
            is_escaped = byte == b'\\' && !is_escaped;
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'[' | b'{' | b'(' => depth += 1,
            b']' | b'}' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return true;
        }
    }
    false
}

/// The one that is meant: by its name, or the only one with a policy, or the only one.
fn chosen<'a>(found: &'a [Application], name: Option<&str>) -> Result<&'a Application, Vec<String>> {
    let named: Vec<&Application> = found.iter().filter(|one| name.is_none_or(|name| one.is_called(name))).collect();
    let with_policy: Vec<&Application> = named.iter().copied().filter(|one| one.policy.is_some()).collect();
    match (named.as_slice(), with_policy.as_slice(), name) {
        ([one], _, _) | (_, [one], _) => Ok(one),
        ([], _, Some(name)) if !found.is_empty() => Err(listed(
            &format!("--name: found no application {}; write one of these", quoted(&harmless(name))),
            found.iter(),
        )),
        ([], ..) => {
            Err(vec!["found no application, middleware or configuration that could have a CORS policy".to_owned()])
        }
        (_, [], _) => Err(listed("found several applications, none of them with a CORS policy", named.into_iter())),
        _ => Err(listed("found several applications with a CORS policy; name one by --name", with_policy.into_iter())),
    }
}

/// A line, and one for each application.
fn listed<'a>(line: &str, applications: impl Iterator<Item = &'a Application>) -> Vec<String> {
    const MOST: usize = 50;
    let shown = |text: &String| quoted(&harmless(text));
    let mut lines = vec![format!("{line}:")];
    let mut applications = applications;
    for one in applications.by_ref().take(MOST) {
        let words: Vec<String> =
            std::iter::once(&one.name).chain(&one.others).filter(|word| !word.is_empty()).map(shown).collect();
        lines.push(if words.is_empty() {
            "  one without a name".to_owned()
        } else {
            format!("  {}", words.join(", or "))
        });
    }
    match applications.count() {
        0 => {}
        more => lines.push(format!("  and {more} more")),
    }
    lines
}
