//! What the listeners share: settings that are fixed at the start, and what changes while they run.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde_json::{Map, Value, json};

use crate::application::Application;
use crate::forward::{Client, client};
use crate::keys::{Key, KeyRing, forge, random_hex};
use crate::listener::{Listener, Switches};
use crate::login::{Codes, Login};
use crate::sessions::Sessions;
use crate::settings::{AudShape, Settings};
use crate::tokens::{Defaults, Kind, Signatory, TokenRequest, now, opens, text};

/// How long the token that the API's backend sees for a service token is used again. A signature costs more than
/// everything else that the emulator does for a request.
const SERVICE_JWT_REUSE_SECONDS: i64 = 30;

/// Everything that the listeners share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) issuer: String,
    pub(crate) app: Application,
    pub(crate) api: Application,
    pub(crate) client: Client,
    pub(crate) counts: Counts,
    pub(crate) service_token_refused: AtomicBool,
    team_switches: Switches,
    app_switches: Switches,
    api_switches: Switches,
    keys: RwLock<KeyRing>,
    sessions: Mutex<Sessions>,
    codes: Mutex<Codes>,
    service_jwts: Mutex<HashMap<String, ServiceJwt>>,
}

/// How often things happened.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) certs: AtomicU64,
    pub(crate) app: AtomicU64,
    pub(crate) api: AtomicU64,
    pub(crate) app_forwarded: AtomicU64,
    pub(crate) api_forwarded: AtomicU64,
    pub(crate) logins: AtomicU64,
    pub(crate) metadata: AtomicU64,
}

#[derive(Debug)]
struct ServiceJwt {
    kid: String,
    made: i64,
    token: String,
}

impl Shared {
    pub(crate) fn new(settings: Settings, issuer: String, app: Application, api: Application, key: Key) -> Shared {
        Shared {
            settings,
            issuer,
            app,
            api,
            client: client(),
            counts: Counts::default(),
            service_token_refused: AtomicBool::new(false),
            team_switches: Switches::default(),
            app_switches: Switches::default(),
            api_switches: Switches::default(),
            keys: RwLock::new(KeyRing::new(key)),
            sessions: Mutex::default(),
            codes: Mutex::default(),
            service_jwts: Mutex::default(),
        }
    }

    pub(crate) fn keys(&self) -> RwLockReadGuard<'_, KeyRing> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn keys_mut(&self) -> RwLockWriteGuard<'_, KeyRing> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn rotate_keys(&self) -> io::Result<()> {
        let key = tokio::task::spawn_blocking(Key::generate).await??;
        self.keys_mut().rotate(key);
        Ok(())
    }

    pub(crate) fn switches(&self, listener: Listener) -> &Switches {
        match listener {
            Listener::Team => &self.team_switches,
            Listener::App => &self.app_switches,
            Listener::Api => &self.api_switches,
        }
    }

    /// Makes a token. A person's token for an application is a session, which can be ended.
    pub(crate) fn mint(&self, request: &TokenRequest) -> String {
        let claims = self.claims(request);
        if let (Kind::User, Some("app"), Some(nonce)) =
            (request.kind, text(&claims, "type"), text(&claims, "identity_nonce"))
        {
            let email = text(&claims, "email").unwrap_or_default();
            lock(&self.sessions).begin(nonce, email);
        }
        self.sign(request, &claims)
    }

    /// The token of a person who has just logged in, with which the browser is expected back.
    pub(crate) fn begin_session(&self, login: Login) -> String {
        let nonce = random_hex(8);
        let extra = Map::from_iter([("identity_nonce".to_owned(), json!(nonce))]);
        let aud = Some(json!([login.aud]));
        let token = self.mint(&TokenRequest { aud, extra, ..TokenRequest::user(&login.email) });
        lock(&self.sessions).expect_return(nonce, login.aud, login.return_to);
        token
    }

