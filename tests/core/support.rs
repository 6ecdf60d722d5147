//! What the tables share: configurations, header maps, tokens, and an issuer that is a key in this process.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::ops::Deref;
use std::pin::pin;
use std::rc::Rc;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

use access_relay_core::caller::identity::Caller;
use access_relay_core::caller::jwk::Jwk;
use access_relay_core::caller::runtime::Runtime;
use access_relay_core::caller::token::JwtPolicy;
use access_relay_core::config::error::ConfigError;
use access_relay_core::config::secrets::Secrets;
use access_relay_core::config::suffix::well_known;
use access_relay_core::config::types::Config;
use access_relay_core::flow::known::Known;
use access_relay_core::messages::crossing;
use access_relay_core::messages::edits::{Edit, Edits};
use access_relay_core::messages::head::{Destination, RequestHead, ResponseHead};
use access_relay_core::messages::name::{ALONG_A_REQUEST, ALONG_AN_ANSWER, Name};
use access_relay_core::messages::present::Read;
use access_relay_core::messages::trace::Trace;
use jwt_compact::alg::{Rsa, RsaPrivateKey, RsaPublicKey};
use jwt_compact::jwk::JsonWebKey;
use jwt_compact::{Algorithm, AlgorithmExt, Claims, Header};
use serde_json::{Value, json};

pub const NOW: i64 = 1_800_000_000;
pub const AUD: &str = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";
pub const ISSUER: &str = "https://acme.cloudflareaccess.com";

/// Secrets of the default name.
pub fn secrets() -> Secrets {
    vec![
        ("CF_ACCESS_CLIENT_ID".to_owned(), "0123.access".to_owned()),
        ("CF_ACCESS_CLIENT_SECRET".to_owned(), "s3cr3t-value".to_owned()),
    ]
}

/// What is known of an ordinary GET that a person's page made, on the first route.
pub fn known(config: &Config) -> Known {
    Known {
        route: config.routes.first().cloned(),
        cors: Rc::clone(&config.routes[0].cors),
        preflight: false,
        origin: None,
        websocket: false,
        destination: Destination::Other,
        caller: Some(Rc::new(Caller::User { sub: "ada-1".to_owned(), email: None })),
        warnings: Vec::new(),
    }
}

/// The smallest configuration that serves.
pub fn minimal() -> Value {
    json!({
        "access": { "issuer": ISSUER, "audience": [AUD] },
        "routes": [{ "path": "/api", "upstream": "https://api.example.com" }],
    })
}

/// `minimal()`, changed.
pub fn relay(change: impl FnOnce(&mut Value)) -> Value {
    let mut value = minimal();
    change(&mut value);
    value
}

/// Reads a table as the Worker does.
pub fn parse(value: &Value, secrets: &Secrets) -> Result<Config, Vec<ConfigError>> {
    access_relay_core::config::parse::parse(value, secrets, well_known)
}

