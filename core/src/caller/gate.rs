//! The caller check: who is calling, as a token of Cloudflare Access says it, or the runtime. Keys, signatures, identities and the time
//! come from outside.
//!
//! [`tokens_of`] finds the token, [`Gate::identify`] checks it: structure, algorithm and key, signature, claims, in this
//! order ([`crate::caller::token`]). Only what all of them allow comes out as a [`Caller`]. Where the runtime vouches for a caller,
//! [`Gate::vouched`] asks it who that is ([`crate::caller::platform`]).

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use crate::caller::identity::Caller;
use crate::caller::keys::{self, KeyCache, Lookup};
use crate::caller::people::{Look, People};
use crate::caller::platform::{self, PlatformPolicy, Told, Word};
use crate::caller::runtime::{Runtime, Source, seldom};
use crate::caller::token::{self, Candidate, JwtPolicy, unauthenticated};
use crate::caller::verified::VerifiedTokens;
use crate::messages::cookies;
use crate::messages::head::RequestHead;
use crate::messages::name::Name;
use crate::messages::present::Read;
use crate::outcomes::problem::{Code, Refusal};
use crate::syntax::digest::Digest;
use crate::syntax::text::quoted;

/// A caller with longer texts is not remembered, so that the memory is bounded in bytes as well: at 4,096 of them, these
/// are 2 MiB. An e-mail address has 254 bytes at most, an id of Access 36.
const REMEMBERED_BYTES: usize = 512;

/// A token is checked anew after this time: a key that the issuer has withdrawn opens nothing for longer.
const REMEMBERED_SECONDS: i64 = 3600;

/// A caller who was checked.
#[derive(Debug, PartialEq, Eq)]
pub struct Identity {
    /// Who it is.
    pub caller: Rc<Caller>,
    /// What the log should say besides: the keys could not be fetched again, and the old ones have served; or groups were left out.
    pub warnings: Vec<String>,
}

impl From<Told> for Identity {
    fn from(told: Told) -> Self {
        Self { caller: told.caller, warnings: told.warnings }
    }
}

impl Identity {
    fn of(caller: Rc<Caller>) -> Self {
        Self { caller, warnings: Vec::new() }
    }
}

/// More than one token is somebody's mistake or attack; so many that could be good are checked at most.
const MOST_TOKENS: usize = 32;

/// The caller's tokens, one each: Access's header, else what its cookies hold that could be one. The header is preferred
/// "since the cookie is not guaranteed to be passed" (Access); a header that is there but bad is not saved by a good cookie.
///
/// Several cookies of that name are possible: a page on a sibling host can plant some. What is no JWT at all, or cannot be signed
/// by a key of 2048 bits or more, does not count.
///
/// # Errors
/// Why there is no token to check.
pub fn tokens_of<'a>(request: &RequestHead<'a, impl Read>) -> Result<Vec<Cow<'a, str>>, &'static str> {
    if request.present.has(Name::AccessJwtAssertion) {
        return Ok(vec![request.header(Name::AccessJwtAssertion).unwrap_or_default()]);
    }
    let cookie = request.header(Name::Cookie).unwrap_or_default();
    let (mut tokens, mut there) = (Vec::new(), false);
    for value in cookies::values_of(&cookie, cookies::ACCESS_TOKEN_COOKIE) {
        there = true;
        if token::could_be_good(value) && !tokens.iter().any(|known| known == value) {
            if tokens.len() == MOST_TOKENS {
                return Err("too many CF_Authorization cookies that differ");
            }
            tokens.push(Cow::Owned(value.to_owned()));
        }
    }
    match (tokens.is_empty(), there) {
        (true, false) => Err("no cf-access-jwt-assertion header and no CF_Authorization cookie"),
        (true, true) => Err("no CF_Authorization cookie holds a JWT with a signature by RS256"),
        _ => Ok(tokens),
    }
}

