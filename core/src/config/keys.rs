//! The one description of every key of `RELAY`. The reader takes names, bounds and defaults from here; `docs/configuration.md` is
//! held to it by a test.
//!
//! To add a key, write its line below, and read it in [`crate::config::parse`], or in `cors` or `route` beside it.

use crate::syntax::text::quoted;

use Absent::{Is, Nothing, Required, SameAs};
use Kind::{Boolean, Integer, OneOf, Table, Tables, Text, Texts};

/// A key, as far as reading needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its name in its table.
    pub name: &'static str,
    /// What its value may be.
    pub kind: Kind,
    /// What holds where it is not there.
    pub absent: Absent,
}

impl Key {
    /// Its default, in TOML; empty where there is none.
    #[must_use]
    pub const fn default_toml(self) -> &'static str {
        match self.absent {
            Is(toml) => toml,
            _ => "",
        }
    }

    /// The same, where it is a text.
    #[must_use]
    pub fn default_text(self) -> &'static str {
        self.default_toml().trim_matches('"')
    }

    /// What to write in place of what is no text, or none of those that it may be.
    #[must_use]
    pub fn text_expected(self) -> String {
        match self.kind {
            OneOf([choices @ .., last]) => {
                let choices: Vec<String> = choices.iter().map(|choice| quoted(choice)).collect();
                format!("write {} or {}", choices.join(", "), quoted(last))
            }
            Text(example) => format!("write a text, as in {}", quoted(example)),
            _ => "write a text".to_owned(),
        }
    }
}

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text, such as this one.
    Text(&'static str),
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// `true` or `false`.
    Boolean,
    /// A whole number from the first to the second, of this unit.
    Integer(i64, i64, &'static str),
    /// A list of texts, such as this one, in TOML.
    Texts(&'static str),
    /// A table.
    Table,
    /// A list of tables.
    Tables,
}

/// What holds where a key is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// It must be there.
    Required,
    /// Nothing.
    Nothing,
    /// This value, in TOML.
    Is(&'static str),
    /// What another key says.
    SameAs(&'static str),
}

/// A key, as people need it.
#[derive(Debug, Clone, Copy)]
pub struct Description {
    /// Which table it stands in.
    pub table: &'static str,
    /// The key.
    pub key: &'static Key,
    /// One sentence that says what it does.
    pub meaning: &'static str,
    /// The version that has it first.
    pub since: &'static str,
}

impl Description {
    /// Where it stands in `RELAY`, as in `routes[].path`.
    #[must_use]
    pub fn path(&self) -> String {
        let before = match self.table {
            "access" => "access.",
            "routes" => "routes[].",
            "cors" => "cors.",
            _ => "",
        };
        [before, self.key.name].concat()
    }

    /// The section of the docs that has it.
    #[must_use]
    pub fn section(&self) -> &'static str {
        match self.path().split(['.', '[']).next() {
            Some("access") => "configuration.md#who-may-call",
            Some("routes") => "configuration.md#where-it-leads",
            Some("cors") => "configuration.md#other-origins",
            _ => "configuration.md#what-is-told",
        }
    }
}

macro_rules! keys {
    ($($(#[$about:meta])* $table:ident {
        $($constant:ident = $name:literal: $kind:expr, $absent:expr, since $since:literal, $meaning:literal;)*
    })*) => {
        $(
            $(#[$about])*
            pub mod $table {
                use super::*;

                /// The names of all of them.
                pub const NAMES: &[&str] = &[$($name),*];
                $(
                    #[doc = $meaning]
                    pub const $constant: Key = Key { name: $name, kind: $kind, absent: $absent };
                )*
            }
        )*

        /// Every key, in the order of the docs.
        pub const ALL: &[Description] = &[$($(Description {
            table: stringify!($table),
            key: &$table::$constant,
            meaning: $meaning,
            since: $since,
        }),*),*];
    };
}

keys! {
    /// `[vars.RELAY.access]`
    access {
        ISSUER = "issuer": Text("https://acme.cloudflareaccess.com"), Required, since "0.1.0",
            "The relay accepts tokens of this issuer only: the URL of your Access team, without a slash at the end.";
        AUDIENCE = "audience": Texts(r#"["<AUD tag>"]"#), Required, since "0.1.0",
            "A token must be for one of these AUD tags: list one or more.";
        PLATFORM = "platform": Boolean, Is("false"), since "0.1.0",
            "If `true`, the runtime says who may call (`ctx.access`), because Access protects this Worker itself.";
        DANGEROUSLY_ALLOW_ANYONE = "dangerously_allow_anyone": Boolean, Is("false"), since "0.1.0",
            "If `true`, the relay checks no caller: everybody who reaches the relay reaches the API.";
        // Access's shortest and longest sessions are a quarter of an hour and a month.
        MAX_TOKEN_AGE_SECONDS = "max_token_age_seconds": Integer(60, 31 * 24 * 3600, "seconds"), Nothing, since "0.1.0",
            "The relay refuses a token that is older than this many seconds, whatever its `exp` says.";
        IDENTITY_HEADERS = "identity_headers": Boolean, Is("true"), since "0.1.0",
            "The relay tells the API who calls, in headers that come from the verified token, or from the runtime, only.";
        GROUPS = "groups": Boolean, Is("false"), since "0.1.0",
            "If `true`, the relay tells the API the groups of a person for whom the runtime vouches.";
    }
    /// `[[vars.RELAY.routes]]`
    routes {
        PATH = "path": Text("/api"), Required, since "0.1.0",
            "The route takes requests to this path of the page's own host, and to every path below it.";
        UPSTREAM = "upstream": Text("https://api.example.com"), Required, since "0.1.0",
            "The route sends its requests to this API: an origin, optionally with a base path.";
        STRIP_PREFIX = "strip_prefix": Boolean, Is("false"), since "0.1.0",
            "If `true`, the API sees the path without the route's `path`: `/api/users` becomes `/users`.";
        BINDING = "binding": Text("API"), Nothing, since "0.1.0",
            "The route's calls go through this binding of the Worker, and not over the public network.";
        CREDENTIALS = "credentials": OneOf(&["service-token", "caller-token", "none"]), Is(r#""service-token""#), since "0.1.0",
            "The relay opens Access in front of the API with its service token, or with the caller's own token.";
        SERVICE_TOKEN = "service_token": Text("CF_ACCESS"), Is(r#""CF_ACCESS""#), since "0.1.0",
            "The names of the route's two secrets begin with this prefix.";
        FOREIGN_REQUESTS = "foreign_requests": OneOf(&["none", "navigations", "all"]), Is(r#""navigations""#), since "0.1.0",
            "This limits the GET requests that pages of other origins may cause here without CORS.";
        CALLBACK_PATHS = "callback_paths": Texts(r#"["/api/callback"]"#), Is("[]"), since "0.1.0",
            "These whole paths accept a form that a foreign page posts, such as an identity provider's `form_post`.";
        DOCUMENTS = "documents": OneOf(&["sandbox", "allow"]), Is(r#""sandbox""#), since "0.1.0",
            "With `\"sandbox\"`, an answer that a browser would show as a page runs no script.";
        REQUEST_COOKIES = "request_cookies": Texts(r#"["theme"]"#), Is("[]"), since "0.1.0",
            "The API gets the caller's cookies with these names, and no others.";
        RESPONSE_COOKIES = "response_cookies": Texts(r#"["theme"]"#), Is("[]"), since "0.1.0",
            "The API may set cookies with these names, and no others.";
        TIMEOUT_MS = "timeout_ms": Integer(1, 3_600_000, "milliseconds"), Is("30000"), since "0.1.0",
            "The API has this many milliseconds to begin its answer, counted from the end of the request's body.";
        RETRIES = "retries": Integer(0, 5, "extra tries"), Is("0"), since "0.1.0",
            "The relay repeats a GET or HEAD without a body up to this many times if it got no answer at all.";
        CACHE = "cache": Boolean, Is("false"), since "0.1.0",
            "If `true`, Cloudflare may cache the API's answers.";
        CORS = "cors": Table, SameAs("the global one"), since "0.1.0",
            "This CORS policy replaces the global one for the route.";
    }
    /// `[vars.RELAY.cors]`, and a route's own
    cors {
        ALLOWED_ORIGINS = "allowed_origins": Texts(r#"["https://admin.example.com"]"#), Nothing, since "0.1.0",
            "Pages of these origins may call the relay.";
        ALLOWED_METHODS = "allowed_methods": Texts(r#"["GET", "PUT"]"#), Nothing, since "0.1.0",
            "Pages of other origins may use these methods besides GET, HEAD and POST.";
        ALLOWED_HEADERS = "allowed_headers": Texts(r#"["content-type"]"#), Nothing, since "0.1.0",
            "Pages of other origins may send these headers.";
        EXPOSED_HEADERS = "exposed_headers": Texts(r#"["x-total-count"]"#), Nothing, since "0.1.0",
            "Pages of other origins may read these headers of an answer.";
        ALLOW_CREDENTIALS = "allow_credentials": Boolean, Is("false"), since "0.1.0",
            "If `true`, pages of other origins may send cookies.";
        // Half an hour is the default of Access's own settings; it and others write -1 for "do not keep".
        MAX_AGE = "max_age": Integer(-1, 86_400, "seconds"), Is("1800"), since "0.1.0",
            "Browsers may keep a preflight's answer for this many seconds.";
        EXCLUDED_PATHS = "excluded_paths": Texts(r#"["/api/admin"]"#), Is("[]"), since "0.1.0",
            "Paths that begin with one of these prefixes are for the page's own origin only, whatever the policy says.";
        PREFLIGHT = "preflight": OneOf(&["edge", "upstream"]), Is(r#""edge""#), since "0.1.0",
            "With `\"edge\"` the relay answers preflights; with `\"upstream\"` the API says which methods and headers pass.";
    }
    /// `[vars.RELAY]`
    relay {
        ACCESS = "access": Table, Required, since "0.1.0", "This table says who may call.";
        ROUTES = "routes": Tables, Required, since "0.1.0", "Each of these tables leads from a path to an API.";
        CORS = "cors": Table, Nothing, since "0.1.0", "This table says which other origins may call.";
        LOG = "log": OneOf(&["refusals", "requests"]), Is(r#""refusals""#), since "0.1.0",
            "The log gets one JSON line for each refusal and each failure; with `\"requests\"`, one for each request.";
        SERVER_TIMING = "server_timing": Boolean, Is("false"), since "0.1.0",
            "If `true`, answers carry `Server-Timing` with the time of the relay and the time of the API.";
        HEALTH_PATH = "health_path": Text("/healthz"), Nothing, since "0.1.0",
            "A GET of this path tells monitors whether everything works; everybody may ask.";
        DEBUG = "debug": Boolean, Is("false"), since "0.1.0",
            "If `true`, every refusal says why in its answer: not for production.";
    }
}