pub fn parsed(value: &Value) -> Config {
    parse(value, &secrets()).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

/// What tokens must say, by the configuration of these tests.
pub fn policy() -> JwtPolicy {
    JwtPolicy {
        issuer: ISSUER.to_owned(),
        certs_url: format!("{ISSUER}/cdn-cgi/access/certs"),
        audience: vec!["first".to_owned(), AUD.to_owned()],
        max_token_age_seconds: None,
        identity_headers: true,
    }
}

/// Headers as a list of lines.
#[derive(Debug, Clone, Default)]
pub struct Lines(pub Vec<(String, String)>);

impl Lines {
    pub fn of(lines: &[(&str, &str)]) -> Self {
        Self(lines.iter().map(|(name, value)| (name.to_ascii_lowercase(), (*value).to_owned())).collect())
    }

    /// What `head` of `border.js` tells of them: each name once, in order.
    pub fn told(&self) -> String {
        let [beginnings, _] = crossing::beginnings();
        self.told_as(ALONG_A_REQUEST, &beginnings, &[])
    }

    /// What `answerHead` of `border.js` tells of them, where these are the secrets.
    pub fn told_by_the_api(&self, secrets: &[&str]) -> String {
        let [_, beginnings] = crossing::beginnings();
        self.told_as(ALONG_AN_ANSWER, &beginnings, secrets)
    }

    fn told_as(&self, along: &[Name], beginnings: &str, secrets: &[&str]) -> String {
        let pairs: Vec<&[u8]> = beginnings.as_bytes().chunks(2).collect();
        let matters = |name: &str| {
            let fold = |b: u8| if b.is_ascii_alphanumeric() { b } else { b'-' };
            let begins =
                matches!(name.as_bytes(), [first, second, ..] if pairs.contains(&[*first, fold(*second)].as_slice()));
            begins || (along == ALONG_AN_ANSWER && name.ends_with(crossing::TARGETED))
        };
        let names: BTreeSet<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        let (mut places, mut lines) = (String::new(), String::new());
        for name in names {
            let value = self.get(name).unwrap_or_default();
            let known_name = Name::ALL.iter().find(|known| known.as_str() == name);
            let holds = |secret: &&str| value.to_ascii_lowercase().contains(&secret.to_ascii_lowercase());
            if secrets.iter().any(holds) {
                lines.extend(["\n!", name]);
            }
            match known_name {
                Some(known) if along.contains(known) => {
                    let value: String = value.chars().take(known.longest() + 1).collect();
                    lines.extend(["\n", &known.place().to_string(), &value]);
                }
                Some(known) => places.push(known.place()),
                None if matters(name) => lines.extend(["\n", name]),
                None => {}
            }
        }
        places + &lines
    }

    /// An API's answer with these headers, as decisions see it.
    pub fn answered<T>(&self, status: u16, decide: impl FnOnce(&ResponseHead<'_, Lines>) -> T) -> T {
        let told = self.told_by_the_api(&["s3cr3t-value"]);
        decide(&ResponseHead { status, present: &crossing::in_answer(&told), headers: self })
    }

    /// A request with these headers, as decisions see it.
    pub fn asked<T>(&self, method: &str, url: &str, decide: impl FnOnce(&RequestHead<'_, Lines>) -> T) -> T {
        let told = self.told();
        let trace = Trace::new(self.get("traceparent").as_deref(), [7; 24]);
        decide(&RequestHead { method, url, present: &crossing::in_request(&told), headers: self, trace: &trace })
    }

    pub fn get(&self, name: &str) -> Option<String> {
        let values: Vec<&str> =
            self.0.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// What the edge does with edits.
    pub fn apply(mut self, edits: &Edits) -> Self {
        for edit in edits.iter() {
            match edit {
                Edit::Delete(name) => self.0.retain(|(found, _)| found != name),
                Edit::Remove(name) => self.0.retain(|(found, _)| found != name.as_str()),
                Edit::RemoveAll(prefix) => self.0.retain(|(found, _)| !found.starts_with(prefix)),
                Edit::Set(name, value) => {
                    self.0.retain(|(found, _)| found != name.as_str());
                    self.0.push((name.as_str().to_owned(), value.to_owned()));
                }
                Edit::Append(name, value) => self.0.push((name.as_str().to_owned(), value.to_owned())),
            }
        }
        self
    }
}

impl Read for Lines {
    fn read(&self, name: Name) -> Option<String> {
        self.get(name.as_str())
    }

    fn set_cookies(&self) -> Vec<String> {
        self.0.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value.clone()).collect()
    }
}

/// Runs a future that never has to wait.
pub fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a pure future had to wait"),
    }
}

/// Lets futures take turns, as requests of one isolate do; `between` comes after each round, with its number, and ends
/// it all with `false`. Returns the outputs there are by then.
pub fn in_turns<F: Future>(
    futures: impl IntoIterator<Item = F>,
    between: impl Fn(usize) -> bool,
) -> Vec<Option<F::Output>> {
    let mut tasks: Vec<_> = futures.into_iter().map(|future| (Some(Box::pin(future)), None)).collect();
    for round in 1.. {
        for (future, output) in &mut tasks {
            let poll = future.as_mut().map(|future| future.as_mut().poll(&mut Context::from_waker(Waker::noop())));
            if let Some(Poll::Ready(ready)) = poll {
                (*future, *output) = (None, Some(ready));
            }
        }
        if !between(round) || tasks.iter().all(|(future, _)| future.is_none()) {
            break;
        }
    }
    tasks.into_iter().map(|(_, output)| output).collect()
}

/// A signing key with its `kid`.
pub struct SigningKey {
    pub kid: &'static str,
    private: RsaPrivateKey,
    pub jwk: Value,
}

impl SigningKey {
    pub fn make(kid: &'static str) -> Self {
        let (private, public) =
            Rsa::generate(&mut rsa::rand_core::OsRng, jwt_compact::alg::ModulusBits::TwoKibibytes).unwrap();
        let mut jwk = serde_json::to_value(JsonWebKey::from(public.as_ref())).unwrap();
        jwk["kid"] = json!(kid);
        jwk["alg"] = json!("RS256");
        jwk["use"] = json!("sig");
        Self { kid, private: private.into_inner(), jwk }
    }

    /// A token with these claims, signed as `RS256` under `kid`.
    pub fn sign(&self, claims: &Value) -> String {
        let header = Header::empty().with_key_id(self.kid).with_token_type("JWT");
        Rsa::rs256().token(&header, &Claims::new(claims.clone()), &self.private).unwrap()
    }

    /// A signature of another algorithm of RSA.
    pub fn sign_with(&self, algorithm: &Rsa, signed: &[u8]) -> Vec<u8> {
        jwt_compact::AlgorithmSignature::as_bytes(&algorithm.sign(&self.private, signed)).into_owned()
    }

    /// Signs whatever stands before the last dot.
    pub fn sign_raw(&self, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", base64url(header.as_bytes()), base64url(payload.as_bytes()));
        let signature = Rsa::rs256().sign(&self.private, signed.as_bytes());
        let bytes = jwt_compact::AlgorithmSignature::as_bytes(&signature).into_owned();
        format!("{signed}.{}", base64url(&bytes))
    }
}

pub fn base64url(bytes: &[u8]) -> String {
    data_encoding::BASE64URL_NOPAD.encode(bytes)
}

/// The issuer's key, made once for all tests.
pub fn issuer_key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::make("kid-1"))
}

