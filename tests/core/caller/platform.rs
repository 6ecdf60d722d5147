//! The runtime's word: whom it lets in, what an identity comes to, and how seldom the runtime is asked for one.

use std::rc::Rc;

use access_relay_core::caller::gate::{Gate, Identity};
use access_relay_core::caller::identity::Caller;
use access_relay_core::caller::people::{Look, People};
use access_relay_core::caller::platform::{PlatformPolicy, Told, Word, read};
use access_relay_core::caller::token::JwtPolicy;
use access_relay_core::messages::head::RequestHead;
use access_relay_core::outcomes::problem::{Code, Refusal};
use access_relay_core::syntax::digest::Digest;
use access_relay_core::syntax::field::is_plain_value;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::config::AUD;
use crate::support::heads::Lines;
use crate::support::issuer::{Known, LocalKeys};
use crate::support::tasks::{in_turns, now};
use crate::support::tokens::{NOW, issuer_key, person, policy as tokens, program, token};

fn policy() -> PlatformPolicy {
    PlatformPolicy { audience: Vec::new(), max_token_age_seconds: None, identity_headers: true, groups: true }
}

fn ada() -> Value {
    json!({
        "user_uuid": "7335d417", "email": "ada@example.com", "iat": NOW - 60, "name": "Ada",
        "groups": [{ "id": "1", "name": "engineering" }, { "id": "2", "name": "on call", "email": "x@example.com" }],
    })
}

fn word(identity: Known) -> Word<Known> {
    Word { aud: AUD.to_owned(), access: identity }
}

fn vouching(identity: &Value) -> Word<Known> {
    word(Ok(Some(identity.to_string())))
}

fn told(identity: &Value) -> Result<Told, Refusal> {
    read(Some(&identity.to_string()), &policy(), NOW)
}

/// Who calls with these headers, by this word.
async fn ask(gate: Rc<Gate<LocalKeys>>, headers: &[(&str, &str)], word: Word<Known>) -> Result<Identity, Refusal> {
    ask_by(gate, headers, word, policy()).await
}

async fn ask_by(
    gate: Rc<Gate<LocalKeys>>,
    headers: &[(&str, &str)],
    word: Word<Known>,
    policy: PlatformPolicy,
) -> Result<Identity, Refusal> {
    let lines = Lines::of(headers);
    let vouched = async |head: &RequestHead<'_, Lines>| gate.vouched(head, &word, &policy, None).await;
    lines.asked_later("GET", "https://app.example.com/api", vouched).await
}

fn keys() -> LocalKeys {
    LocalKeys::publishing(&[&issuer_key().jwk])
}

const ASSERTION: &str = "cf-access-jwt-assertion";

#[test]
fn an_identity_is_read_member_by_member() {
    let person = |sub: Option<&str>, email: Option<&str>, groups: Option<&str>| Caller::User {
        sub: sub.map(str::to_owned),
        email: email.map(str::to_owned),
        groups: groups.map(str::to_owned),
    };
    #[rustfmt::skip]
    let table = [
        (ada(), person(Some("7335d417"), Some("ada@example.com"), Some("engineering,on call"))),
        (json!({ "email": "ada@example.com" }), person(None, Some("ada@example.com"), None)),
        (json!({ "user_uuid": "u", "email": "" }), person(Some("u"), None, None)),
        (json!({ "user_uuid": "u", "email": 7, "groups": "x" }), person(Some("u"), None, None)),
        (json!({ "user_uuid": "u", "groups": [] }), person(Some("u"), None, None)),
        // Some identity providers name groups by a text.
        (json!({ "user_uuid": "u", "groups": ["a", { "name": "b" }] }), person(Some("u"), None, Some("a,b"))),
        (json!({ "user_uuid": "u", "groups": ["DOMAIN\\ops"] }), person(Some("u"), None, Some("DOMAIN\\ops"))),
    ];
    for (identity, caller) in table {
        let told = told(&identity);
        assert_eq!(told, Ok(Told { caller: Rc::new(caller), until: NOW + 300, warnings: Vec::new() }), "{identity}");
    }
    let program = Rc::new(Caller::Service { common_name: None });
    let program = Told { caller: program, until: NOW + 300, warnings: Vec::new() };
    assert_eq!(read(None, &policy(), NOW), Ok(program));
    for nobody in ["{}", "null", "[]", "\"ada@example.com\"", "7", "", "{", r#"{"user_uuid":"","email":""}"#] {
        assert_eq!(read(Some(nobody), &policy(), NOW).unwrap_err().code, Code::IdentityUnavailable, "{nobody}");
    }
    // Nobody has asked for them.
    let silent = PlatformPolicy { groups: false, ..policy() };
    let caller = read(Some(&ada().to_string()), &silent, NOW).unwrap().caller;
    assert_eq!(*caller, person(Some("7335d417"), Some("ada@example.com"), None));
}

