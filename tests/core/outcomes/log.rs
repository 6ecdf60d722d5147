//! What is written down, and how loud.

use std::rc::Rc;

use access_relay_core::caller::identity::Caller;
use access_relay_core::flow::known::Known;
use access_relay_core::messages::trace::Trace;
use access_relay_core::outcomes::log::{Level, Quota, Record};
use access_relay_core::outcomes::problem::{Code, Refusal};
use serde_json::{Value, json};

use crate::support::parse;
use crate::support::{self, minimal, parsed, relay};

fn known(warnings: Vec<String>) -> Known {
    Known { route: None, caller: None, warnings, ..support::known(&parsed(&minimal())) }
}

fn service() -> Rc<Caller> {
    Rc::new(Caller::Service { common_name: "ci.access".to_owned() })
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
fn refusals_are_counted_where_they_are_not_written() {
    let mut quota = Quota::default();
    let second = |quota: &mut Quota, now| (0..50).filter_map(|_| quota.admit(now)).collect::<Vec<u32>>();
    assert_eq!(second(&mut quota, 1000), vec![0; 20]);
    assert_eq!(quota.admit(1000), None);
    let next = second(&mut quota, 1001);
    assert_eq!((next.len(), next[0], next[1]), (20, 31, 0));
    // A clock that steps back starts a second of its own.
    assert_eq!(quota.admit(1000), Some(30));
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
