//! The files beside a wrangler file from which `wrangler dev` takes secrets. Their names are all that is known of them here.

use std::collections::BTreeSet;

use access_relay_core::config::secrets::secret_names;
use serde::Deserialize;

use crate::findings::Finding;
use crate::surroundings::around::Around;
use crate::surroundings::secrets::given_elsewhere;

/// A file of names and values, `.dev.vars` or `.env`, without the values.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct LocalFile {
    /// The file's own name.
    pub file: String,
    /// The names that have a value there.
    pub names: Vec<String>,
    /// Those of them whose value still has something in angle brackets, as an example's.
    #[serde(default)]
    pub unfilled: Vec<String>,
}

/// What `wrangler dev` would not find in the files that it reads, or would find as an example has it. Without any file, there is nothing
/// to say: many machines only deploy.
#[must_use]
pub fn lacking(around: &Around, beside: &[LocalFile]) -> Vec<Finding> {
    let Some(read) = read_by_wrangler(around, beside) else { return Vec::new() };
    let needed = secret_names(around.relay);
    let names: BTreeSet<&str> = read.iter().flat_map(|file| &file.names).map(String::as_str).collect();
    // An .env belongs to other programs, too. And a RELAY in the file, whose secrets may be others, takes the place of this one.
    let is_ours = read.iter().any(|file| is_dev_vars(file)) || needed.iter().any(|name| names.contains(name.as_str()));
    let given = given_elsewhere(around);
    let is_missing = |name: &&String| !names.contains(name.as_str()) && !given.contains(name.as_str());
    let missing: Vec<&str> = match is_ours && !names.contains("RELAY") {
        true => needed.iter().filter(is_missing).map(String::as_str).collect(),
        false => Vec::new(),
    };
    let files: Vec<&str> = read.iter().map(|file| file.file.as_str()).collect();
    let files = files.join(" and ");
    let at = format!("{}vars.RELAY", around.place);
    let mut found = Vec::new();
    if !missing.is_empty() {
        found.push(Finding::new(
            "wrangler::local_secret",
            at.as_str(),
            format!("found no {} in {files}", missing.join(", ")),
            "write each of them there: without it, `wrangler dev` serves nothing",
        ));
    }
    // What a later file says counts.
    let counts = |name: &String| {
        read.iter().rfind(|file| file.names.contains(name)).is_some_and(|file| file.unfilled.contains(name))
    };
    let unfilled: Vec<&str> = needed.iter().filter(|name| counts(name)).map(String::as_str).collect();
    if !unfilled.is_empty() {
        found.push(Finding::new(
            "wrangler::local_placeholder",
            at,
            format!("found {} in {files} as an example has it", unfilled.join(", ")),
            "write the service token's own value there: the relay refuses what stands in angle brackets",
        ));
    }
    found
}

fn is_dev_vars(file: &LocalFile) -> bool {
    file.file.starts_with(".dev.vars")
}

/// Which files wrangler reads, the last one that counts last: the environment's `.dev.vars`, else the one for all. Only if neither is
/// there, whichever of four `.env` are (wrangler's own reader, `getVarsForDev`).
fn read_by_wrangler<'f>(around: &Around, beside: &'f [LocalFile]) -> Option<Vec<&'f LocalFile>> {
    let environment = around.place.strip_prefix("env.").map(|name| name.trim_end_matches('.'));
    if around.is_preview() {
        return None;
    }
    let named = |name: String| beside.iter().find(|file| file.file == name);
    let own = environment.and_then(|environment| named(format!(".dev.vars.{environment}")));
    if let Some(file) = own.or_else(|| named(".dev.vars".to_owned())) {
        return Some(vec![file]);
    }
    let common = [".env", ".env.local"].map(str::to_owned).into_iter();
    let own = environment.map(|name| [format!(".env.{name}"), format!(".env.{name}.local")]).into_iter().flatten();
    let read: Vec<&LocalFile> = common.chain(own).filter_map(named).collect();
    (!read.is_empty()).then_some(read)
}