#[test]
fn a_group_that_would_read_as_another_is_left_out_with_a_warning() {
    let lacks = |count: usize| {
        format!(
            "x-forwarded-groups lacks {count} of the caller's groups: a name must be plain ASCII without comma and quote"
        )
    };
    #[rustfmt::skip]
    let table = [
        (json!(["a", "b,admins", "c"]), Some("a,c"), Some(1)),
        (json!(["a\"", "b"]), Some("b"), Some(1)),
        // A reader trims what it takes apart.
        (json!([" admins", "admins ", "\tadmins", "b"]), Some("b"), Some(3)),
        (json!(["administr\u{e4}tor", "a\nb", "\u{0}", ""]), None, Some(4)),
        (json!([{ "id": "1" }, { "name": 7 }, 7, null]), None, Some(4)),
    ];
    for (groups, list, left_out) in table {
        let Told { caller, warnings, .. } = told(&json!({ "user_uuid": "u", "groups": groups })).unwrap();
        let Caller::User { groups: read, .. } = &*caller else { panic!() };
        assert_eq!((read.as_deref(), warnings), (list, left_out.map(lacks).into_iter().collect()), "{groups}");
    }
    let of_length =
        |length: usize| told(&json!({ "user_uuid": "u", "groups": ["a".repeat(length - 2), "b"] })).unwrap();
    assert_eq!(of_length(4096).warnings, [""; 0]);
    assert_eq!(
        of_length(4097).warnings,
        ["x-forwarded-groups is left out: the caller's groups need 4097 bytes, and 4096 pass"]
    );
    assert!(matches!(*of_length(4097).caller, Caller::User { groups: None, .. }));
}

proptest! {
    #[test]
    fn whoever_takes_the_list_apart_finds_groups_of_the_caller_and_no_others(
        names in prop::collection::vec("[a-c, \"\u{e4}\\\\\t-]{0,4}", 0..8),
    ) {
        let told = told(&json!({ "user_uuid": "u", "groups": names })).unwrap();
        let groups = told.caller.texts()[3];
        if let Some(list) = groups {
            prop_assert!(is_plain_value(list));
            for name in list.split(',').map(str::trim) {
                prop_assert!(names.iter().any(|known| known == name), "{name:?} of {names:?}");
            }
        }
    }
}

#[test]
fn an_age_goes_by_the_identitys_iat() {
    let aged = PlatformPolicy { max_token_age_seconds: Some(600), ..policy() };
    let at = |iat: Value| {
        let mut identity = ada();
        identity["iat"] = iat;
        read(Some(&identity.to_string()), &aged, NOW)
    };
    // As with a token, a clock may be a minute off; but nothing is remembered beyond its time.
    for (iat, until) in [(NOW, NOW + 300), (NOW - 500, NOW + 100), (NOW - 660, NOW - 60), (NOW + 60, NOW + 300)] {
        assert_eq!(at(json!(iat)).unwrap().until, until);
    }
    for (iat, reason) in [
        (json!(NOW - 661), "iat of the identity is longer ago than access.max_token_age_seconds = 600"),
        (json!(NOW + 61), "iat of the identity is in the future"),
        (json!("2026-11-26"), "iat of the identity is missing, and access.max_token_age_seconds needs it"),
        (Value::Null, "iat of the identity is missing, and access.max_token_age_seconds needs it"),
        (json!(i64::MIN), "iat of the identity is longer ago than access.max_token_age_seconds = 600"),
        (json!(i64::MAX), "iat of the identity is in the future"),
    ] {
        let refusal = at(iat).unwrap_err();
        let key = (!reason.ends_with("future")).then_some("access.max_token_age_seconds");
        assert_eq!((refusal.code, refusal.reason.as_str(), refusal.key), (Code::Unauthenticated, reason, key));
    }
    // Without a limit, nobody reads it.
    assert!(told(&json!({ "user_uuid": "u", "iat": "x" })).is_ok());
}

