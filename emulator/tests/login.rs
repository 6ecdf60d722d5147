//! The app application: logging in, staying logged in, and the ways a session ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(missing_docs, dead_code)]

mod support;

use access_emulator::emulator::Emulator;
use access_emulator::settings::{API_AUD, APP_AUD, Backend, Settings};
use access_emulator::tokens::{Signatory, TokenRequest};
use serde_json::json;
use support::{Answer, decode, echo, get, send, start};

const EMAIL: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// Logs in as a browser does, and returns the answer that sets the cookie.
async fn log_in(access: &Emulator, path: &str) -> Answer {
    let refused = get(&access.app_local_url(), path, &[]).await;
    let login = refused.header("location").unwrap().strip_prefix(&access.issuer()).unwrap().to_owned();
    let form = get(&access.issuer(), &login, &[]).await;
    assert_eq!(form.status, 200);
    assert!(form.body.contains("<button name=\"email\" value=\"ada@example.com\">"));
    assert!(form.header("content-security-policy").unwrap().ends_with(&access.app_url()));
    let granted = send(&access.issuer(), "POST", &login, &[EMAIL], "email=ada%40example.com").await;
    assert_eq!(granted.status, 302);
    let (_, session) = decode(granted.cookie("CF_Session").strip_prefix("CF_Session=").unwrap());
    assert_eq!(session["type"], "org");
    let authorized = granted.header("location").unwrap().strip_prefix(&access.app_url()).unwrap().to_owned();
    assert!(authorized.starts_with("/cdn-cgi/access/authorized?"));
    let answer = get(&access.app_local_url(), &authorized, &[]).await;
    // The code works once.
    assert_eq!(get(&access.app_local_url(), &authorized, &[]).await.status, 400);
    answer
}

#[tokio::test]
async fn a_code_is_good_at_the_application_that_it_was_granted_for_alone() {
    let access = start(|settings| settings.api.allow_policy = true).await;
    let refused = get(&access.app_local_url(), "/", &[]).await;
    let login = refused.header("location").unwrap().strip_prefix(&access.issuer()).unwrap().to_owned();
    let granted = send(&access.issuer(), "POST", &login, &[EMAIL], "email=ada%40example.com").await;
    let authorized = granted.header("location").unwrap().strip_prefix(&access.app_url()).unwrap().to_owned();
    let elsewhere = get(&access.api_local_url(), &authorized, &[]).await;
    assert_eq!((elsewhere.status, elsewhere.cookies().len()), (400, 0));
}

#[tokio::test]
async fn a_login_leads_back_to_where_it_began() {
    let access = start(|_| ()).await;
    let answer = log_in(&access, "/deep/page?tab=%22two%22&x=1").await;
    assert_eq!(answer.status, 302);
    assert_eq!(answer.header("location").unwrap(), format!("{}/deep/page?tab=%22two%22&x=1", access.app_url()));
    assert!(answer.cookies()[0].ends_with("; Max-Age=86400; Path=/; Secure; HttpOnly; SameSite=None"));
    let cookie = answer.cookie("CF_Authorization");
    let token = cookie.strip_prefix("CF_Authorization=").unwrap();
    let all = format!("a=1; {cookie}; b=2");
    let forged = [("Cf-Access-Jwt-Assertion", "forged"), ("Cf-Access-Authenticated-User-Email", "eve@example.com")];
    let page = get(&access.app_local_url(), "/page", &[("Cookie", &all), forged[0], forged[1]]).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.got("cf-access-jwt-assertion").unwrap(), token);
    assert_eq!(page.got("cf-access-authenticated-user-email").unwrap(), "ada@example.com");
    assert_eq!(page.got("cookie").unwrap(), all);
    assert_eq!(page.got("host").unwrap(), "host.example.localhost");
    assert!(page.got("cf-ray").is_some());
    let (header, claims) = decode(token);
    assert_eq!(header["kid"].as_str().unwrap().len(), 64);
    assert_eq!((&claims["aud"], &claims["type"]), (&json!([APP_AUD]), &json!("app")));
    for claim in ["email", "exp", "iat", "nbf", "iss", "identity_nonce", "sub", "country"] {
        assert!(!claims[claim].is_null(), "{claim}");
    }
    assert_eq!(get(&access.app_local_url(), "/", &[("cf-access-token", token)]).await.status, 200);
    let identity = get(&access.app_local_url(), "/cdn-cgi/access/get-identity", &[("Cookie", &cookie)]).await;
    assert_eq!(identity.json()["email"], "ada@example.com");
    assert_eq!(get(&access.app_local_url(), "/cdn-cgi/access/get-identity", &[]).await.status, 400);
}

