//! The companion, as JavaScript calls it: texts in, texts out, of which those with more than one part are JSON.

use access_relay_companion::addresses::{Addresses, Said};
use access_relay_companion::doctor::report::{self as doctor, Next};
use access_relay_companion::doctor::seen::Answers;
use access_relay_companion::doctor::subject::{self, Subject};
use access_relay_companion::doctor::told as diagnosis;
use access_relay_companion::document::Language;
use access_relay_companion::explain::asked::Question;
use access_relay_companion::explain::explanation::{self, Failure};
use access_relay_companion::explain::told;
use access_relay_companion::forms::{Folder, Form};
use access_relay_companion::har::file::{Har, decoded};
use access_relay_companion::har::{self, report, safe};
use access_relay_companion::import::file::{self, Wish};
use access_relay_companion::import::write::{Outcome, Target, write};
use access_relay_companion::project::{self, Known, Values};
use access_relay_companion::surroundings::local::LocalFile;
use access_relay_companion::view::Seen;
use access_relay_companion::{check, look, metadata, schema, suffixes};
use access_relay_core::caller::jwk::Jwk;
use access_relay_core::syntax::redact;
use js_sys::{Array, Function, Uint8Array};
use serde::{Deserialize, Serialize};
use serde_json::json;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

/// What is wrong with a wrangler file: `{sound, warnings, mistakes}`. `sound` is a list of lines; of the others, each has `code`, `path`,
/// `found`, `help` and `place`. `marked` has the same as people read it, with colours or without. If an `environment` is named, nothing
/// else is looked at. `beside` are the files of secrets that lie beside it: a list of `{file, names, unfilled}`, without any value.
#[wasm_bindgen]
#[must_use]
#[allow(clippy::needless_pass_by_value, reason = "what JavaScript hands over is ours")]
pub fn check_file(name: &str, text: &str, environment: Option<String>, colours: bool, beside: &str) -> String {
    let beside: Vec<LocalFile> = read(beside).unwrap_or_default();
    let findings = check::among_files(name, text, environment.as_deref(), &beside);
    let marked = check::marked(&findings, name, text, colours);
    json!({ "sound": findings.sound, "warnings": findings.warnings, "mistakes": findings.mistakes, "marked": marked })
        .to_string()
}

/// A text without secrets. AUD tags show.
#[wasm_bindgen]
#[must_use]
pub fn redacted(text: &str) -> String {
    redact::redacted_line(text, []).into_owned()
}

/// The JSON Schema of a wrangler file with `RELAY`; `wranglers` is where wrangler's own schema lies.
#[wasm_bindgen]
#[must_use]
pub fn schema_of_file(wranglers: &str) -> String {
    format!("{:#}\n", schema::schema(wranglers))
}

/// The same with wrangler's own within, of this version: `{text}`, or `{error}`.
#[wasm_bindgen]
#[must_use]
pub fn bundled_schema(wranglers: &str, version: &str) -> String {
    told(&schema::bundled(wranglers, version).map(|schema| json!({ "text": format!("{schema:#}\n") })))
}

/// What both call themselves.
#[wasm_bindgen]
#[must_use]
pub fn schema_title() -> String {
    schema::TITLE.to_owned()
}

/// The TypeScript declarations of the package.
#[wasm_bindgen]
#[must_use]
pub fn types() -> String {
    schema::types()
}

/// Which form fits a folder: `{form, why, assets, project, name, main, relay, ours}`.
#[wasm_bindgen]
#[must_use]
pub fn fit(folder: &str) -> String {
    told(&read::<Folder>(folder).map(|folder| folder.fit()))
}

/// What a person has to do in a folder that is a project already, for this form: `{steps}`. Or `{error}`: the form, the path or the
/// name cannot be.
#[wasm_bindgen]
#[must_use]
pub fn by_hand(form: &str, folder: &str, path: &str, name: Option<String>) -> String {
    let steps = || {
        let form = Form::parse(form)?;
        project::check_path(form, path)?;
        name.as_deref().map_or(Ok(()), project::check_name)?;
        Ok::<_, String>(json!({ "steps": project::by_hand(form, &read(folder)?, path) }))
    };
    told(&steps())
}

/// What to ask of a page and an API, of what is `said` of both: `{asks, request, answer, host, zone, upstream, loopback}`, or
/// `{errors}`. `request` and `answer` are the headers for the signed word of Access.
#[wasm_bindgen]
#[must_use]
pub fn plan(said: &str) -> String {
    match read_said(said) {
        Err(errors) => json!({ "errors": errors }).to_string(),
        Ok((_, addresses)) => {
            let page = &addresses.page;
            json!({
                "asks": addresses.asks(),
                "request": metadata::REQUEST,
                "answer": metadata::ANSWER,
                "host": page.host(),
                "zone": suffixes::registrable(page.host()),
                "upstream": addresses.upstream(),
                "loopback": page.is_loopback(),
            })
            .to_string()
        }
    }
}

