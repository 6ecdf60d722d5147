//! What can be set, and the defaults. Every part has a JSON form in which any key may be left out and an
//! unknown key is an error.

use serde::{Deserialize, Serialize};

/// AUD tag of the app when nothing else is set.
pub const APP_AUD: &str = "a11ce0a11ce0a11ce0a11ce0a11ce0a11ce0a11ce0a11ce0a11ce0a11ce0a11c";
/// AUD tag of the API when nothing else is set.
pub const API_AUD: &str = "b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5b0b5";
/// Client ID of the service token when nothing else is set.
pub const CLIENT_ID: &str = "0123456789abcdef0123456789abcdef.access";
/// Client Secret of the service token when nothing else is set. It opens nothing but this emulator.
pub const CLIENT_SECRET: &str = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00";

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The team domain, which is the issuer of every token.
    pub team: ListenerSettings,
    /// The application in front of the page and of the Worker.
    pub app: AppSettings,
    /// The application in front of the API.
    pub api: ApiSettings,
    /// The Worker's address at `workers.dev`. Left out: there is none.
    pub workers_dev: Option<WorkersDev>,
    /// The listener that programs drive the handles by.
    pub control: ListenerSettings,
    /// The one service token that exists.
    pub service_token: ServiceToken,
    /// The e-mail addresses that the login form offers as buttons. Any other address may be typed.
    pub people: Vec<String>,
    /// How long a person's token is valid, in seconds.
    pub session_seconds: i64,
}

/// A listener that has nothing to set but its port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenerSettings {
    /// The port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
}

/// The application that people log in to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppSettings {
    /// The port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// The host name that browsers use.
    pub hostname: String,
    /// The origin that browsers see, if a proxy stands in front: `https://app.example.localhost:8743`. Left out: `http`,
    /// the host name and the port.
    pub origin: Option<String>,
    /// The application's AUD tag.
    pub aud: String,
    /// Where requests go; the longest prefix wins.
    pub backends: Vec<Backend>,
    /// Path prefixes with a Bypass policy: everyone passes, and a valid token is still handed to the backend. As in Access, `/api/*`
    /// covers what is below `/api`, and not `/api`.
    pub bypass: Vec<String>,
    /// Applications of their own for parts of the host; the longest path wins.
    pub paths: Vec<PathApplication>,
    /// The AUD tag that the signed metadata of the paths in `bypass` names. In Access, those paths are a separate
    /// application, with an AUD tag that differs from `aud`. Left out: nobody answers a request for their metadata; it
    /// passes to the backend as any `HEAD` does.
    pub bypass_aud: Option<String>,
    /// Access's *Bypass OPTIONS requests to origin*.
    pub bypass_options: bool,
    /// An Allow policy; without it, nobody can log in.
    pub allow_policy: bool,
    /// *Managed OAuth*: strangers get a 401 with the scheme `Bearer`.
    pub managed_oauth: bool,
    /// A Service Auth policy next to the Allow policy.
    pub service_tokens: bool,
    /// Strict mode of service tokens.
    pub strict: bool,
    /// Whether requests for signed metadata are answered; if not, such a request is treated as any `HEAD`.
    pub metadata: bool,
}

/// The application that programs call with a service token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiSettings {
    /// The port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// The host name that browsers use.
    pub hostname: String,
    /// The application's AUD tag.
    pub aud: String,
    /// Where requests go: `http://host:port`.
    pub backend: String,
    /// Strict mode of service tokens, as in every new organisation.
    pub strict: bool,
    /// An Allow policy next to the Service Auth policy: people can log in, and the refusals change.
    pub allow_policy: bool,
    /// A `linked_app_token` rule: `Cf-Access-Token` with a person's token for the *app* opens the API too.
    pub linked_app_token: bool,
    /// *Managed OAuth*: strangers get a 401 with the scheme `Bearer`.
    pub managed_oauth: bool,
    /// The custom deny URL: where a refusal leads that would be a 403.
    pub custom_deny_url: Option<String>,
    /// A policy that lets everyone pass.
    pub bypass: bool,
    /// Access's *Bypass OPTIONS requests to origin*.
    pub bypass_options: bool,
    /// Whether `aud` is a list or a plain string in the tokens of the service token; both occur.
    pub aud_shape: AudShape,
    /// Whether requests for signed metadata are answered; if not, such a request is treated as any `HEAD`.
    pub metadata: bool,
}

/// An application for a part of the app's host, with the app's own policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathApplication {
    /// Path prefix, as in `bypass`.
    pub path: String,
    /// Its AUD tag.
    pub aud: String,
}

/// Another address of the Worker, `<name>.<subdomain>.workers.dev`, past the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkersDev {
    /// The port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// Whether it leads to the app's backends. If it is shut, Cloudflare answers 404.
    pub open: bool,
}

/// The two shapes of the claim `aud`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AudShape {
    /// `"aud": ["…"]`
    List,
    /// `"aud": "…"`
    String,
}

/// A backend for a part of an application's paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backend {
    /// Path prefix, on segment boundaries: `/api` covers `/api` and `/api/x`, never `/apiary`.
    pub path: String,
    /// `http://host:port`
    pub to: String,
}

/// A service token's two halves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceToken {
    /// What `CF-Access-Client-Id` must hold.
    pub client_id: String,
    /// What `CF-Access-Client-Secret` must hold.
    pub client_secret: String,
}

impl Settings {
    /// The defaults, with every port left to the operating system: for tests that run side by side.
    #[must_use]
    pub fn on_free_ports() -> Settings {
        let mut settings = Settings::default();
        settings.team.port = 0;
        settings.app.port = 0;
        settings.api.port = 0;
        settings.control.port = 0;
        settings
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            team: ListenerSettings { port: 8702 },
            app: AppSettings::default(),
            api: ApiSettings::default(),
            workers_dev: None,
            control: ListenerSettings { port: 8703 },
            service_token: ServiceToken::default(),
            people: ["ada@example.com", "grace@example.com", "linus@example.com"].map(String::from).to_vec(),
            session_seconds: 24 * 60 * 60,
        }
    }
}

impl Default for AppSettings {
    fn default() -> AppSettings {
        AppSettings {
            port: 8700,
            hostname: "app.example.localhost".into(),
            origin: None,
            aud: APP_AUD.into(),
            backends: vec![
                Backend { path: "/api".into(), to: "http://127.0.0.1:8704".into() },
                Backend { path: "/".into(), to: "http://127.0.0.1:8705".into() },
            ],
            bypass: Vec::new(),
            paths: Vec::new(),
            bypass_aud: None,
            bypass_options: false,
            allow_policy: true,
            managed_oauth: false,
            service_tokens: false,
            strict: true,
            metadata: true,
        }
    }
}

impl Default for ApiSettings {
    fn default() -> ApiSettings {
        ApiSettings {
            port: 8701,
            hostname: "api.example.localhost".into(),
            aud: API_AUD.into(),
            backend: "http://127.0.0.1:8706".into(),
            strict: true,
            allow_policy: false,
            linked_app_token: false,
            managed_oauth: false,
            custom_deny_url: None,
            bypass: false,
            bypass_options: false,
            aud_shape: AudShape::List,
            metadata: true,
        }
    }
}

impl Default for ServiceToken {
    fn default() -> ServiceToken {
        ServiceToken { client_id: CLIENT_ID.into(), client_secret: CLIENT_SECRET.into() }
    }
}