/// A key that is not the issuer's, or its next one.
pub fn other_key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::make("kid-2"))
}

/// Claims of a person's token, as Access makes them.
pub fn person() -> Value {
    json!({
        "aud": [AUD], "email": "ada@example.com", "exp": NOW + 3600, "iat": NOW - 60, "nbf": NOW - 60, "iss": ISSUER,
        "type": "app", "identity_nonce": "n", "sub": "7335d417-61da-459d-899c-0a01c76a2f94", "country": "GB",
    })
}

/// Claims of a service token's JWT: no `nbf`, no `email`, an empty `sub`, a plain `aud`.
pub fn program() -> Value {
    json!({ "aud": AUD, "exp": NOW + 3600, "iat": NOW - 60, "iss": ISSUER, "type": "app", "common_name": "88bf.access", "sub": "" })
}

/// A key source in this process: it counts what is asked of it. Its copies share one state.
#[derive(Clone)]
pub struct LocalKeys(Rc<Issuer>);

/// What is shared.
pub struct Issuer {
    pub answer: RefCell<Result<String, String>>,
    /// Whether it keeps who fetches waiting.
    pub slow: Cell<bool>,
    /// What time it is, and how many seconds a fetch takes.
    pub clock: Cell<i64>,
    pub fetch_seconds: Cell<i64>,
    pub fetches: Cell<u32>,
    pub verifications: Cell<u32>,
    pub pauses: Cell<u32>,
}

impl Deref for LocalKeys {
    type Target = Issuer;

    fn deref(&self) -> &Issuer {
        &self.0
    }
}

impl LocalKeys {
    pub fn publishing(keys: &[&Value]) -> Self {
        Self::answering(Ok(json!({ "keys": keys }).to_string()))
    }

    pub fn answering(answer: Result<String, String>) -> Self {
        Self(Rc::new(Issuer {
            answer: RefCell::new(answer),
            slow: Cell::default(),
            clock: Cell::new(NOW),
            fetch_seconds: Cell::default(),
            fetches: Cell::default(),
            verifications: Cell::default(),
            pauses: Cell::default(),
        }))
    }
}

impl Runtime for LocalKeys {
    type Key = RsaPublicKey;

    fn now(&self) -> i64 {
        self.clock.get()
    }

    async fn fetch(&self, url: &str) -> Result<String, String> {
        assert_eq!(url, "https://acme.cloudflareaccess.com/cdn-cgi/access/certs");
        self.fetches.set(self.fetches.get() + 1);
        while self.slow.get() {
            later().await;
        }
        self.clock.set(self.clock.get() + self.fetch_seconds.get());
        self.answer.borrow().clone()
    }

    async fn import(&self, jwk: &Jwk) -> Result<RsaPublicKey, String> {
        let text = json!({ "kty": "RSA", "n": jwk.n, "e": jwk.e }).to_string();
        let jwk: JsonWebKey = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        RsaPublicKey::try_from(&jwk).map_err(|error| error.to_string())
    }

    async fn verify(&self, key: &RsaPublicKey, signed: &[u8], signature: &[u8]) -> bool {
        self.verifications.set(self.verifications.get() + 1);
        rs256_holds(key, signed, signature)
    }

    async fn complete(&self, work: impl Future<Output = ()> + 'static) {
        work.await;
    }

    async fn pause(&self, _milliseconds: u32) {
        self.pauses.set(self.pauses.get() + 1);
        later().await;
    }
}

/// The verifier of native tests, in pure Rust.
pub fn rs256_holds(key: &RsaPublicKey, signed: &[u8], signature: &[u8]) -> bool {
    use jwt_compact::AlgorithmSignature;
    let Ok(signature) = <Rsa as Algorithm>::Signature::try_from_slice(signature) else { return false };
    Rsa::rs256().verify_signature(&signature, key, signed)
}

/// Is ready when it is asked again.
async fn later() {
    let mut asked = false;
    poll_fn(|_| if std::mem::replace(&mut asked, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}
