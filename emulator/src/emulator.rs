//! The running emulator and the handles that a test pulls.
//!
//! ```
//! use access_emulator::emulator::Emulator;
//! use access_emulator::settings::Settings;
//! use access_emulator::tokens::TokenRequest;
//!
//! # #[tokio::main] async fn main() -> std::io::Result<()> {
//! let access = Emulator::start(Settings::on_free_ports()).await?;
//! let token = access.mint(&TokenRequest::user("ada@example.com"));
//! access.expire_sessions();
//! access.shutdown().await;
//! # drop(token);
//! # Ok(()) }
//! ```

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::application::Application;
use crate::control;
use crate::keys::Key;
use crate::listener::Listener;
use crate::server::{Door, accept, bind};
use crate::settings::{Backend, Settings};
use crate::state::Shared;
use crate::tokens::TokenRequest;

/// A running emulator. It stops when it is dropped.
pub struct Emulator {
    shared: Arc<Shared>,
    control_url: String,
    workers_dev_url: Option<String>,
    stop: watch::Sender<()>,
    listening: Vec<JoinHandle<()>>,
}

impl Emulator {
    /// Starts the four listeners, and a fifth for `workers.dev` if the settings say so.
    ///
    /// # Errors
    /// A port is taken (the message names the port and the listener), or a backend's address is not valid.
    pub async fn start(settings: Settings) -> io::Result<Emulator> {
        let team = bind("team", settings.team.port).await?;
        let app = bind("app", settings.app.port).await?;
        let api = bind("api", settings.api.port).await?;
        let control = bind("control", settings.control.port).await?;
        let workers_dev = match settings.workers_dev {
            Some(door) => Some((bind("workers.dev", door.port).await?, Door::WorkersDev(door.open))),
            None => None,
        };
        let workers_dev_url = match &workers_dev {
            Some((listener, _)) => Some(format!("http://127.0.0.1:{}", listener.local_addr()?.port())),
            None => None,
        };
        let key = tokio::task::spawn_blocking(Key::generate).await??;
        let issuer = format!("http://127.0.0.1:{}", team.local_addr()?.port());
        let control_url = format!("http://127.0.0.1:{}", control.local_addr()?.port());
        let app_application = Application::app(&settings.app, app.local_addr()?.port())?;
        let api_application = Application::api(&settings.api, api.local_addr()?.port())?;
        let shared = Arc::new(Shared::new(settings, issuer, app_application, api_application, key));
        let (stop, stopped) = watch::channel(());
        let doors = [
            (team, Door::Emulated(Listener::Team)),
            (app, Door::Emulated(Listener::App)),
            (api, Door::Emulated(Listener::Api)),
            (control, Door::Control),
        ];
        let listening = doors
            .into_iter()
            .chain(workers_dev)
            .map(|(listener, door)| tokio::spawn(accept(listener, door, Arc::clone(&shared), stopped.clone())))
            .collect();
        Ok(Emulator { shared, control_url, workers_dev_url, stop, listening })
    }

    /// Stops listening and closes every connection.
    pub async fn shutdown(self) {
        drop(self.stop);
        for task in self.listening {
            // The task ends by itself; an error would only say that it panicked, and then it has ended too.
            let _ = task.await;
        }
    }

    /// The team domain, which is the issuer of every token: `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.shared.issuer.clone()
    }

    /// The app's origin as browsers know it: `http://app.example.localhost:<port>`, or what the settings say.
    #[must_use]
    pub fn app_url(&self) -> String {
        self.shared.app.origin.clone()
    }

    /// The app's address for programs that do not resolve names below `localhost`: `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn app_local_url(&self) -> String {
        self.shared.app.local_url()
    }

    /// The API's origin as browsers know it: `http://api.example.localhost:<port>`.
    #[must_use]
    pub fn api_url(&self) -> String {
        self.shared.api.origin.clone()
    }

    /// The API's address for the Worker: `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn api_local_url(&self) -> String {
        self.shared.api.local_url()
    }

    /// The control listener: `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn control_url(&self) -> String {
        self.control_url.clone()
    }

    /// All addresses and identifiers, as the program prints them when everything listens.
    #[must_use]
    pub fn addresses(&self) -> Value {
        let mut addresses = control::addresses(&self.shared);
        if let Some(members) = addresses.as_object_mut() {
            members.insert("control_url".into(), self.control_url().into());
            if let Some(url) = &self.workers_dev_url {
                members.insert("workers_dev_url".into(), url.as_str().into());
            }
        }
        addresses
    }

    /// Makes any token, signed by the emulator's key or by nobody.
    #[must_use]
    pub fn mint(&self, request: &TokenRequest) -> String {
        self.shared.mint(request)
    }

    /// A new key signs from now on. The one that did stays in the certs, as the real one does for 7 days; the
    /// one before that leaves them.
    ///
    /// # Errors
    /// No key could be made.
    pub async fn rotate_keys(&self) -> io::Result<()> {
        self.shared.rotate_keys().await
    }

    /// Removes the previous key from the certs.
    pub fn drop_previous_keys(&self) {
        self.shared.keys_mut().drop_previous();
    }

    /// Ends every session so far. The app answers those cookies as it answers no cookie; a verifier that only
    /// looks at the token does not notice, as with the real one.
    pub fn expire_sessions(&self) {
        self.shared.end_all_sessions();
    }

    /// Whether no policy allows the service token any more, although it is valid.
    pub fn refuse_service_token(&self, on: bool) {
        self.shared.service_token_refused.store(on, Ordering::Relaxed);
    }

    /// Makes a listener wait before every answer; a zero delay ends that.
    pub fn delay(&self, listener: Listener, delay: Duration) {
        self.shared.switches(listener).set_delay(delay);
    }

    /// Whether a listener accepts connections and closes them with no answer.
    pub fn drop_connections(&self, listener: Listener, on: bool) {
        self.shared.switches(listener).set_drop_connections(on);
    }

    /// Answers with this error of Cloudflare's own, as 1101 or 522, in place of a listener's backend; 0 ends that.
    pub fn cloudflare_error(&self, listener: Listener, error: u16) {
        self.shared.switches(listener).set_cloudflare_error(error);
    }

    /// Replaces the app's backends.
    ///
    /// # Errors
    /// An address is not valid; nothing is changed then.
    pub fn set_app_backends(&self, backends: Vec<Backend>) -> io::Result<()> {
        self.shared.app.set_backends(backends)
    }

    /// Replaces the API's backend.
    ///
    /// # Errors
    /// The address is not valid; nothing is changed then.
    pub fn set_api_backend(&self, to: &str) -> io::Result<()> {
        self.shared.api.set_backends(vec![Backend { path: "/".into(), to: to.into() }])
    }

    /// How many times the certs were asked for.
    #[must_use]
    pub fn certs_requests(&self) -> u64 {
        self.shared.counts.certs.load(Ordering::Relaxed)
    }

    /// How many requests for signed metadata were answered, by both applications.
    #[must_use]
    pub fn metadata_requests(&self) -> u64 {
        self.shared.counts.metadata.load(Ordering::Relaxed)
    }

    /// How many requests the API application got, those that it refused included.
    #[must_use]
    pub fn api_requests(&self) -> u64 {
        self.shared.counts.api.load(Ordering::Relaxed)
    }

    /// How many requests the API application let through to the backend.
    #[must_use]
    pub fn api_forwarded(&self) -> u64 {
        self.shared.counts.api_forwarded.load(Ordering::Relaxed)
    }
}
