//! Asking the API, and handing its answer on.

use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::{Headers, Request, RequestCache, RequestInit, RequestRedirect, Response, ResponseInit};

use super::border::{self, Deadline, JsHeaders};
use crate::config::Route;
use crate::gateway::{self, Forward, ResponseHead};
use crate::headers::{Direction, Present};
use crate::problem::{Code, Refusal};

/// What the log says of a call to the API.
#[derive(Clone, Copy)]
pub(super) struct Call {
    /// The API's status, if it answered.
    pub(super) status: Option<u16>,
    /// The time until the answer's headers.
    pub(super) milliseconds: u64,
}

/// Sends the request: the caller's method and body, untouched, and its headers with the edits.
pub(super) async fn call(
    request: &Request,
    method: &str,
    route: &Route,
    forward: &Forward,
) -> Result<(Response, Call), (Refusal, Call)> {
    let started = border::now_ms();
    let call = |status| Call { status, milliseconds: u64::try_from(border::now_ms() - started).unwrap_or_default() };
    let failed = |error: JsValue| (Refusal::new(Code::Internal, border::message(&error)), call(None));

    let deadline = Deadline::start(route.timeout_ms).map_err(failed)?;
    let init = init(request, method, route, forward, &deadline).map_err(failed)?;
    let fetched = async { JsFuture::from(border::fetch(&forward.url, &init)?).await };
    let fetched = fetched.await;
    deadline.stop();
    match fetched {
        Ok(response) => {
            let response: Response = response.unchecked_into();
            let call = call(Some(response.status()));
            Ok((response, call))
        }
        Err(_) if deadline.has_passed() => {
            let reason = format!("no answer within timeout_ms = {}", route.timeout_ms);
            Err((Refusal::new(Code::UpstreamTimeout, reason), call(None)))
        }
        Err(error) => Err((Refusal::new(Code::UpstreamUnreachable, border::message(&error)), call(None))),
    }
}

fn init(
    request: &Request,
    method: &str,
    route: &Route,
    forward: &Forward,
    deadline: &Deadline,
) -> Result<RequestInit, JsValue> {
    let headers = Headers::new_with_headers(&request.headers())?;
    border::apply(&headers, &forward.edits)?;
    let init = RequestInit::new();
    init.set_method(method);
    init.set_headers(&headers);
    if let Some(body) = request.body() {
        init.set_body(&body);
    }
    // Followed here, a redirect would carry the credentials to whatever host the API names.
    init.set_redirect(RequestRedirect::Manual);
    if !route.cache {
        // The edge caches by URL alone: one person's answer must not become another's.
        init.set_cache(RequestCache::NoStore);
    }
    init.set_signal(Some(&deadline.signal()));
    Ok(init)
}

/// Makes the API's answer the caller's. The body streams past; where nothing changes, the answer itself is handed on.
pub(super) fn settle(response: Response, route: &Route, origin: Option<&str>) -> Result<Response, Refusal> {
    let status = response.status();
    // A new Response would lose the WebSocket.
    if status == 101 {
        return Ok(response);
    }
    let headers = JsHeaders::new(response.headers());
    let present = Present::of(&headers.names(), Direction::Response);
    let head = ResponseHead { status, present: &present, headers: &headers };
    let edits = match gateway::settle(route, origin, &head) {
        Ok(edits) => edits,
        Err(refusal) => {
            // Nobody will read this body: let go of its connection. Whether that works changes nothing for the caller.
            drop(response.body().map(|body| body.cancel()));
            return Err(refusal);
        }
    };
    if edits.is_empty() {
        return Ok(response);
    }
    let edited = || {
        // A response that was fetched cannot be edited; this one shares its body.
        let copy = Response::new_with_opt_readable_stream_and_init(
            response.body().as_ref(),
            response.unchecked_ref::<ResponseInit>(),
        )?;
        border::apply(&copy.headers(), &edits)?;
        Ok(copy)
    };
    edited().map_err(|error: JsValue| Refusal::new(Code::Internal, border::message(&error)))
}
