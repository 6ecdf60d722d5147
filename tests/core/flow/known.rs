//! What is known of a request, as the log tells it: which records there are, and which count against the quota.

use std::rc::Rc;

use access_relay_core::caller::identity::Caller;
use access_relay_core::flow::known::Known;
use access_relay_core::messages::trace::Trace;
use access_relay_core::outcomes::log::{Level, Record};
use access_relay_core::outcomes::problem::{Code, Refusal};
use serde_json::{Value, json};

use crate::support::answers;
use crate::support::config::{minimal, parse, parsed, relay};

fn known(warnings: Vec<String>) -> Known {
    Known { route: None, caller: None, warnings, ..answers::known(&parsed(&minimal())) }
}

fn service() -> Rc<Caller> {
    Rc::new(Caller::Service { common_name: Some("ci.access".to_owned()) })
}

#[test]
fn records_say_what_is_there_and_nothing_else() {
    let trace = Trace::new(None, [7; 24]);
    let quiet = known(Vec::new());
    let record = quiet.record("GET", 200, &trace, None);
    assert_eq!(record.level(), Level::Information);
    let trace_id = "07070707070707070707070707070707";
    let written: Value = serde_json::from_str(&record.line()).unwrap();
    assert_eq!(written, json!({ "method": "GET", "status": 200, "caller": "none", "trace_id": trace_id }));

    let warned = known(vec!["x-forwarded-email is left out".to_owned()]);
    let mut record = warned.record("GET", 200, &trace, Some("8f00-AMS".to_owned()));
    record.left_out = 3;
    assert_eq!(record.level(), Level::Warning);
    let written: Value = serde_json::from_str(&record.line()).unwrap();
    assert_eq!((&written["warnings"], &written["left_out"]), (&json!(["x-forwarded-email is left out"]), &json!(3)));

    let routed =
        Known { route: parsed(&minimal()).routes.first().cloned(), caller: Some(service()), ..known(Vec::new()) };
    let record = routed.record("GET", 200, &trace, None);
    let written: Value = serde_json::from_str(&record.line()).unwrap();
    assert_eq!((&written["route"], &written["caller"]), (&json!("/api"), &json!("service")));

    let errors = parse(&json!({ "routes": [] }), &Vec::new()).unwrap_err();
    let record = Record::misconfigured("GET", errors.iter().map(ToString::to_string).collect(), &trace, None);
    let written: Value = serde_json::from_str(&record.line()).unwrap();
    assert_eq!(
        (record.level(), &written["code"], &written["status"]),
        (Level::Error, &json!("misconfigured"), &json!(500))
    );
    assert_eq!(written["errors"].as_array().map(Vec::len), Some(errors.len()));

    for (code, level) in [(Code::Unauthenticated, Level::Warning), (Code::KeysUnavailable, Level::Error)] {
        let refusal = Refusal::new(code, "why");
        let record = quiet.record("GET", code.status(), &trace, None).refused(Some(&refusal));
        assert_eq!(record.level(), level);
        let written: Value = serde_json::from_str(&record.line()).unwrap();
        assert_eq!((&written["code"], &written["reason"]), (&json!(code.as_str()), &json!("why")));
    }
}

#[test]
fn whoever_has_no_name_counts_against_the_quota() {
    let config = |change: &dyn Fn(&mut Value)| parsed(&relay(|value| change(value)));
    let named = Known { caller: Some(service()), ..known(Vec::new()) };
    let nobody = known(Vec::new());
    let plain = config(&|_| {});
    assert!(nobody.is_counted(&plain) && !named.is_counted(&plain));
    // Asked for, line by line.
    for key in [("debug", json!(true)), ("log", json!("requests"))] {
        let config = config(&|value| value[key.0] = key.1.clone());
        assert!(!nobody.is_counted(&config));
    }
}