/// Where the keys lie that a token of Access about `url` has to be signed by: `{keys}`, or `{error}`.
#[wasm_bindgen]
#[must_use]
pub fn metadata_keys(token: &str, url: &str) -> String {
    let team = metadata::origin_of(url).and_then(|url| metadata::issuer(token, &url));
    told(&team.map(|team| json!({ "keys": metadata::keys_url(&team) })))
}

/// The key that signed such a token, out of a team's key set: `{n, e}` in base64url, or `{error}`.
#[wasm_bindgen]
#[must_use]
pub fn metadata_key(token: &str, certs: &str) -> String {
    told(&metadata::key(token, certs).map(|key| json!({ "n": key.n, "e": key.e })))
}

/// What such a token, whose signature holds, says of `url` at `now`, in seconds since the epoch: `{aud, issuer}`, or `{error}`.
#[wasm_bindgen]
#[must_use]
pub fn metadata_read(token: &str, url: &str, now: f64) -> String {
    let read = metadata::origin_of(url).and_then(|url| metadata::read(token, &url, seconds(now)));
    told(&read.map(|(found, team)| json!({ "aud": found.aud, "issuer": team.as_str() })))
}

/// What the doctor does next, at `now` in seconds since the epoch: `{asks, page}`, of which each is asked in turn and what came of it put
/// into `answers` by its `id`; or `{report, told}`, of which `told` is the same as people read it. `said` is as
/// `access_relay_companion::doctor::subject::Said` has it. Or `{errors}`: it is not clear what is meant. Or `{unsound}`: `check_file` says
/// what is wrong with the file.
#[wasm_bindgen]
#[must_use]
pub fn doctor_next(said: &str, answers: &str, now: f64, colours: bool) -> String {
    let subject = match read::<subject::Said>(said).map(|said| Subject::of(&said)) {
        Ok(Ok(subject)) => subject,
        Ok(Err(subject::Failure::Unclear(errors))) => return json!({ "errors": errors }).to_string(),
        Ok(Err(subject::Failure::Unsound)) => return json!({ "unsound": true }).to_string(),
        Err(error) => return json!({ "errors": [error] }).to_string(),
    };
    told(&read::<Answers>(answers).map(|answers| match doctor::next(&subject, &answers, seconds(now)) {
        Next::Asks(asks) => json!({ "asks": asks, "page": subject.at(&subject.page_path) }),
        Next::Report(report) => json!({ "told": diagnosis::told(&report, colours), "report": report }),
    }))
}

/// What the answers mean: `{seen, mistakes, warnings, unseen, issuer, audience}`, or `{errors}`. `seen` is a list of what came of each
/// ask, `now` in seconds since the epoch.
#[wasm_bindgen]
#[must_use]
pub fn judge(said: &str, seen: &str, now: f64) -> String {
    let (said, addresses) = match read_said(said) {
        Ok(read) => read,
        Err(errors) => return json!({ "errors": errors }).to_string(),
    };
    told(&read::<Vec<Seen>>(seen).map(|seen| look::judge(&said, &addresses, &seen, seconds(now))))
}

/// A project's wrangler file of this name: `{text}`, and in `alone` RELAY by itself, for a file that is there already; whether
/// something is left to fill in: `{unfinished}`; what stands in its way: `{warnings}`. Or `{error}`.
#[wasm_bindgen]
#[must_use]
pub fn wrangler_file(form: &str, name: &str, known: &str) -> String {
    let written = || {
        let form = Form::parse(form)?;
        let values = Values::of(read::<Known>(known)?);
        let language = Language::of(name);
        let (text, unfinished) = project::wrangler_file(form, language, &values);
        Ok::<_, String>(json!({
            "text": text,
            "alone": project::relay_alone(language, &values),
            "unfinished": unfinished,
            "warnings": project::warnings(form, &values),
        }))
    };
    told(&written())
}

/// The policy in a file of somebody else's, in the relay's words: `{text, notes, mistakes}`. `options` are `{from, name, jsonc}`. Or
/// `{errors}`: it cannot be read, or it is not clear what is meant.
#[wasm_bindgen]
#[must_use]
pub fn import_policy(name: &str, text: &str, options: &str) -> String {
    let wish = read::<Wish>(options).map_err(|error| vec![error]);
    match wish.and_then(|wish| file::import(name, text, &wish)) {
        Ok(moved) => json!(moved),
        Err(errors) => json!({ "errors": errors }),
    }
    .to_string()
}