#[test]
fn the_word_is_for_an_application() {
    let listed = PlatformPolicy { audience: vec!["first".to_owned(), AUD.to_owned()], ..policy() };
    assert!(listed.check("first").is_ok() && listed.check(AUD).is_ok() && policy().check("any").is_ok());
    assert_eq!(
        listed.check("other").unwrap_err().reason,
        "ctx.access is for \"other\", which access.audience does not list"
    );
    for policy in [&listed, &policy()] {
        assert_eq!(policy.check("").unwrap_err().reason, "ctx.access names no AUD tag");
    }
    // Whom it is not for is not asked for either.
    let keys = keys();
    let gate = Gate::new(keys.clone());
    let elsewhere = Word { aud: "other".to_owned(), ..vouching(&ada()) };
    let refusal = now(ask_by(Rc::clone(&gate), &[], elsewhere, listed)).unwrap_err();
    assert_eq!((refusal.code, keys.identities.get()), (Code::Unauthenticated, 0));
}

#[test]
fn nobody_is_asked_for_where_nobody_wants_to_know() {
    let keys = keys();
    let silent = PlatformPolicy { identity_headers: false, groups: false, ..policy() };
    let identity = now(ask_by(Gate::new(keys.clone()), &[], word(Err("down".to_owned())), silent.clone())).unwrap();
    assert_eq!((&*identity.caller, keys.identities.get()), (&Caller::Somebody, 0));
    for wants in [
        PlatformPolicy { identity_headers: true, ..silent.clone() },
        PlatformPolicy { groups: true, ..silent.clone() },
        PlatformPolicy { max_token_age_seconds: Some(600), ..silent },
    ] {
        assert!(now(ask_by(Gate::new(keys.clone()), &[], vouching(&ada()), wants)).is_ok());
    }
    assert_eq!(keys.identities.get(), 3);
}

#[test]
fn somebody_is_asked_for_once_in_five_minutes() {
    let keys = keys();
    let gate = Gate::new(keys.clone());
    let asked = |token: &str, identity: &Value| {
        now(ask(Rc::clone(&gate), &[(ASSERTION, token)], vouching(identity))).unwrap().caller.texts()[1]
            .map(str::to_owned)
    };
    let grace = json!({ "user_uuid": "2", "email": "grace@example.com" });
    for second in [0, 1, 299] {
        keys.clock.set(NOW + second);
        assert_eq!(asked("a.b.c", &ada()).as_deref(), Some("ada@example.com"));
    }
    assert_eq!(keys.identities.get(), 1);
    keys.clock.set(NOW + 300);
    asked("a.b.c", &ada());
    assert_eq!(keys.identities.get(), 2);
    // Another token is another person, or a new session of the same one.
    assert_eq!(asked("d.e.f", &grace).as_deref(), Some("grace@example.com"));
    assert_eq!(keys.identities.get(), 3);
    // A program is remembered as well.
    for _ in 0..2 {
        let program = now(ask(Rc::clone(&gate), &[(ASSERTION, "g.h.i")], word(Ok(None)))).unwrap();
        assert_eq!(*program.caller, Caller::Service { common_name: None });
    }
    assert_eq!(keys.identities.get(), 4);
}

#[test]
fn warnings_are_told_when_the_runtime_is_asked() {
    let gate = Gate::new(keys());
    let identity = json!({ "user_uuid": "u", "groups": ["a,b"] });
    let warnings = || now(ask(Rc::clone(&gate), &[(ASSERTION, "a.b.c")], vouching(&identity))).unwrap().warnings.len();
    assert_eq!((warnings(), warnings()), (1, 0));
}

