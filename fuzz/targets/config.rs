//! The configuration: whatever JSON is there, the answer is a sound configuration or errors, and never a secret.
#![no_main]

use access_relay_core::config::parse::parse;
use access_relay_core::config::secrets::secret_names;
use access_relay_core::config::source::from_text;
use access_relay_core::config::suffix::well_known;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const SECRET: &str = "s3cr3t-v4lu3";

fuzz_target!(|data: &[u8]| {
    let relay = match from_text(data) {
        Ok(relay) => relay,
        Err(errors) => return assert!(!errors.is_empty()),
    };
    assert_eq!(serde_json::from_slice::<Value>(data).ok().as_ref(), Some(&relay));
    let names = secret_names(&relay);
    let secrets: Vec<(String, String)> = names.into_iter().map(|name| (name, SECRET.to_owned())).collect();
    match parse(&relay, &secrets, well_known) {
        Ok(config) => {
            assert!(!config.routes.is_empty());
            assert!(
                !format!("{config:?}").contains(SECRET)
                    && !config.warnings.iter().any(|warning| warning.to_string().contains(SECRET))
            );
            assert_eq!(parse(&relay, &secrets, well_known).as_ref(), Ok(&config));
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            for error in errors {
                assert!(!error.to_string().contains(SECRET), "{error}");
                assert!(!error.path.is_empty() && !error.found.is_empty() && !error.expected.is_empty());
            }
        }
    }
});
