//! What monitors are told, and how much work they can cause.

use std::rc::Rc;

use access_relay_core::config::types::Config;
use access_relay_core::flow::health::{Board, Check, Look, answer, is_asked_for, judge};
use access_relay_core::outcomes::problem::{Code, Refusal};
use serde_json::{Value, json};

use crate::support::config::{parsed, relay};
use crate::support::heads::Lines;

#[test]
fn a_report_is_for_get_and_head_of_the_one_path() {
    let asked = |method: &str, path: &str| is_asked_for(Some("/healthz"), method, path);
    assert!(asked("GET", "/healthz") && asked("HEAD", "/healthz"));
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "get", ""] {
        assert!(!asked(method, "/healthz"), "{method}");
    }
    for path in ["/", "", "/healthz/", "/healthz/x", "/Healthz", "/%68ealthz"] {
        assert!(!asked("GET", path), "{path}");
    }
    assert!(!is_asked_for(None, "GET", "/healthz") && is_asked_for(Some("/"), "GET", "/"));
}

#[test]
fn a_line_for_each_check_with_names_and_codes_only() {
    let refusal = Refusal::new(Code::UpstreamAccessDenied, "api.example.com answered 403: check CF_ACCESS_CLIENT_ID");
    let sound = [Check::new("configuration", Ok(())), Check::new("route /api", Ok(()))];
    let failing = [Check::new("configuration", Ok(())), Check::new("route /api", Err(refusal))];
    for (checks, status, word) in [(&sound, 200, "ok"), (&failing, 503, "failing")] {
        let answer = answer(checks);
        let body = answer.body.unwrap();
        assert_eq!(answer.status, status);
        let lines = Lines::default().apply(&answer.headers);
        assert_eq!(lines.get("content-type").as_deref(), Some("application/json"));
        assert_eq!(lines.get("cache-control").as_deref(), Some("no-store"));
        assert_eq!(body.lines().count(), 2 + 2);
        assert!(!body.contains("example.com") && !body.contains("CLIENT"), "{body}");
        let read: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(read["status"], word);
        assert_eq!(read["checks"][0], json!({ "check": "configuration", "status": "ok" }));
    }
    let read: Value = serde_json::from_str(&answer(&failing).body.unwrap()).unwrap();
    assert_eq!(
        read["checks"][1],
        json!({ "check": "route /api", "status": "failing", "code": "upstream_access_denied" })
    );
    assert!(sound[1].warning().is_none());
    let warning = "route /api: upstream_access_denied: api.example.com answered 403: check CF_ACCESS_CLIENT_ID";
    assert_eq!(failing[1].warning().as_deref(), Some(warning));
}

#[test]
fn what_an_api_answers_to_a_monitor() {
    let config = |credentials: &str| -> Config {
        parsed(&relay(|value| value["routes"][0]["credentials"] = json!(credentials)))
    };
    let judged = |credentials: &str, status: u16, headers: &[(&str, &str)]| {
        let lines = Lines::of(headers);
        let judged = lines.answered(status, |head| judge(&config(credentials).routes[0], head));
        judged.err().map(|why| why.code)
    };
    let login = [("location", "https://acme.cloudflareaccess.com/cdn-cgi/access/login/api.example.com?kid=x")];
    let (ours, theirs) = ("service-token", "caller-token");
    for status in [200, 204, 301, 401, 403, 404, 500, 503] {
        assert_eq!(judged(ours, status, &[]), None, "{status}");
    }
    assert_eq!(judged(ours, 302, &login), Some(Code::UpstreamAccessDenied));
    assert_eq!(judged(ours, 403, &[("cf-access-aud", "x")]), Some(Code::UpstreamAccessDenied));
    // A monitor has no token of its own to send on: being refused shows that Access stands there.
    assert_eq!(judged(theirs, 302, &login), None);
    for status in [520, 522, 523, 530] {
        assert_eq!(judged(ours, status, &[]), Some(Code::UpstreamUnreachable));
        assert_eq!(judged(theirs, status, &[]), Some(Code::UpstreamUnreachable));
    }
}

#[test]
fn one_report_at_a_time_kept_for_ten_seconds() {
    let mut board = Board::default();
    assert_eq!(board.look(100), Look::Make);
    board.begin(100);
    assert_eq!((board.look(100), board.look(114), board.look(115)), (Look::Wait, Look::Wait, Look::Make));
    let report: Rc<[Check]> = Rc::new([Check::new("configuration", Ok(()))]);
    board.put(Rc::clone(&report), 102);
    assert_eq!(
        (board.look(102), board.look(111)),
        (Look::Report(Rc::clone(&report)), Look::Report(Rc::clone(&report)))
    );
    assert_eq!(board.look(112), Look::Make);
    // While the next one is made, this one serves.
    board.begin(112);
    assert_eq!((board.look(113), board.look(127)), (Look::Report(report), Look::Make));
}