/// A page can plant cookies beside the true one, and nobody knows which token Access has looked at.
#[test]
fn what_was_planted_is_nobodys_name() {
    let keys = keys();
    let gate = Gate::new(keys.clone());
    let mallory = json!({ "user_uuid": "m", "email": "mallory@example.com" });
    let email = |headers: &[(&str, &str)], identity: &Value| {
        now(ask(Rc::clone(&gate), headers, vouching(identity))).unwrap().caller.texts()[1].map(str::to_owned)
    };
    let planted = "CF_Authorization=p.l.anted";
    for (victims, mallorys) in [
        // Access's own cookie comes along; what was planted stands before it, or after it.
        ([("cookie", "CF_Authorization=p.l.anted; CF_Authorization=a.d.a")], [("cookie", planted)]),
        ([("cookie", "CF_Authorization=a.d.a; CF_Authorization=p.l.anted")], [("cookie", planted)]),
    ] {
        assert_eq!(email(&victims, &ada()).as_deref(), Some("ada@example.com"));
        assert_eq!(email(&mallorys, &mallory).as_deref(), Some("mallory@example.com"));
    }
    // A header that Access has not written, beside its cookie.
    let header = (ASSERTION, "p.l.anted");
    assert_eq!(email(&[header, ("cookie", "CF_Authorization=a.d.a")], &ada()).as_deref(), Some("ada@example.com"));
    assert_eq!(
        email(&[header, ("cookie", "CF_Authorization=m.a.l")], &mallory).as_deref(),
        Some("mallory@example.com")
    );
    assert_eq!(email(&[header], &mallory).as_deref(), Some("mallory@example.com"));
    // Nor is there another way to write the same.
    let split = |cookies: &str| email(&[("cookie", cookies)], &ada());
    let both = keys.identities.get();
    split("CF_Authorization=ab; CF_Authorization=c");
    split("CF_Authorization=a; CF_Authorization=bc");
    assert_eq!(keys.identities.get(), both + 2);
    // What Access may have looked at in its place.
    for name in ["cf-access-token", "cf-access-client-id", "authorization"] {
        let victims = [("cookie", planted), (name, "adas")];
        assert_eq!(email(&victims, &ada()).as_deref(), Some("ada@example.com"));
        assert_eq!(email(&[("cookie", planted), (name, "mallorys")], &mallory).as_deref(), Some("mallory@example.com"));
    }
    // The same token for another application.
    let asked = keys.identities.get();
    let elsewhere = Word { aud: "other".to_owned(), ..vouching(&mallory) };
    let found = now(ask(Rc::clone(&gate), &[header], elsewhere)).unwrap();
    assert_eq!((found.caller.texts()[1], keys.identities.get()), (Some("mallory@example.com"), asked + 1));
}

#[test]
fn without_a_token_to_know_somebody_by_the_runtime_is_asked_each_time() {
    let long = "x".repeat(8 * 1024 + 1);
    let headers: [&[(&str, &str)]; 3] = [&[], &[("cookie", "theme=dark")], &[(ASSERTION, &long)]];
    for headers in headers {
        let keys = keys();
        let gate = Gate::new(keys.clone());
        for count in 1..=3 {
            assert!(now(ask(Rc::clone(&gate), headers, vouching(&ada()))).is_ok());
            assert_eq!(keys.identities.get(), count);
        }
    }
}

#[test]
fn the_first_requests_of_one_person_cause_one_call() {
    let keys = keys();
    let gate = Gate::new(keys.clone());
    keys.reticent.set(true);
    let ask = |token: &'static str| {
        let gate = Rc::clone(&gate);
        async move { ask(gate, &[(ASSERTION, token)], vouching(&ada())).await }
    };
    let tokens = ["a.b.c"; 20].into_iter().chain(["d.e.f"; 5]);
    let outputs = in_turns(tokens.map(ask), |round| {
        keys.reticent.set(round < 3);
        true
    });
    assert!(outputs.into_iter().all(|output| output.unwrap().is_ok()));
    assert_eq!(keys.identities.get(), 2);
}