/// A digest of all that could be what Access has let somebody in by, and of the application; nothing where no token is there, or one was
/// cut.
///
/// All of it: what a page has planted beside what counts must not become a name by which another is taken for its owner.
#[inline(never)]
fn shown(request: &RequestHead<'_, impl Read>, aud: &str) -> Option<Digest> {
    let header = request.header(Name::AccessJwtAssertion);
    let cookie = request.header(Name::Cookie).unwrap_or_default();
    let beside = |value: &&str| header.as_deref() != Some(*value);
    let cookies = cookies::values_of(&cookie, cookies::ACCESS_TOKEN_COOKIE).filter(beside);
    let mut tokens: Vec<&str> = header.as_deref().into_iter().chain(cookies).collect();
    let is_whole = header.as_ref().is_none_or(|header| header.len() <= Name::AccessJwtAssertion.longest());
    if !is_whole || tokens.is_empty() {
        return None;
    }
    let others = [Name::AccessToken, Name::AccessClientId, Name::Authorization].map(|name| request.header(name));
    tokens.extend(others.iter().flatten().map(Cow::as_ref));
    // Which of them is which does not matter. None holds a line break.
    Some(Digest::of(&[aud, "\n", &tokens.join("\n")].concat()))
}

/// Checks tokens, and remembers what it needs to do so cheaply: keys, and tokens it found good.
pub struct Gate<R: Runtime> {
    runtime: R,
    keys: RefCell<KeyCache<R::Key>>,
    verified: RefCell<VerifiedTokens<Caller>>,
    people: RefCell<People>,
}

/// How long a request waits for the keys that another one is fetching, or for the identity that another one asks for, in
/// milliseconds: 6 seconds in all. Longer than a fetch may take (5 s, `TIMEOUT_MS` of `src/workers.rs`), shorter than one counts as
/// under way (7 s, `GIVEN_UP_SECONDS` of `keys.rs`).
const PAUSES: [u32; 10] = [5, 15, 30, 50, 100, 300, 500, 1000, 2000, 2000];

impl<R: Runtime> Gate<R> {
    /// A gate that knows no key and no token yet.
    pub fn new(runtime: R) -> Rc<Self> {
        Rc::new(Self { runtime, keys: RefCell::default(), verified: RefCell::default(), people: RefCell::default() })
    }

