//! Tokens that were good: what is remembered of them, and how much.

use std::rc::Rc;

use access_relay_core::caller::verified::{PLACES, VerifiedTokens};
use access_relay_core::syntax::digest::Digest;

#[test]
fn a_token_is_found_until_it_expires() {
    let mut tokens = VerifiedTokens::default();
    assert_eq!(tokens.find(&Digest::of("a"), 0), None);
    tokens.remember(Digest::of("a"), Rc::new("ada"), 100);
    assert_eq!(tokens.find(&Digest::of("a"), 99).as_deref(), Some(&"ada"));
    assert_eq!(tokens.find(&Digest::of("a"), 100), None);
    assert_eq!(tokens.find(&Digest::of("b"), 0), None);
}

#[test]
fn memory_is_bounded_and_one_token_never_answers_for_another() {
    let mut tokens = VerifiedTokens::default();
    for number in 0..100_000 {
        tokens.remember(Digest::of(&number.to_string()), Rc::new(number), 100);
    }
    assert!((PLACES / 2..=PLACES).contains(&tokens.count()));
    let found = (0..100_000).filter_map(|number| Some((number, tokens.find(&Digest::of(&number.to_string()), 0)?)));
    assert!(found.map(|(number, found)| assert_eq!(number, *found)).count() > PLACES / 2);
}
