//! Cloudflare's published sample (`../../sample.mjs`) as one writes it at first with workers-rs: its own types for requests,
//! URLs and answers, and a variable asked for wherever it is needed. It checks nobody.
#![cfg(target_arch = "wasm32")]

use worker::{Context, Env, Fetch, Method, Request, RequestInit, RequestRedirect, Response, Result, event};

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let mut url = request.url()?;
    let host = env.var("API_HOST")?.to_string();
    let (name, port) = host.split_once(':').unwrap_or((&host, ""));
    url.set_host(Some(name))?;
    // What is no number is no port.
    let _ = url.set_port(port.parse().ok());

    let headers = request.headers().clone();
    headers.set("cf-access-client-id", &env.secret("CF_ACCESS_CLIENT_ID")?.to_string())?;
    headers.set("cf-access-client-secret", &env.secret("CF_ACCESS_CLIENT_SECRET")?.to_string())?;

    let mut init = RequestInit::new();
    // Unless told otherwise, workers-rs follows redirects, and the service token with them.
    init.with_method(request.method()).with_headers(headers).with_redirect(RequestRedirect::Manual);
    if !matches!(request.method(), Method::Get | Method::Head) {
        init.with_body(request.inner().body().map(Into::into));
    }
    let answer = Fetch::Request(Request::new_with_init(url.as_str(), &init)?).send().await?;

    let headers = answer.headers().clone();
    headers.delete("set-cookie")?;
    Ok(answer.with_headers(headers))
}
