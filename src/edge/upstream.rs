//! Asking the API, and handing its answer on.

use worker::wasm_bindgen::JsCast;
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::{Request, Response};

use super::border::{self, JsHeaders};
use crate::config::Route;
use crate::gateway::{self, Forward, ResponseHead};
use crate::problem::{Code, Refusal};

/// Sends the request: the caller's method and body, untouched, and its headers with the edits.
pub(super) async fn call(request: &Request, method: &str, forward: &Forward<'_>) -> Result<Response, Refusal> {
    let route = forward.route;
    // The edge caches by URL alone: one person's answer must not become another's.
    let cache = (!route.cache).then_some("no-store");
    let edits = border::lines(&forward.edits);
    match JsFuture::from(border::send(request, &forward.url, method, &edits, cache, route.timeout_ms)).await {
        Ok(response) => Ok(response.unchecked_into()),
        Err(error) if border::is_timeout(&error) => {
            Err(Refusal::new(Code::UpstreamTimeout, format!("no answer within timeout_ms = {}", route.timeout_ms)))
        }
        Err(error) => Err(Refusal::new(Code::UpstreamUnreachable, border::message(&error))),
    }
}

/// Makes the API's answer the caller's. The body streams past.
pub(super) fn settle(response: Response, route: &Route, origin: Option<&str>) -> Result<Response, Refusal> {
    let status = response.status();
    if !matches!(status, 101 | 200..=599) {
        return Err(Refusal::new(Code::UpstreamUnreachable, format!("the API answered with the status {status}")));
    }
    let headers = JsHeaders::new(response.headers());
    let edits = gateway::settle(route, origin, &ResponseHead { status, headers: &headers }).inspect_err(|_| {
        // Nobody will read this body: let go of its connection. Whether that works changes nothing for the caller.
        drop(response.body().map(|body| body.cancel()));
    })?;
    border::edited(&response, &border::lines(&edits))
        .map_err(|error| Refusal::new(Code::Internal, border::message(&error)))
}
