//! How many inputs proptest makes up.

use proptest::test_runner::Config;

/// So many, or as many as `PROPTEST_CASES` says: `npm run mutants` begins with few.
pub fn cases(number: u32) -> Config {
    let said = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    Config::with_cases(said.unwrap_or(number))
}
