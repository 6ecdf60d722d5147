//! The parser of origins, and patterns against what a stranger sends. The first line is a pattern, the rest is sent.
#![no_main]

use access_relay_core::rules::origins::{Origins, Pattern};
use access_relay_core::syntax::origin::Origin;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (first, sent) = text.split_once('\n').unwrap_or((text, text));
    if let Ok(origin) = Origin::parse(first) {
        assert_eq!(origin.as_str(), first);
        assert_eq!(format!("{}://{}{}", origin.scheme(), origin.host(), origin.port()), first);
        assert!(first.is_ascii() && !first.contains(['*', '/', '@', ',', ' ']) || first.matches('/').count() == 2);
    }
    if let Ok(pattern) = Pattern::parse(first) {
        // Whatever passes is written in the one way that is shown.
        if first.contains('*') {
            assert_eq!(pattern.to_string(), first);
        }
        let parent = pattern.parent().map(str::to_owned);
        if Origins::new(Vec::new(), vec![pattern]).contain(sent) {
            let origin = Origin::parse(sent).expect("only origins are ever contained");
            if let Some(parent) = parent {
                let labels = origin.host().strip_suffix(&parent).and_then(|rest| rest.strip_suffix('.'));
                assert!(labels.is_some_and(|labels| !labels.is_empty()), "{sent} is not below {parent}");
            }
        }
    }
});