    /// Whether a browser is expected at this path with the session of a login. It is no more, once asked.
    pub(crate) fn expects_return(&self, aud: &str, path: &str) -> bool {
        lock(&self.sessions).returns(aud, path)
    }

    /// The token that a backend sees when a person's token for another application was presented.
    pub(crate) fn linked_jwt(&self, aud: &str, email: &str, sub: Option<&str>) -> String {
        let aud = Some(json!([aud]));
        let request = TokenRequest { aud, sub: sub.map(String::from), ..TokenRequest::user(email) };
        self.sign(&request, &self.claims(&request))
    }

    /// The token that a backend sees when the service token was presented.
    pub(crate) fn service_jwt(&self, aud: &str) -> String {
        let kid = self.keys().current().kid().to_owned();
        let fresh = |jwt: &&ServiceJwt| jwt.kid == kid && now() - jwt.made < SERVICE_JWT_REUSE_SECONDS;
        if let Some(jwt) = lock(&self.service_jwts).get(aud).filter(fresh) {
            return jwt.token.clone();
        }
        let token = self.mint(&TokenRequest { aud: Some(self.service_aud(aud)), ..TokenRequest::service() });
        let jwt = ServiceJwt { kid, made: now(), token: token.clone() };
        lock(&self.service_jwts).insert(aud.into(), jwt);
        token
    }

    /// The claims of a token that opens the application with this AUD tag now and whose session was not ended.
    pub(crate) fn check(&self, token: &str, aud: &str) -> Option<Map<String, Value>> {
        let claims = self.keys().claims(token)?;
        let ended = text(&claims, "identity_nonce").is_some_and(|nonce| lock(&self.sessions).presented(nonce));
        (!ended && opens(&claims, &self.issuer, aud, now())).then_some(claims)
    }

    pub(crate) fn end_session(&self, nonce: &str) {
        lock(&self.sessions).end(|open, _| open == nonce);
    }

    pub(crate) fn end_sessions_of(&self, email: &str) {
        lock(&self.sessions).end(|_, owner| owner == email);
    }

    pub(crate) fn end_all_sessions(&self) {
        lock(&self.sessions).end(|_, _| true);
    }

    pub(crate) fn open_sessions(&self) -> usize {
        lock(&self.sessions).count()
    }

    /// Grants a login and returns the code by which the application collects it.
    pub(crate) fn grant(&self, login: Login) -> String {
        lock(&self.codes).grant(login)
    }

    /// The login that a code stands for, once, and only for the application that it was granted for.
    pub(crate) fn collect(&self, code: &str, application: &Application) -> Option<Login> {
        lock(&self.codes).collect(code, |aud| application.auds().any(|own| own == aud))
    }

    fn claims(&self, request: &TokenRequest) -> Map<String, Value> {
        request.claims(Defaults {
            issuer: &self.issuer,
            user_aud: json!([self.app.aud]),
            service_aud: self.service_aud(&self.api.aud),
            client_id: &self.settings.service_token.client_id,
            email: self.settings.people.first().map_or("ada@example.com", String::as_str),
            session_seconds: self.settings.session_seconds,
            now: now(),
        })
    }

    fn sign(&self, request: &TokenRequest, claims: &Map<String, Value>) -> String {
        let keys = self.keys();
        let key = match request.signed_by {
            Signatory::Previous => keys.previous().unwrap_or(keys.current()),
            Signatory::Current | Signatory::Nobody => keys.current(),
        };
        let kid = request.kid.as_deref().unwrap_or(key.kid());
        if request.signed_by == Signatory::Nobody { forge(kid, claims) } else { key.sign(kid, claims) }
    }

    fn service_aud(&self, aud: &str) -> Value {
        match self.settings.api.aud_shape {
            AudShape::List => json!([aud]),
            AudShape::String => json!(aud),
        }
    }
}

/// A thread that panicked with the lock held leaves values that are whole: each is changed in one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
