//! `har` on what browsers have said to others: the right cause first.

use std::collections::BTreeSet;
use std::fs;

use access_relay_companion::har::report::{Report, report};

const FOLDER: &str = "companion/tests/samples/har/public";

/// A recording in which nothing failed, beside which a console log alone can be read.
const SOUND: &str = r#"{"log":{"creator":{"name":"Firefox","version":"140"},"entries":[
    {"request":{"method":"GET","url":"https://sound.example.org/"},"response":{"status":200}}]}}"#;

/// Each file, with the codes that are told of it, the worst first.
const TOLD: &[(&str, &[&str])] = &[
    ("01-access-expired.txt", &["access::session_expired"]),
    ("02-access-expired-preflight.txt", &["access::session_expired"]),
    ("03-access-manifest.txt", &["browser::without_cookies"]),
    ("04-access-manifest-and-blocker.txt", &["browser::without_cookies", "browser::extension"]),
    ("05-other-login-manifest.txt", &["browser::without_cookies"]),
    ("06-error-without-headers.har", &["cors::error_answer"]),
    ("07-sound-analytics.har", &[]),
    ("08-http-of-the-own-host.txt", &["browser::mixed_content"]),
    ("09-local-network.txt", &["browser::local_network"]),
    ("10-wildcard.txt", &["cors::credentials"]),
    ("11-wildcard-2018.txt", &["cors::credentials"]),
    ("12-preflight-redirected.txt", &["cors::preflight_unanswered"]),
    ("13-mixed-content.txt", &["browser::mixed_content"]),
    ("14-firefox-french-blocker.txt", &["network::no_answer"]),
    ("15-firefox-russian-524.txt", &["cloudflare::error"]),
    ("16-firefox-chinese-no-headers.txt", &["cors::no_headers"]),
    ("17-firefox-taiwan-blocker.txt", &["network::no_answer"]),
    ("18-firefox-header.txt", &["cors::preflight_unanswered"]),
    ("19-firefox-italian-no-headers.txt", &["cors::no_headers"]),
    ("20-firefox-russian-other-origin.txt", &["cors::no_headers"]),
    ("21-firefox-german-preflight.txt", &["cors::preflight_unanswered"]),
    ("22-safari-www.txt", &["cors::no_headers"]),
    ("23-safari-preflight-403.txt", &["cors::preflight_unanswered"]),
    ("24-safari-unclear.txt", &["unclear"]),
    ("25-safari-other-port.txt", &["cors::no_headers"]),
    ("26-safari-preflight-405.txt", &["cors::preflight_unanswered"]),
    ("27-safari-10.txt", &["cors::preflight_unanswered"]),
    ("28-login-by-fetch.txt", &["cors::redirected"]),
    ("29-api-without-cors.txt", &["cors::preflight_unanswered"]),
    ("30-sound-access-login.har", &[]),
];

fn told(file: &str) -> Report {
    let text = crate::committed(&format!("{FOLDER}/{file}"));
    let (har, console) = if file.ends_with(".har") { (text.as_str(), "") } else { (SOUND, text.as_str()) };
    report(har.as_bytes(), console, None).unwrap()
}

#[test]
fn the_right_cause_comes_first() {
    for (file, expected) in TOLD {
        let report = told(file);
        let codes: Vec<&str> = report.causes.iter().map(|found| found.code).collect();
        assert_eq!(codes, *expected, "{file}: {:?}", report.causes);
        // Where the log names a URL, the evidence does.
        for found in &report.causes {
            assert!(found.evidence.iter().all(|line| line.len() > "the console: ".len()), "{file}: {found:?}");
        }
    }
}

#[test]
fn each_file_is_told() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../companion/tests/samples/har/public");
    let names = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let files: BTreeSet<String> = names.filter(|name| name != "README.md").collect();
    assert_eq!(files, TOLD.iter().map(|(file, _)| (*file).to_owned()).collect());
}