#[tokio::test]
async fn a_login_never_leads_elsewhere() {
    let access = start(|_| ()).await;
    let base = "/cdn-cgi/access/login/app.example.localhost";
    let cases = [
        (format!("{base}?kid={APP_AUD}&redirect_url=https%3A%2F%2Fevil.example%2F"), None),
        (format!("{base}?kid={APP_AUD}&redirect_url={}.evil.example%2F", access.app_url()), None),
        (format!("{base}?kid={APP_AUD}&redirect_url=%2Fa%0d%0aSet-Cookie%3A%20x%3Dy"), None),
        (format!("{base}?kid={API_AUD}&redirect_url=%2F"), None),
        (format!("/cdn-cgi/access/login/evil.example?kid={APP_AUD}&redirect_url=%2F"), None),
        (format!("{base}?kid={APP_AUD}&redirect_url=%2F%2Fevil.example"), Some("//evil.example")),
        (format!("{base}?kid={APP_AUD}&redirect_url={}%2Fa", access.app_url()), Some("/a")),
        (format!("{base}?kid={APP_AUD}"), Some("/")),
    ];
    for (path, returns_to) in cases {
        let granted = send(&access.issuer(), "POST", &path, &[EMAIL], "email=ada%40example.com").await;
        let Some(returns_to) = returns_to else {
            assert_eq!((granted.status, granted.header("location")), (400, None), "{path}");
            continue;
        };
        let authorized = granted.header("location").unwrap().strip_prefix(&access.app_url()).unwrap().to_owned();
        let answer = get(&access.app_local_url(), &authorized, &[]).await;
        assert_eq!(answer.header("location").unwrap(), format!("{}{returns_to}", access.app_url()));
    }
}

#[tokio::test]
async fn a_browser_that_did_not_keep_the_cookie_is_told_so() {
    let access = start(|settings| settings.api.allow_policy = true).await;
    let app = access.app_local_url();
    let login_after = async |base: &str, path: &str, headers: &[(&str, &str)]| {
        let refused = get(base, path, headers).await;
        assert_eq!(refused.status, 302);
        refused.header("location").unwrap().strip_prefix(&access.issuer()).unwrap().to_owned()
    };
    let told = async |login: &str| {
        let page = get(&access.issuer(), login, &[]).await;
        assert_eq!(page.status, 200);
        let marks = ["did not keep the cookie", "WebKit", "Use Chromium or Firefox", "TLS in front"];
        let marks = marks.map(|mark| page.body.contains(mark));
        assert!(marks.iter().all(|mark| *mark == marks[0]), "{}", page.body);
        marks[0]
    };
    assert!(!told(&login_after(&app, "/a?b=%22c", &[]).await).await, "a first visit");

    log_in(&access, "/a?b=%22c").await;
    assert!(!told(&login_after(&app, "/a", &[]).await).await, "another path");
    assert!(!told(&login_after(&access.api_local_url(), "/a?b=%22c", &[]).await).await, "another application");
    let login = login_after(&app, "/a?b=%22c", &[]).await;
    assert!(told(&login).await, "back without the cookie");
    assert!(!told(&login_after(&app, "/a?b=%22c", &[]).await).await, "whoever comes next");
    let again = send(&access.issuer(), "POST", &login, &[EMAIL], "email=ada%40example.com").await;
    assert_eq!(again.status, 302, "the form is still one");

    let cookie = log_in(&access, "/").await.cookie("CF_Authorization");
    assert_eq!(get(&app, "/", &[("Cookie", &cookie)]).await.status, 200);
    assert!(!told(&login_after(&app, "/", &[]).await).await, "another browser");
    access.expire_sessions();
    assert!(!told(&login_after(&app, "/", &[("Cookie", &cookie)]).await).await, "an expired session");
    assert!(!told(&login_after(&app, "/", &[]).await).await, "an expired session whose cookie is gone");

    let cookie = log_in(&access, "/").await.cookie("CF_Authorization");
    access.expire_sessions();
    assert!(!told(&login_after(&app, "/", &[("Cookie", &cookie)]).await).await, "over before it was used");
}

