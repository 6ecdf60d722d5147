//! Small helpers for requests and answers: bodies, headers, cookies, queries.

use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Response, StatusCode};
use serde_json::Value;

/// The body of every answer: text of our own, or a backend's stream.
pub(crate) type Body = BoxBody<Bytes, hyper::Error>;

/// Forms and control requests are small.
const SMALL_BODY: usize = 64 * 1024;

pub(crate) const COOKIE_NAME: &str = "CF_Authorization";

/// Whether this is a CORS preflight, by the three marks that the Fetch standard names.
pub(crate) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS && headers.contains_key("origin") && headers.contains_key("access-control-request-method")
}

/// Whether the comma-separated list in this header has the token, in any case of letters.
pub(crate) fn has_token(headers: &HeaderMap, name: &str, token: &str) -> bool {
    let lists = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|item| item.trim().eq_ignore_ascii_case(token))
}

/// A header as text, if it is there and is text.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Sets a header; a value that cannot stand in a header is left out.
pub(crate) fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// Adds a header next to those of the same name.
pub(crate) fn append(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        headers.append(HeaderName::from_static(name), value);
    }
}

/// The values of all cookies of this name.
pub(crate) fn cookies<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(key, _)| *key == name).map(|(_, value)| value)
}

/// A `Set-Cookie` value with the attributes that Access gives its cookies.
pub(crate) fn access_cookie(name: &str, value: &str, max_age: i64) -> String {
    format!("{name}={value}; Max-Age={max_age}; Path=/; Secure; HttpOnly; SameSite=None")
}

/// A parameter of a query or of a form.
pub(crate) fn parameter(encoded: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(encoded.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Percent-encodes a value for a query.
pub(crate) fn encode(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

/// The whole of a small body, or nothing if it is too long, broken or not text.
pub(crate) async fn small_body(body: Incoming) -> Option<String> {
    let bytes = Limited::new(body, SMALL_BODY).collect().await.ok()?.to_bytes();
    String::from_utf8(bytes.into()).ok()
}

pub(crate) fn html(status: StatusCode, page: String) -> Response<Body> {
    let mut answer = with_type(status, "text/html; charset=utf-8", page);
    set(answer.headers_mut(), "x-frame-options", "DENY");
    answer
}

pub(crate) fn json(status: StatusCode, value: &Value) -> Response<Body> {
    with_type(status, "application/json", value.to_string())
}

pub(crate) fn text(status: StatusCode, text: String) -> Response<Body> {
    with_type(status, "text/plain; charset=utf-8", text)
}

/// A 302 without a body.
pub(crate) fn redirect(to: &str) -> Response<Body> {
    let mut answer = with_type(StatusCode::FOUND, "text/html; charset=utf-8", String::new());
    set(answer.headers_mut(), "location", to);
    answer
}

fn with_type(status: StatusCode, content_type: &'static str, body: String) -> Response<Body> {
    let mut answer = Response::new(Full::from(body).map_err(|never| match never {}).boxed());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
