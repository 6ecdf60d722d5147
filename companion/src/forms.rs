//! The forms that a project with the relay can have, and which of them fits a folder.

use access_relay_core::syntax::text::quoted;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::wrangler;

/// A form; each has a folder of its name in `templates/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// A Worker on a route of the page's host.
    Route,
    /// A page's files and its door in one Worker.
    Assets,
    /// Inside somebody's own Worker.
    Wrap,
    /// A Pages Function.
    Pages,
    /// A Vite project with Cloudflare's plugin.
    Vite,
}

impl Form {
    /// All of them.
    pub const ALL: [(&'static str, Self); 5] = [
        ("route", Self::Route),
        ("assets", Self::Assets),
        ("wrap", Self::Wrap),
        ("pages", Self::Pages),
        ("vite", Self::Vite),
    ];

    /// Reads its name.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(name: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, form)| *form).ok_or_else(|| {
            let names = Self::ALL.map(|(name, _)| name).join(", ");
            format!("--form: found {}; write one of {names}", quoted(name))
        })
    }
}

/// What is in a folder.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Folder {
    /// The files and folders in it, by path, with `/`; those of `public` and `dist` too.
    pub files: Vec<String>,
    /// The text of `package.json`.
    pub package: Option<String>,
    /// The name and the text of the file that wrangler would read.
    pub wrangler: Option<(String, String)>,
    /// The text of the Worker that it names.
    pub script: Option<String>,
}

/// The form that fits, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fit {
    /// The form.
    pub form: Form,
    /// What was found.
    pub why: String,
    /// Where the page's files are, if the form serves them.
    pub assets: Option<String>,
    /// Whether there is a project already, so that no page is needed to begin with.
    pub project: bool,
    /// The name in the wrangler file.
    pub name: Option<String>,
    /// The Worker that the wrangler file names.
    pub main: Option<String>,
    /// Whether the wrangler file has `RELAY`.
    pub relay: bool,
    /// Whether `init` wrote the wrangler file, and may write it again.
    pub ours: bool,
}

/// What a new folder may hold, and still be new: `npm install access-relay` leaves the first three.
const NEW: [&str; 9] = [
    "package.json",
    "package-lock.json",
    "node_modules",
    ".git",
    ".gitignore",
    "README.md",
    "LICENSE",
    ".npmrc",
    ".DS_Store",
];

/// What the first line of a wrangler file of `init`'s has.
pub const MARK: &str = "node_modules/access-relay/docs/configuration.md";

impl Folder {
    /// Which form fits.
    #[must_use]
    pub fn fit(&self) -> Fit {
        let is_new = |file: &str| NEW.contains(&file) || (file.starts_with("access-relay-") && file.ends_with(".tgz"));
        let wrangler = self.wrangler.as_ref().and_then(|(name, text)| wrangler::read(name, text).ok());
        let main = wrangler.as_ref().and_then(|table| table.get("main")?.as_str());
        let assets = self.assets();
        let (form, why) = self.form(wrangler.as_ref(), main, assets);
        Fit {
            form,
            why: why.to_owned(),
            assets: assets.map(str::to_owned),
            project: !self.files.iter().all(|file| is_new(file)),
            name: wrangler.as_ref().and_then(|table| table.get("name")?.as_str()).map(str::to_owned),
            main: main.map(str::to_owned),
            relay: wrangler.as_ref().and_then(|table| table.get("vars")?.get("RELAY")).is_some(),
            ours: self.wrangler.as_ref().is_some_and(|(_, text)| text.contains(MARK)),
        }
    }

    /// The page's files: what a build leaves, or else what needs none.
    fn assets(&self) -> Option<&'static str> {
        let is_built = self.package().get("scripts").and_then(|scripts| scripts.get("build")).is_some();
        let folders = if is_built { &["dist"][..] } else { &["dist", "public"] };
        folders.iter().copied().find(|folder| self.has(&format!("{folder}/index.html")))
    }

    fn form(&self, wrangler: Option<&Value>, main: Option<&str>, assets: Option<&str>) -> (Form, &'static str) {
        let wranglers = |key: &str| wrangler.is_some_and(|table| table.get(key).is_some());
        if wranglers("pages_build_output_dir") {
            return (Form::Pages, "the wrangler file is that of a Pages project");
        }
        if self.depends_on("@cloudflare/vite-plugin") {
            return (Form::Vite, "package.json has Cloudflare's Vite plugin");
        }
        if main.is_some_and(|main| !main.contains("access-relay/")) {
            return (Form::Wrap, "the wrangler file has a Worker");
        }
        if wranglers("assets") {
            return (Form::Assets, "the wrangler file has assets");
        }
        if main.is_some() {
            return (Form::Route, "the wrangler file is a relay's");
        }
        if self.has("functions") {
            return (Form::Pages, "there is a folder functions, as Pages has it");
        }
        let is_vites = |file: &String| file.starts_with("vite.config.");
        if self.depends_on("vite") || self.files.iter().any(is_vites) {
            return (Form::Vite, "it is a Vite project");
        }
        if assets.is_some() {
            return (Form::Assets, "there is a page's index.html");
        }
        (Form::Route, "the page is served from elsewhere")
    }

    fn has(&self, path: &str) -> bool {
        self.files.iter().any(|file| file == path)
    }

    /// Whether `package.json` has a package.
    #[must_use]
    pub fn depends_on(&self, package: &str) -> bool {
        let table = self.package();
        ["dependencies", "devDependencies"]
            .iter()
            .any(|kind| table.get(kind).is_some_and(|all| all.get(package).is_some()))
    }

    fn package(&self) -> Value {
        self.package.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}
