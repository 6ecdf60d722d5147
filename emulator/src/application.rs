//! A protected application: its address, its policies and its backends, checked when they are set.

use std::io;
use std::sync::{PoisonError, RwLock};

use hyper::{Method, Uri};

use crate::listener::Listener;
use crate::settings::{ApiSettings, AppSettings, Backend, PathApplication};

/// A protected application. Both of the emulator's are of this type; they differ in their policies.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) listener: Listener,
    pub(crate) hostname: String,
    pub(crate) port: u16,
    /// The origin as browsers know it.
    pub(crate) origin: String,
    pub(crate) aud: String,
    pub(crate) allow_policy: bool,
    pub(crate) service_auth: bool,
    pub(crate) strict: bool,
    pub(crate) linked_app_token: bool,
    pub(crate) managed_oauth: bool,
    pub(crate) custom_deny_url: Option<String>,
    /// The longest path first.
    paths: Vec<PathApplication>,
    bypass: Vec<String>,
    bypass_aud: Option<String>,
    bypass_options: bool,
    metadata: bool,
    /// The longest path first.
    backends: RwLock<Vec<Backend>>,
}

impl Application {
    pub(crate) fn app(settings: &AppSettings, port: u16) -> io::Result<Application> {
        let origin = match &settings.origin {
            Some(origin) => checked_origin(origin)?,
            None => format!("http://{}:{port}", settings.hostname),
        };
        Ok(Application {
            listener: Listener::App,
            hostname: settings.hostname.clone(),
            port,
            origin,
            aud: settings.aud.clone(),
            allow_policy: settings.allow_policy,
            service_auth: settings.service_tokens,
            strict: settings.strict,
            linked_app_token: false,
            managed_oauth: settings.managed_oauth,
            custom_deny_url: None,
            paths: longest_first(settings.paths.clone()),
            bypass: settings.bypass.clone(),
            bypass_aud: settings.bypass_aud.clone(),
            bypass_options: settings.bypass_options,
            metadata: settings.metadata,
            backends: RwLock::new(checked(settings.backends.clone())?),
        })
    }

    pub(crate) fn api(settings: &ApiSettings, port: u16) -> io::Result<Application> {
        let backend = Backend { path: "/".into(), to: settings.backend.clone() };
        Ok(Application {
            listener: Listener::Api,
            hostname: settings.hostname.clone(),
            port,
            origin: format!("http://{}:{port}", settings.hostname),
            aud: settings.aud.clone(),
            allow_policy: settings.allow_policy,
            service_auth: true,
            strict: settings.strict,
            linked_app_token: settings.linked_app_token,
            managed_oauth: settings.managed_oauth,
            custom_deny_url: settings.custom_deny_url.clone(),
            paths: Vec::new(),
            bypass: if settings.bypass { vec!["/".into()] } else { Vec::new() },
            bypass_aud: settings.bypass.then(|| settings.aud.clone()),
            bypass_options: settings.bypass_options,
            metadata: settings.metadata,
            backends: RwLock::new(checked(vec![backend])?),
        })
    }

    /// The address for programs, which may not resolve names below `localhost`.
    pub(crate) fn local_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn set_backends(&self, backends: Vec<Backend>) -> io::Result<()> {
        *self.backends.write().unwrap_or_else(PoisonError::into_inner) = checked(backends)?;
        Ok(())
    }

    pub(crate) fn backends(&self) -> Vec<Backend> {
        self.backends.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The backend for a path, if there is one.
    pub(crate) fn backend_for(&self, path: &str) -> Option<String> {
        let backends = self.backends.read().unwrap_or_else(PoisonError::into_inner);
        backends.iter().find(|backend| covers(&backend.path, path)).map(|backend| backend.to.clone())
    }

    /// Whether a Bypass policy, or *Bypass OPTIONS requests to origin*, lets everyone pass here.
    pub(crate) fn passes_everyone(&self, method: &Method, path: &str) -> bool {
        (self.bypass_options && method == Method::OPTIONS) || self.bypasses(path)
    }

    /// The AUD tag that the signed metadata of a path names; nothing if nobody answers a request for it.
    pub(crate) fn metadata_aud(&self, path: &str) -> Option<&str> {
        let aud = if self.bypasses(path) { self.bypass_aud.as_deref() } else { Some(self.aud_at(path)) };
        aud.filter(|_| self.metadata)
    }

    /// The AUD tag of the application that covers a path.
    pub(crate) fn aud_at(&self, path: &str) -> &str {
        let own = self.paths.iter().find(|own| is_covered(&own.path, path));
        own.map_or(self.aud.as_str(), |own| own.aud.as_str())
    }

    /// Its own AUD tag, and those of the applications at its paths.
    pub(crate) fn auds(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.aud.as_str()).chain(self.paths.iter().map(|own| own.aud.as_str()))
    }

    fn bypasses(&self, path: &str) -> bool {
        self.bypass.iter().any(|prefix| is_covered(prefix, path))
    }
}

fn longest_first(mut paths: Vec<PathApplication>) -> Vec<PathApplication> {
    paths.sort_by_key(|own| std::cmp::Reverse(own.path.len()));
    paths
}

/// Whether an application's path covers a path: with `/*` at its end, what is below alone (Access, "Application paths").
fn is_covered(prefix: &str, path: &str) -> bool {
    match prefix.strip_suffix("/*") {
        Some(above) => path.strip_prefix(above).is_some_and(|rest| rest.starts_with('/')),
        None => covers(prefix, path),
    }
}

/// Whether a path prefix covers a path, on segment boundaries.
fn covers(prefix: &str, path: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// An origin as browsers write it. It becomes a part of addresses and of a Content-Security-Policy.
fn checked_origin(origin: &str) -> io::Result<String> {
    let uri = origin.parse::<Uri>().ok().filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
    let whole = uri.and_then(|uri| Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?)));
    whole
        .filter(|whole| whole == origin)
        .ok_or_else(|| wrong(format!("an origin must be like https://app.example.localhost:8743, but is {origin:?}")))
}

/// Backends that can be asked, the longest path first.
fn checked(mut backends: Vec<Backend>) -> io::Result<Vec<Backend>> {
    for backend in &mut backends {
        if !backend.path.starts_with('/') {
            return Err(wrong(format!("a backend's path must begin with a slash, but is {:?}", backend.path)));
        }
        let uri = backend.to.parse::<Uri>().ok().filter(|uri| uri.scheme_str() == Some("http"));
        let uri = uri.filter(|uri| uri.path() == "/" && uri.query().is_none());
        let Some(authority) = uri.and_then(|uri| uri.into_parts().authority) else {
            return Err(wrong(format!("a backend must be like http://127.0.0.1:8704, but is {:?}", backend.to)));
        };
        backend.to = format!("http://{authority}");
    }
    backends.sort_by_key(|backend| std::cmp::Reverse(backend.path.trim_end_matches('/').len()));
    Ok(backends)
}

fn wrong(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