#[test]
fn a_call_that_fails_is_a_503_for_all_who_waited_and_for_nobody_else() {
    let keys = keys();
    let gate = Gate::new(keys.clone());
    keys.reticent.set(true);
    let failing = || ask(Rc::clone(&gate), &[(ASSERTION, "a.b.c")], word(Err("no answer within 2000 ms".to_owned())));
    let outputs = in_turns((0..10).map(|_| failing()), |round| {
        keys.reticent.set(round < 3);
        true
    });
    let reason = "getIdentity(): no answer within 2000 ms";
    for output in outputs {
        assert_eq!(output.unwrap(), Err(Refusal::new(Code::IdentityUnavailable, reason)));
    }
    assert_eq!(keys.identities.get(), 1);
    // Whoever comes next asks anew; and again, one of them does.
    keys.reticent.set(true);
    let anew = (0..5).map(|_| ask(Rc::clone(&gate), &[(ASSERTION, "a.b.c")], vouching(&ada())));
    let outputs = in_turns(anew, |round| {
        keys.reticent.set(round < 3);
        true
    });
    assert!(outputs.into_iter().all(|output| output.unwrap().is_ok()));
    assert_eq!(keys.identities.get(), 2);
}

/// Whoever waited must not ask again, one after the other.
#[test]
fn what_is_not_remembered_is_told_to_those_who_waited() {
    let keys = keys();
    let gate = Gate::new(keys.clone());
    keys.reticent.set(true);
    // Its time is over, but for what clocks may differ by.
    let mut identity = ada();
    identity["iat"] = json!(NOW - 620);
    let aged = PlatformPolicy { max_token_age_seconds: Some(600), ..policy() };
    let ask = || ask_by(Rc::clone(&gate), &[(ASSERTION, "a.b.c")], vouching(&identity), aged.clone());
    let outputs = in_turns((0..10).map(|_| ask()), |round| {
        keys.reticent.set(round < 3);
        true
    });
    assert!(outputs.into_iter().all(|output| output.unwrap().is_ok()));
    assert_eq!(keys.identities.get(), 1);
    assert!(now(ask()).is_ok());
    assert_eq!(keys.identities.get(), 2);
}

#[test]
fn calls_that_are_over_are_forgotten() {
    let mut people = People::default();
    for number in 0..1000 {
        let digest = Digest::of(&number.to_string());
        people.begin(digest, NOW + number);
        if number % 2 == 0 {
            people.end(digest, Err(Refusal::new(Code::IdentityUnavailable, "down")), NOW + number);
        }
        // Those of this second and of the three before it.
        assert_eq!(people.calls(), usize::try_from(number + 1).unwrap().min(4));
    }
    // A call may take two seconds: as long, nobody else asks.
    let digest = Digest::of("x");
    people.begin(digest, NOW);
    assert_eq!(
        [0, 2, 3, 4].map(|second| people.look(&digest, true, NOW + second)),
        [Look::Wait, Look::Wait, Look::Wait, Look::Ask]
    );
}

#[test]
fn a_call_that_was_given_up_with_its_request_holds_nobody_up() {
    let keys = keys();
    let gate = Gate::new(keys.clone());
    keys.reticent.set(true);
    // It begins, and its caller leaves.
    let begun = ask(Rc::clone(&gate), &[(ASSERTION, "a.b.c")], vouching(&ada()));
    assert_eq!(in_turns([begun], |round| round < 2), [None]);
    keys.reticent.set(false);
    // While it counts as under way, others wait; then one of them asks.
    let outputs = in_turns((0..3).map(|_| ask(Rc::clone(&gate), &[(ASSERTION, "a.b.c")], vouching(&ada()))), |round| {
        keys.clock.set(NOW + i64::try_from(round).unwrap());
        true
    });
    assert!(outputs.into_iter().all(|output| output.unwrap().is_ok()));
    assert_eq!((keys.identities.get(), keys.pauses.get() > 0), (2, true));
    // And nobody waits for ever.
    keys.reticent.set(true);
    let begun = ask(Rc::clone(&gate), &[(ASSERTION, "d.e.f")], vouching(&ada()));
    assert_eq!(in_turns([begun], |round| round < 2), [None]);
    let refusal = now_or_later(ask(Rc::clone(&gate), &[(ASSERTION, "d.e.f")], vouching(&ada()))).unwrap_err();
    assert_eq!(refusal.reason, "getIdentity(): the call of another request takes too long");
}