/// What becomes of one request, by the wrangler file of this name and text: `{explanation, told}`, of which `told` is the same as people
/// read it; `question` is as `access_relay_companion::explain::asked::Question` has it. Or `{errors}`: it is not clear what is asked. Or
/// `{unsound}`: `check_file` says what is wrong with the file.
///
/// `har` are the bytes of a recording, if the question is about one. `verify` is called with `n` and `e` of a key, in base64url, with what was signed, and with the signature, and says whether RS256 holds.
#[wasm_bindgen]
#[must_use]
#[allow(clippy::needless_pass_by_value, reason = "what JavaScript hands over is ours")]
pub fn explain_request(
    question: &str,
    har: &[u8],
    name: &str,
    text: &str,
    environment: Option<String>,
    colours: bool,
    verify: &Function,
) -> String {
    let holds = |key: &Jwk, signed: &[u8], signature: &[u8]| {
        let bytes = |bytes: &[u8]| JsValue::from(Uint8Array::from(bytes));
        let arguments = Array::of4(&(&key.n).into(), &(&key.e).into(), &bytes(signed), &bytes(signature));
        verify.apply(&JsValue::NULL, &arguments).is_ok_and(|holds| holds.is_truthy())
    };
    let question = match read::<Question>(question) {
        Ok(question) => question,
        Err(error) => return json!({ "errors": [error] }).to_string(),
    };
    match explanation::explain(&question, har, name, text, environment.as_deref(), &holds) {
        Ok(explanation) => json!({ "told": told::told(&explanation, name, colours), "explanation": explanation }),
        Err(Failure::Unclear(errors)) => json!({ "errors": errors }),
        Err(Failure::Unsound) => json!({ "unsound": true }),
    }
    .to_string()
}

/// A recording (HAR), which comes in parts: it may be large, and is here once.
#[wasm_bindgen]
pub struct Recording(Vec<u8>);

#[wasm_bindgen]
impl Recording {
    /// Room for so many bytes.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(length: usize) -> Self {
        Self(Vec::with_capacity(length))
    }

    /// The next part.
    pub fn add(&mut self, part: &[u8]) {
        self.0.extend_from_slice(part);
    }

    /// What failed in it, and why: `{report, told}`, of which `told` is the same as people read it; with the console's log, or an empty
    /// text. If there is a sound `RELAY` in the wrangler file of this name and text, it is held against that. Or `{errors}`.
    #[must_use]
    pub fn report(&self, console: &str, name: &str, text: &str, colours: bool) -> String {
        har_report(&self.0, console, name, text, colours)
    }

    /// A copy that is safe to share: `{text}`, or `{error}`.
    #[must_use]
    pub fn redacted(&self) -> String {
        har_redacted(&self.0)
    }
}

/// The same as `Recording` reports, of all its bytes at once.
#[wasm_bindgen]
#[must_use]
pub fn har_report(bytes: &[u8], console: &str, name: &str, text: &str, colours: bool) -> String {
    let config = explanation::config(name, text, None);
    match report::report(bytes, console, config.as_ref()) {
        Ok(report) => json!({ "told": har::told::told(&report, colours), "report": report }),
        Err(error) => json!({ "errors": [error] }),
    }
    .to_string()
}

/// The same copy, of all its bytes at once.
#[wasm_bindgen]
#[must_use]
pub fn har_redacted(bytes: &[u8]) -> String {
    told(&Har::read(&decoded(bytes)).map(|har| json!({ "text": safe::copy(&har) })))
}

/// The policy of `import_policy`, put into a wrangler file: `{text, told, refused, notes, mistakes, sound, warnings, wrong, marked}`. `target` is `{file,
/// text, environment, overwrite}`. `text` is the whole file, or null if it is not to be written; what `check` finds in it is in the last
/// four. Or `{errors}`.
#[wasm_bindgen]
#[must_use]
pub fn write_policy(name: &str, text: &str, options: &str, target: &str, colours: bool) -> String {
    let written = || {
        let wish = read::<Wish>(options).map_err(|error| vec![error])?;
        let target = read::<Target>(target).map_err(|error| vec![error])?;
        let moved = file::import(name, text, &wish)?;
        let Outcome { text, told, refused, findings, checked } = write(&moved, &target)?;
        let marked = checked.map(|checked| check::marked(&findings, &target.file, &checked, colours));
        Ok::<_, Vec<String>>(json!({
            "text": text,
            "told": told,
            "refused": refused,
            "notes": moved.notes,
            "mistakes": moved.mistakes,
            "sound": findings.sound,
            "warnings": findings.warnings,
            "wrong": findings.mistakes,
            "marked": marked.unwrap_or_default(),
        }))
    };
    written().unwrap_or_else(|errors| json!({ "errors": errors })).to_string()
}

/// A name for the Worker: that of the package, or one made of the page's host.
#[wasm_bindgen]
#[must_use]
pub fn worker_name(form: &str, package: Option<String>, host: &str) -> String {
    let form = Form::parse(form).unwrap_or(Form::Route);
    project::worker_name(form, package.as_deref(), host)
}

fn read_said(said: &str) -> Result<(Said, Addresses), Vec<String>> {
    let said: Said = read(said).map_err(|error| vec![error])?;
    let addresses = Addresses::parse(&said)?;
    Ok((said, addresses))
}

#[allow(clippy::cast_possible_truncation, reason = "a float holds every second of the next 100 million years")]
const fn seconds(now: f64) -> i64 {
    now as i64
}

fn read<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// A result as JSON, or `{error}`.
fn told<T: Serialize>(result: &Result<T, String>) -> String {
    match result {
        Ok(value) => json!(value),
        Err(error) => json!({ "error": error }),
    }
    .to_string()
}