    /// Who calls, by the token of a request, and that token.
    ///
    /// # Errors
    /// As [`Gate::identify_one`]; `unauthenticated` where there is none.
    pub async fn by_token<'a, H: Read>(
        self: &Rc<Self>,
        request: &RequestHead<'a, H>,
        policy: &JwtPolicy,
    ) -> Result<(Identity, Cow<'a, str>), Refusal> {
        self.identify_one(tokens_of(request).map_err(unauthenticated)?, policy).await
    }

    /// Who calls with one of these tokens, and which of them says so. Those that are not good do not count, and several good
    /// ones must name one caller: which of two a server takes is anybody's guess.
    ///
    /// Those whose key is known come first. Once one is good, those whose key is not known count as not good: whoever plants a
    /// token with a made-up key must not have the caller wait for the issuer.
    ///
    /// # Errors
    /// That of the first token, unless another could not be checked at all; `unauthenticated` where two callers are named.
    pub async fn identify_one<'t>(
        self: &Rc<Self>,
        mut tokens: Vec<Cow<'t, str>>,
        policy: &JwtPolicy,
    ) -> Result<(Identity, Cow<'t, str>), Refusal> {
        match tokens.pop() {
            Some(token) if tokens.is_empty() => Ok((self.identify(&token, policy).await?, token)),
            last => {
                tokens.extend(last);
                seldom(self.identify_several(tokens, policy)).await
            }
        }
    }

    async fn identify_several<'t>(
        self: &Rc<Self>,
        tokens: Vec<Cow<'t, str>>,
        policy: &JwtPolicy,
    ) -> Result<(Identity, Cow<'t, str>), Refusal> {
        let mut found: Option<(Identity, Cow<'t, str>)> = None;
        let mut failure: Option<Refusal> = None;
        let (known, unknown): (Vec<_>, Vec<_>) = tokens.into_iter().partition(|token| self.knows_key_of(token));
        for token in known.into_iter().chain(unknown) {
            // Asked again, for a fetch may have brought its key meanwhile.
            if found.is_some() && !self.knows_key_of(&token) {
                continue;
            }
            match (self.identify(&token, policy).await, &mut found) {
                (Ok(identity), None) => found = Some((identity, token)),
                (Ok(identity), Some((first, _))) if first.caller != identity.caller => {
                    return Err(unauthenticated("several good CF_Authorization cookies name different callers"));
                }
                (Ok(identity), Some((first, _))) => first.warnings.extend(identity.warnings),
                (Err(refusal), _) => {
                    if failure.is_none() || refusal.code == Code::KeysUnavailable {
                        failure = Some(refusal);
                    }
                }
            }
        }
        found.ok_or_else(|| failure.unwrap_or_else(|| unauthenticated("no token")))
    }

    /// Whether a token names a key that is there, so that nothing has to be fetched for it.
    fn knows_key_of(&self, token: &str) -> bool {
        let lookup = |candidate: Candidate| self.keys.borrow().lookup(Some(&candidate.kid), self.runtime.now());
        Candidate::parse(token).is_ok_and(|candidate| matches!(lookup(candidate), Lookup::Use(_)))
    }

    /// Who calls with `token`.
    ///
    /// # Errors
    /// `unauthenticated` with the reason, or `keys_unavailable` where no key could be had to tell.
    pub async fn identify(self: &Rc<Self>, token: &str, policy: &JwtPolicy) -> Result<Identity, Refusal> {
        let longest = Name::AccessJwtAssertion.longest();
        if token.len() > longest {
            // What is longer may not have been read to its end.
            return Err(unauthenticated(format!("the token is longer than {longest} bytes")));
        }
        // Before anything is computed over it.
        token::has_three_parts(token).map_err(unauthenticated)?;
        let digest = Digest::of(token);
        // No borrow is held across an await: requests take turns within one isolate.
        if let Some(caller) = self.verified.borrow().find(&digest, self.runtime.now()) {
            return Ok(Identity::of(caller));
        }
        seldom(self.check(token, digest, policy)).await
    }

    /// Who calls with a token that is not remembered.
    async fn check(self: &Rc<Self>, token: &str, digest: Digest, policy: &JwtPolicy) -> Result<Identity, Refusal> {
        let candidate = Candidate::parse(token).map_err(unauthenticated)?;
        let key = self.key(Some(&candidate.kid), policy).await?;
        if !self.runtime.verify(&key, candidate.signed, candidate.signature()).await {
            return Err(unauthenticated(format!("the signature does not match key {}", quoted(&candidate.kid))));
        }
        let now = self.runtime.now();
        let (caller, expires) = candidate.check_claims(policy, now)?;
        let caller = Rc::new(caller);
        if caller.weight() <= REMEMBERED_BYTES {
            let until = expires.min(now + REMEMBERED_SECONDS);
            self.verified.borrow_mut().remember(digest, Rc::clone(&caller), until);
        }
        let failure = self.keys.borrow_mut().tell_failure();
        let warnings = failure.map(|why| format!("signing keys: {why}; older keys serve")).into_iter().collect();
        Ok(Identity { caller, warnings })
    }

    /// Who calls, by the runtime's word. It does not name programs: their tokens do, where there is a policy for `tokens`.
    ///
    /// # Errors
    /// `unauthenticated` with the reason, or `identity_unavailable` where nobody said who it is.
    pub async fn vouched<H: Read>(
        self: &Rc<Self>,
        request: &RequestHead<'_, H>,
        word: &Word<R::Access>,
        policy: &PlatformPolicy,
        tokens: Option<&JwtPolicy>,
    ) -> Result<Identity, Refusal> {
        policy.check(&word.aud)?;
        if !policy.asks_who() {
            return Ok(Identity::of(Rc::new(Caller::Somebody)));
        }
        let digest = shown(request, &word.aud);
        let known = digest.as_ref().and_then(|digest| self.people.borrow().find(digest, self.runtime.now()));
        let identity = match known {
            Some(caller) => Identity::of(caller),
            None => seldom(self.ask(word, digest, policy)).await?,
        };
        if !matches!(*identity.caller, Caller::Service { .. }) {
            return Ok(identity);
        }
        match tokens {
            Some(tokens) => seldom(self.name_program(request, identity, tokens)).await,
            None if policy.max_token_age_seconds.is_some() => Err(unauthenticated(
                "a service token has no identity with an iat, and access.max_token_age_seconds needs one",
            )
            .by("access.max_token_age_seconds")),
            None => Ok(identity),
        }
    }

    /// A program as its token names it. Where no token does, it has no name; but it opens nothing if its token's age matters. A person's
    /// token beside a program's credentials names nobody.
    async fn name_program<H: Read>(
        self: &Rc<Self>,
        request: &RequestHead<'_, H>,
        nameless: Identity,
        policy: &JwtPolicy,
    ) -> Result<Identity, Refusal> {
        match self.by_token(request, policy).await {
            Ok((identity, _)) if matches!(*identity.caller, Caller::Service { .. }) => Ok(identity),
            Err(refusal) if refusal.code != Code::Unauthenticated || policy.max_token_age_seconds.is_some() => {
                Err(refusal)
            }
            Ok(_) if policy.max_token_age_seconds.is_some() => {
                Err(unauthenticated("the token is a person's, and not the program's")
                    .by("access.max_token_age_seconds"))
            }
            Ok(_) | Err(_) => Ok(nameless),
        }
    }

    /// Asks the runtime who was let in; of several requests with one digest, one does.
    async fn ask(
        self: &Rc<Self>,
        word: &Word<R::Access>,
        digest: Option<Digest>,
        policy: &PlatformPolicy,
    ) -> Result<Identity, Refusal> {
        let Some(digest) = digest else {
            return self.told(word, policy).await.map(Identity::from);
        };
        let (mut waited, mut pauses) = (false, PAUSES.iter());
        loop {
            let look = self.people.borrow().look(&digest, waited, self.runtime.now());
            match look {
                Look::Known(caller) => return Ok(Identity::of(caller)),
                Look::Heard(outcome) => return outcome.map(Identity::of),
                Look::Wait => match pauses.next() {
                    Some(milliseconds) => {
                        waited = true;
                        self.runtime.pause(*milliseconds).await;
                    }
                    None => {
                        return Err(platform::unavailable("getIdentity(): the call of another request takes too long"));
                    }
                },
                Look::Ask => {
                    self.people.borrow_mut().begin(digest, self.runtime.now());
                    let answer = Rc::new(RefCell::new(None));
                    let (gate, word, policy, slot) =
                        (Rc::clone(self), word.clone(), policy.clone(), Rc::clone(&answer));
                    let work = async move {
                        let told = gate.told(&word, &policy).await;
                        let outcome =
                            told.as_ref().map(|told| (Rc::clone(&told.caller), told.until)).map_err(Clone::clone);
                        gate.people.borrow_mut().end(digest, outcome, gate.runtime.now());
                        slot.replace(Some(told));
                    };
                    self.runtime.complete(work).await;
                    let answer = answer.take();
                    return answer
                        .unwrap_or_else(|| Err(platform::unavailable("getIdentity(): no answer")))
                        .map(Identity::from);
                }
            }
        }
    }

    async fn told(&self, word: &Word<R::Access>, policy: &PlatformPolicy) -> Result<Told, Refusal> {
        let identity = self.runtime.identity(&word.access).await;
        let identity = identity.map_err(|why| platform::unavailable(&format!("getIdentity(): {why}")))?;
        platform::read(identity.as_deref(), policy, self.runtime.now())
    }

    /// Whether tokens can be checked at all.
    ///
    /// # Errors
    /// `keys_unavailable`.
    pub async fn has_keys(self: &Rc<Self>, policy: &JwtPolicy) -> Result<(), Refusal> {
        self.key(None, policy).await.map(drop)
    }

    /// The key of this `kid`, or any.
    async fn key(self: &Rc<Self>, kid: Option<&str>, policy: &JwtPolicy) -> Result<R::Key, Refusal> {
        let mut fetched = None;
        let mut pauses = PAUSES.iter();
        loop {
            let lookup = self.keys.borrow().lookup(kid, self.runtime.now());
            match lookup {
                Lookup::Use(key) => return Ok(key),
                // What a cache did not have, the issuer is asked for at once.
                Lookup::Fetch if fetched != Some(Source::Issuer) => {
                    let source = self.keys.borrow_mut().begin_fetch(self.runtime.now());
                    self.runtime.complete(Rc::clone(self).fetch(policy.certs_url.clone(), source)).await;
                    fetched = Some(source);
                }
                Lookup::Fetch | Lookup::Unknown => {
                    let kid = quoted(kid.unwrap_or_default());
                    return Err(
                        unauthenticated(format!("no signing key of the issuer has the kid {kid}")).by("access.issuer")
                    );
                }
                Lookup::Wait => match pauses.next() {
                    Some(milliseconds) => self.runtime.pause(*milliseconds).await,
                    None => return Err(keys_unavailable("signing keys: the fetch of another request takes too long")),
                },
                Lookup::Unavailable => {
                    let keys = self.keys.borrow();
                    return Err(keys_unavailable(&format!("signing keys: {}", keys.failure().unwrap_or("none"))));
                }
            }
        }
    }

    async fn fetch(self: Rc<Self>, url: String, source: Source) {
        let fetched = keys::fetch(&self.runtime, &url, source).await;
        self.keys.borrow_mut().end_fetch(fetched, self.runtime.now());
    }
}

fn keys_unavailable(reason: &str) -> Refusal {
    Refusal::new(Code::KeysUnavailable, reason)
}