fn now_or_later<T>(future: impl Future<Output = T>) -> T {
    in_turns([future], |_| true).pop().unwrap().unwrap()
}

/// The API would be told nobody, and take it for a program or for nobody.
#[test]
fn a_name_that_no_header_can_tell_names_nobody() {
    let left_out = |member: &str| format!("{member} of the identity is left out: it cannot be a header's value");
    for bent in ["bj\u{f6}rn@example.com", " ", "a\r\nx-admin: 1", "a ", &"a".repeat(513)] {
        let Told { caller, warnings, .. } = told(&json!({ "user_uuid": "u", "email": bent })).unwrap();
        assert_eq!((caller.texts(), warnings), ([Some("u"), None, None, None], vec![left_out("email")]));
        let Told { caller, warnings, .. } = told(&json!({ "user_uuid": bent, "email": "a@b.c" })).unwrap();
        assert_eq!((caller.texts(), warnings), ([None, Some("a@b.c"), None, None], vec![left_out("user_uuid")]));
        for alone in
            [json!({ "email": bent }), json!({ "user_uuid": bent }), json!({ "user_uuid": bent, "email": bent })]
        {
            assert_eq!(told(&alone).unwrap_err().code, Code::IdentityUnavailable, "{alone}");
        }
    }
    assert!(told(&json!({ "user_uuid": "a".repeat(512) })).is_ok());
}

/// The runtime does not name a program; its token does, once it is verified.
#[test]
fn a_program_has_the_name_of_its_verified_token_or_none() {
    let named = |headers: &[(&str, &str)], keys: LocalKeys, oldest: Option<i64>| {
        let policy = PlatformPolicy { max_token_age_seconds: oldest, ..policy() };
        let tokens = JwtPolicy { max_token_age_seconds: oldest, ..tokens() };
        let gate = Gate::new(keys);
        Lines::of(headers).asked("GET", "https://app.example.com/api", |head| {
            now(gate.vouched(head, &word(Ok(None)), &policy, Some(&tokens))).map(|identity| (*identity.caller).clone())
        })
    };
    let [program, ada] = [issuer_key().sign(&program()), issuer_key().sign(&person())];
    let service = |common_name: Option<&str>| Ok(Caller::Service { common_name: common_name.map(str::to_owned) });
    assert_eq!(named(&[(ASSERTION, &program)], keys(), None), service(Some("88bf.access")));
    let forged = format!("{}AAAA", &program[..program.len() - 4]);
    let nameless: [&[(&str, &str)]; 4] = [&[], &[(ASSERTION, "a.b.c")], &[(ASSERTION, &forged)], &[(ASSERTION, &ada)]];
    for headers in nameless {
        assert_eq!(named(headers, keys(), None), service(None), "{headers:?}");
    }
    // Where its token's age matters, it needs one that says it.
    assert_eq!(named(&[(ASSERTION, &program)], keys(), Some(600)), service(Some("88bf.access")));
    for headers in nameless {
        assert_eq!(named(headers, keys(), Some(600)).unwrap_err().code, Code::Unauthenticated, "{headers:?}");
    }
    // That nobody can tell is not that it has none.
    let down = LocalKeys::answering(Err("down".to_owned()));
    assert_eq!(named(&[(ASSERTION, &program)], down, None).unwrap_err().code, Code::KeysUnavailable);
}

#[test]
fn without_a_policy_for_tokens_a_program_has_no_name_and_no_age() {
    let program = now(ask(Gate::new(keys()), &[(ASSERTION, &token())], word(Ok(None)))).unwrap();
    assert_eq!(*program.caller, Caller::Service { common_name: None });
    let aged = PlatformPolicy { max_token_age_seconds: Some(600), ..policy() };
    let refusal = now(ask_by(Gate::new(keys()), &[], word(Ok(None)), aged)).unwrap_err();
    assert_eq!(refusal.code, Code::Unauthenticated);
}
