//! The docs name what the code has, all of it.

use access_relay_core::outcomes::problem::Code;

fn doc(name: &str) -> String {
    std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join("docs").join(name))
        .unwrap()
}

#[test]
fn every_code_is_described_with_its_status() {
    let errors = doc("errors.md");
    for code in Code::ALL {
        let row = format!("| `{}` | {} |", code.as_str(), code.status());
        assert_eq!(errors.matches(&row).count(), 1, "{row}");
    }
    assert_eq!(errors.lines().filter(|line| line.starts_with("| `")).count(), Code::ALL.len());
}

#[test]
fn every_key_is_described() {
    let configuration = doc("configuration.md");
    for key in [
        "access.issuer",
        "access.audience",
        "access.dangerously_allow_anyone",
        "access.max_token_age_seconds",
        "access.identity_headers",
        "routes[].path",
        "routes[].upstream",
        "routes[].strip_prefix",
        "routes[].credentials",
        "routes[].service_token",
        "routes[].foreign_requests",
        "routes[].callback_paths",
        "routes[].documents",
        "routes[].request_cookies",
        "routes[].response_cookies",
        "routes[].timeout_ms",
        "routes[].retries",
        "routes[].cache",
        "routes[].cors",
        "cors.allowed_origins",
        "cors.allowed_methods",
        "cors.allowed_headers",
        "cors.exposed_headers",
        "cors.allow_credentials",
        "cors.max_age",
        "cors.excluded_paths",
        "cors.preflight",
        "log",
        "server_timing",
        "health_path",
        "debug",
    ] {
        assert_eq!(configuration.matches(&format!("| `{key}` |")).count(), 1, "{key}");
    }
}
