//! What is looked at: a page, the relay's paths on its host, and the APIs behind them.

use std::rc::Rc;

use access_relay_core::config::types::Config;
use access_relay_core::rules::cors::Policy;
use access_relay_core::rules::route::{Credentials, Route};
use access_relay_core::rules::upstream::{Upstream, parse_server};
use access_relay_core::syntax::origin::{Origin, split_authority, split_scheme};
use access_relay_core::syntax::path::Prefix;
use serde::Deserialize;
use serde_json::Value;

use crate::addresses::address;
use crate::explain::explanation;
use crate::{shown, wrangler};

/// What somebody says of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Said {
    /// The page's address, with the relay's path if there is no file.
    pub url: Option<String>,
    /// The API's address, if there is no file.
    pub api: Option<String>,
    /// The one path that is meant.
    pub path: Option<String>,
    /// Other addresses of the Worker.
    pub doors: Vec<String>,
    /// The wrangler file's name.
    pub file: Option<String>,
    /// Its text.
    pub text: String,
    /// The environment that is meant.
    pub environment: Option<String>,
    /// The names of the values that are there, as secrets are named.
    pub secrets: Vec<String>,
    /// A person's token.
    pub person: Option<String>,
}

/// Why there is nothing to look at.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// It is not clear what is meant.
    Unclear(Vec<String>),
    /// The file cannot serve; `check` says why.
    Unsound,
}

/// What is looked at.
#[derive(Debug)]
pub struct Subject {
    /// The page's origin.
    pub page: Origin,
    /// The page's own path.
    pub page_path: String,
    /// The relay's paths, so many as are looked at.
    pub paths: Vec<Target>,
    /// How many there are.
    pub all_paths: usize,
    /// Other addresses of the Worker.
    pub doors: Vec<String>,
    /// The configuration, if there is a file.
    pub config: Option<Config>,
    /// What the file says of `workers.dev`.
    pub workers_dev: Option<bool>,
    /// The names of the secrets that are bindings of a Secrets Store.
    pub stored: Vec<String>,
    /// The names of the values that are there.
    pub secrets: Vec<String>,
    /// A person's token.
    pub person: Option<String>,
}

/// A path of the relay's, and what it leads to.
#[derive(Debug)]
pub struct Target {
    /// The path on the page's host, without a slash at the end.
    pub path: String,
    /// The API, if it is known, and on a public network.
    pub api: Option<Api>,
    /// Who may call it from other origins, if that is known.
    pub cors: Option<Rc<Policy>>,
}

/// What a path leads to.
#[derive(Debug)]
pub struct Api {
    /// The address that a call below the path leads to.
    pub url: String,
    /// Its origin.
    pub origin: Origin,
    /// The prefix of the names of its service token; none if the caller's own token opens it.
    pub service_token: Option<String>,
}

/// More paths than these take too many requests.
const MOST_PATHS: usize = 2;
/// And more doors.
const MOST_DOORS: usize = 3;
/// Whatever is below a path; nobody has it.
pub const BELOW: &str = "/access-relay-doctor";

impl Subject {
    /// Reads what is said.
    ///
    /// # Errors
    /// It is not clear what is meant, or the file cannot serve.
    pub fn of(said: &Said) -> Result<Self, Failure> {
        let unclear = |error: String| Failure::Unclear(vec![error]);
        let table = said.file.as_ref().map(|file| wrangler::read(file, wrangler::body(&said.text)));
        let table = table.transpose().map_err(|_| Failure::Unsound)?;
        let environment = said.environment.as_deref();
        let read = |file: &String| explanation::config(file, &said.text, environment).ok_or(Failure::Unsound);
        let config = said.file.as_ref().map(read).transpose()?;
        let around = Around { file: table.as_ref(), environment };

        let told = said.url.clone().or_else(|| around.host().map(|host| format!("https://{host}")));
        let told = told.ok_or_else(|| {
            unclear(
                "the page's address is missing; write it, as in access-relay doctor https://app.example.com".to_owned(),
            )
        })?;
        let (page, path) = read_address("URL", &told).map_err(unclear)?;
        if said.doors.len() > MOST_DOORS {
            return Err(unclear(format!("--door: found {}; write {MOST_DOORS} at most", said.doors.len())));
        }
        let door = |door: &String| read_address("--door", door).map(|(origin, _)| origin.as_str().to_owned());
        let doors = said.doors.iter().map(door).collect::<Result<_, _>>().map_err(unclear)?;
        let mut paths = match &config {
            Some(config) => config.routes.iter().map(Target::of).collect(),
            None => vec![Target::said(said, &path).map_err(unclear)?],
        };
        let all_paths = paths.len();
        if let Some(wanted) = &said.path {
            paths.retain(|target: &Target| target.path == wanted.trim_end_matches('/'));
            if paths.is_empty() {
                return Err(unclear(format!("--path: found {}; the file has no such route", shown::clean(wanted))));
            }
        }
        paths.truncate(MOST_PATHS);
        let page_path = if config.is_some() { path } else { "/".to_owned() };
        Ok(Self {
            page,
            page_path,
            paths,
            all_paths,
            doors,
            workers_dev: config.as_ref().and(around.get("workers_dev")).and_then(Value::as_bool),
            stored: around.stored(),
            config,
            secrets: said.secrets.clone(),
            person: said.person.clone(),
        })
    }

