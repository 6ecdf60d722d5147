//! `cors`: a route's own policy.

use access_relay_core::rules::cors::Callers;
use serde_json::json;

use crate::support::config::{parsed, relay};

#[test]
fn a_route_closes_itself_with_an_empty_list() {
    let config = parsed(&relay(|value| {
        value["cors"] = json!({ "allowed_origins": ["https://a.example"] });
        value["routes"][0]["cors"] = json!({ "allowed_origins": [] });
    }));
    assert_eq!(config.routes[0].cors.origins, Callers::Nobody);
}
