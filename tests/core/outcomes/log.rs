//! The log: what a line says and how loud it is, and how much strangers can have written down.

use access_relay_core::messages::trace::Trace;
use access_relay_core::outcomes::log::{Level, Quota, Record};

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
fn a_line_says_what_there_is_and_is_as_loud_as_it_matters() {
    let trace = Trace::new(None, [7; 24]);
    let warnings = ["look at it".to_owned()];
    for (status, warnings, level) in [
        (200, &[][..], Level::Information),
        (399, &[], Level::Information),
        (200, &warnings, Level::Warning),
        (400, &[], Level::Warning),
        (499, &[], Level::Warning),
        (500, &warnings, Level::Error),
        (599, &[], Level::Error),
    ] {
        let record = Record { warnings, ..Record::of("GET", status, &trace, None) };
        assert_eq!(record.level(), level, "{status} {warnings:?}");
        assert_eq!(record.line().contains("\"warnings\":"), !warnings.is_empty());
    }
    let health = Record::of_health(&warnings, &trace).line();
    assert!(health.contains("\"status\":503") && health.contains("\"warnings\":[\"look at it\"]"), "{health}");
    assert!(!health.contains("left_out"), "{health}");
    let wrong = Record::misconfigured("PUT", vec!["access: found nothing".to_owned()], &trace, None).line();
    for part in ["\"code\":\"misconfigured\"", "\"errors\":[\"access: found nothing\"]", "\"method\":\"PUT\""] {
        assert!(wrong.contains(part), "{wrong}");
    }
    let after_others = Record { left_out: 7, ..Record::of("GET", 401, &trace, None) }.line();
    assert!(after_others.contains("\"left_out\":7"), "{after_others}");
}