#[tokio::test]
async fn the_login_page_keeps_its_own_policy() {
    let access = start(|_| ()).await;
    let path = format!("/cdn-cgi/access/login/app.example.localhost?kid={APP_AUD}&redirect_url=%2F");
    let page = get(&access.issuer(), &path, &[]).await;
    let policy = page.header("content-security-policy").unwrap();
    let form_action = format!("form-action 'self' {}", access.app_url());
    let allowed = ["default-src 'none'", "style-src 'unsafe-inline'", "img-src data:", "base-uri 'none'"];
    let allowed = [&allowed[..], &["frame-ancestors 'none'", &form_action]].concat();
    assert_eq!(policy.split("; ").collect::<Vec<_>>(), allowed);
    // All that the page loads is a style of its own and an icon of no bytes.
    assert!(page.body.contains("<link rel=\"icon\" href=\"data:,\">"));
    assert_eq!(page.body.matches("<link").count(), 1);
    for loads in [" src=", "<script", "<img", "url(", "@import", "style=\"", "<base", "action="] {
        assert!(!page.body.contains(loads), "{loads}");
    }
}

#[tokio::test]
async fn behind_a_proxy_with_tls_a_login_stays_at_its_origin() {
    let origin = "https://app.example.localhost:8743";
    let access = start(|settings| settings.app.origin = Some(origin.into())).await;
    assert_eq!(access.app_url(), origin);
    // It also follows each redirect to that origin, and nowhere else.
    let answer = log_in(&access, "/a?b=1").await;
    assert_eq!(answer.header("location").unwrap(), format!("{origin}/a?b=1"));
    for wrong in ["app.example.localhost", "ftp://app.example", "https://app.example/", "https://app.example; x", ""] {
        let mut settings = Settings::on_free_ports();
        settings.app.origin = Some(wrong.into());
        let error = Emulator::start(settings).await.err().unwrap().to_string();
        assert!(
            error.starts_with("an origin must be like https://") && error.ends_with(&format!("{wrong:?}")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_address_that_is_none_is_asked_for_again() {
    let access = start(|_| ()).await;
    let path = format!("/cdn-cgi/access/login/app.example.localhost?kid={APP_AUD}&redirect_url=%2F");
    let answer = send(&access.issuer(), "POST", &path, &[EMAIL], "email=%22%3E%3Cscript%3E").await;
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("role=\"alert\""));
    assert!(!answer.body.contains("<script>"));
}

#[tokio::test]
async fn sessions_end() {
    let access = start(|_| ()).await;
    let app = access.app_local_url();
    let (first, second) = (log_in(&access, "/").await, log_in(&access, "/").await);
    let (first, second) = (first.cookie("CF_Authorization"), second.cookie("CF_Authorization"));
    let status = async |cookie: &str| get(&app, "/", &[("Cookie", cookie)]).await.status;
    let logout = get(&app, "/cdn-cgi/access/logout", &[("Cookie", &first)]).await;
    assert!(logout.cookies()[0].starts_with("CF_Authorization=; Max-Age=0;"));
    assert_eq!((status(&first).await, status(&second).await), (302, 200));
    access.expire_sessions();
    assert_eq!(status(&second).await, 302);
    let third = log_in(&access, "/").await.cookie("CF_Authorization");
    assert_eq!(status(&third).await, 200);
}

#[tokio::test]
async fn only_tokens_of_the_app_open_it() {
    let access = start(|_| ()).await;
    let user = || TokenRequest::user("ada@example.com");
    let now = 4_000_000_000;
    let cases = [
        ("good", user(), 200),
        ("aud as a string", TokenRequest { aud: Some(json!(APP_AUD)), ..user() }, 200),
        ("another aud", TokenRequest { aud: Some(json!([API_AUD])), ..user() }, 302),
        ("expired", TokenRequest { expires_in: Some(-1), ..user() }, 302),
        ("not yet valid", TokenRequest { nbf: Some(now), ..user() }, 302),
        ("no exp", TokenRequest { omit: vec!["exp".into()], ..user() }, 302),
        ("another issuer", TokenRequest { iss: Some("https://other.example".into()), ..user() }, 302),
        ("global session", TokenRequest { token_type: Some("org".into()), ..user() }, 302),
        ("metadata", TokenRequest { token_type: Some("match".into()), ..user() }, 302),
        ("unknown kid", TokenRequest { kid: Some("0".repeat(64)), ..user() }, 302),
        ("forged", TokenRequest { signed_by: Signatory::Nobody, ..user() }, 302),
    ];
    for (name, request, status) in cases {
        let cookie = format!("CF_Authorization={}", access.mint(&request));
        assert_eq!(get(&access.app_local_url(), "/", &[("Cookie", &cookie)]).await.status, status, "{name}");
    }
}

#[tokio::test]
async fn a_bypassed_path_is_open_and_still_knows_who_calls() {
    let access = start(|settings| settings.app.bypass = vec!["/api".into()]).await;
    let app = access.app_local_url();
    let forged = ("Cf-Access-Jwt-Assertion", "forged");
    for path in ["/api", "/api/x"] {
        let anyone = get(&app, path, &[forged]).await;
        assert_eq!((anyone.status, anyone.got("cf-access-jwt-assertion")), (200, None));
    }
    assert_eq!(get(&app, "/apiary", &[]).await.status, 302);
    let token = access.mint(&TokenRequest::user("ada@example.com"));
    let known = get(&app, "/api", &[("Cookie", &format!("CF_Authorization={token}"))]).await;
    assert_eq!(known.got("cf-access-jwt-assertion"), Some(token));
}

#[tokio::test]
async fn the_longest_backend_wins_on_segment_boundaries() {
    let access = start(|_| ()).await;
    let (page, nowhere) = (echo().await, "http://127.0.0.1:9".to_owned());
    let backend = |path: &str, to: &str| Backend { path: path.into(), to: to.into() };
    access.set_app_backends(vec![backend("/", &page), backend("/api", &nowhere)]).unwrap();
    let token = access.mint(&TokenRequest::user("ada@example.com"));
    let token = ("cf-access-token", token.as_str());
    assert_eq!(get(&access.app_local_url(), "/apiary", &[token]).await.status, 200);
    for path in ["/api", "/api/", "/api?x", "/api/x"] {
        let answer = get(&access.app_local_url(), path, &[token]).await;
        assert_eq!(answer.status, 502, "{path}");
        assert!(answer.body.starts_with("The backend http://127.0.0.1:9 cannot be reached: "), "{}", answer.body);
    }
    assert!(access.set_app_backends(vec![backend("/", "https://x.example")]).is_err());
    assert!(access.set_app_backends(vec![backend("api", &page)]).is_err());
}
