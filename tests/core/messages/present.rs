//! Which headers a message has, and which of them hold a secret.

use access_relay_core::messages::crossing::in_answer;
use access_relay_core::messages::name::Name;

use crate::support::heads::Lines;

#[test]
fn a_secret_in_a_value_is_told_by_the_headers_name() {
    let lines = Lines::of(&[("x-echo", "id=1; secret=s3cr3t-value"), ("location", "/x?s3cr3t-value"), ("etag", "x")]);
    let told = lines.told_by_the_api(&["s3cr3t-value"]);
    let present = in_answer(&told);
    assert_eq!(present.leaks(), ["location", "x-echo"]);
    assert!(present.has(Name::Location));
    assert!(present.has_any(&[Name::Vary, Name::Location]));
    assert!(!present.has_any(&[Name::Vary, Name::Link]) && !present.has_any(&[]));
}