    /// An address on the page's host.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        [self.page.as_str(), if path.is_empty() { "/" } else { path }].concat()
    }
}

impl Target {
    /// As a configuration has it.
    fn of(route: &Rc<Route>) -> Self {
        let path = route.prefix.as_str().trim_end_matches('/').to_owned();
        let service_token = match &route.credentials {
            Credentials::ServiceToken(token) => Some(Some(token.name.clone())),
            Credentials::CallerToken => Some(None),
            Credentials::Nothing => None,
        };
        let service_token = service_token.filter(|_| route.binding.is_none());
        let called = if route.strip_prefix { BELOW.to_owned() } else { [&path, BELOW].concat() };
        let api = service_token.map(|service_token| Api::of(&route.upstream, &called, service_token));
        let cors = Policy::of_path(&route.cors, &[&path, BELOW].concat());
        Self { path, api, cors: Some(cors) }
    }

    /// As somebody says it, who has no file.
    fn said(said: &Said, path: &str) -> Result<Self, String> {
        let path = if path == "/" { said.path.as_deref().unwrap_or("/api") } else { path };
        let prefix = Prefix::parse(path).map_err(|error| format!("the relay's path: {error}"))?;
        let path = prefix.as_str().trim_end_matches('/').to_owned();
        let api = said.api.as_ref().map(|api| {
            let (origin, base) = read_address("--api", api)?;
            let upstream = Upstream::parse(&[origin.as_str(), base.trim_end_matches('/')].concat())?;
            Ok::<_, String>(Api::of(&upstream, &[&path, BELOW].concat(), Some("CF_ACCESS".to_owned())))
        });
        Ok(Self { path, api: api.transpose()?, cors: None })
    }

    /// The path of something below it.
    #[must_use]
    pub fn below(&self) -> String {
        [&self.path, BELOW].concat()
    }
}

impl Api {
    fn of(upstream: &Upstream, called: &str, service_token: Option<String>) -> Self {
        let url = [upstream.origin.as_str(), &upstream.base_path, called].concat();
        Self { url, origin: upstream.origin.clone(), service_token }
    }
}

fn read_address(name: &str, text: &str) -> Result<(Origin, String), String> {
    address(text).map_err(|error| format!("{name}: found {}; {error}", shown::url(text)))
}

/// What stands around RELAY in a file, in one environment.
struct Around<'v> {
    file: Option<&'v Value>,
    environment: Option<&'v str>,
}

impl<'v> Around<'v> {
    /// A key that environments inherit (wrangler, "Inheritable keys").
    fn get(&self, key: &str) -> Option<&'v Value> {
        self.own(key).or_else(|| self.file?.get(key))
    }

    fn own(&self, key: &str) -> Option<&'v Value> {
        self.file?.get("env")?.get(self.environment?)?.get(key)
    }

    /// The first host that a route names.
    fn host(&self) -> Option<String> {
        let many = self.get("routes").and_then(Value::as_array).into_iter().flatten();
        let hosts = many.chain(self.get("route")).filter_map(|route| {
            let pattern = route.as_str().or_else(|| route.get("pattern")?.as_str())?;
            let (host, _) = split_authority(split_scheme(pattern).map_or(pattern, |(_, rest)| rest));
            parse_server(&format!("https://{host}")).ok().map(|_| host.to_owned())
        });
        hosts.into_iter().find(|host| !host.contains(['*', '<']))
    }

    /// The names of the bindings of a Secrets Store, which are not inherited.
    fn stored(&self) -> Vec<String> {
        let table = if self.environment.is_some() {
            self.own("secrets_store_secrets")
        } else {
            self.get("secrets_store_secrets")
        };
        let bindings = table.and_then(Value::as_array).into_iter().flatten();
        bindings.filter_map(|binding| Some(binding.get("binding")?.as_str()?.to_owned())).collect()
    }
}
