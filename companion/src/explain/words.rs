//! What a browser's console says of a request that it blocks, in the words of each engine. `har::console` reads such words. Source:
//! Chromium's `cors_error_string.cc`, Firefox's `security.properties`, WebKit's `CrossOriginAccessControl.cpp`.

use serde::Serialize;

use crate::fetch::Blocked;

/// The words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Words {
    /// Of Chromium.
    pub chromium: String,
    /// Of Firefox, in English.
    pub firefox: String,
    /// Of WebKit.
    pub webkit: String,
}

/// What was blocked.
#[derive(Debug, Clone, Copy)]
pub struct Case<'c> {
    /// Why.
    pub why: &'c Blocked,
    /// Whether it is a preflight's answer.
    pub preflight: bool,
    /// The status of the answer.
    pub status: u16,
    /// The URL.
    pub url: &'c str,
    /// The page's origin.
    pub origin: &'c str,
}

impl Words {
    /// Of one that `fetch()` has made.
    #[must_use]
    pub fn of(case: Case) -> Self {
        Self { chromium: chromium(case), firefox: firefox(case), webkit: webkit(case) }
    }
}

fn chromium(Case { why, preflight, url, origin, .. }: Case) -> String {
    let check = if preflight { "Response to preflight request doesn't pass access control check: " } else { "" };
    let include = "when the request's credentials mode is 'include'";
    let reason = match why {
        Blocked::NoOrigin => {
            format!("{check}No 'Access-Control-Allow-Origin' header is present on the requested resource.")
        }
        Blocked::Wildcard => format!(
            "{check}The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*' {include}."
        ),
        Blocked::OtherOrigin(named) => format!(
            "{check}The 'Access-Control-Allow-Origin' header has a value '{named}' that is not equal to the supplied origin."
        ),
        Blocked::NoCredentials => format!(
            "{check}The value of the 'Access-Control-Allow-Credentials' header in the response is '' which must be 'true' {include}."
        ),
        Blocked::Status(_) => format!("{check}It does not have HTTP ok status."),
        Blocked::Method(method) => {
            format!("Method {method} is not allowed by Access-Control-Allow-Methods in preflight response.")
        }
        Blocked::Header(name) => {
            format!("Request header field {name} is not allowed by Access-Control-Allow-Headers in preflight response.")
        }
    };
    format!("Access to fetch at '{url}' from origin '{origin}' has been blocked by CORS policy: {reason}")
}

fn firefox(Case { why, status, url, .. }: Case) -> String {
    let header = |name: &str| format!("CORS header \u{2018}Access-Control-Allow-{name}\u{2019}");
    let with_status = matches!(why, Blocked::NoOrigin | Blocked::Status(_));
    let reason = match why {
        Blocked::NoOrigin => format!("{} missing", header("Origin")),
        Blocked::Wildcard => format!("Credential is not supported if the {} is \u{2018}*\u{2019}", header("Origin")),
        Blocked::OtherOrigin(named) => format!("{} does not match \u{2018}{named}\u{2019}", header("Origin")),
        Blocked::NoCredentials => format!("expected \u{2018}true\u{2019} in {}", header("Credentials")),
        Blocked::Status(_) => "CORS preflight response did not succeed".to_owned(),
        Blocked::Method(_) => format!("Did not find method in {}", header("Methods")),
        Blocked::Header(name) => format!(
            "header \u{2018}{name}\u{2019} is not allowed according to header \u{2018}Access-Control-Allow-Headers\u{2019} from CORS preflight response"
        ),
    };
    // This one message has its URL in quotes.
    let at = if *why == Blocked::Wildcard { format!("\u{2018}{url}\u{2019}") } else { url.to_owned() };
    let status = if with_status { format!(" Status code: {status}.") } else { String::new() };
    format!(
        "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at {at}. (Reason: {reason}).{status}"
    )
}

fn webkit(Case { why, preflight, status, url, origin }: Case) -> String {
    let reason = match why {
        // It looks at the status of a preflight's answer before anything else.
        _ if preflight && !(200..=299).contains(&status) => {
            format!("Preflight response is not successful. Status code: {status}")
        }
        Blocked::NoOrigin | Blocked::OtherOrigin(_) | Blocked::Status(_) => {
            format!("Origin {origin} is not allowed by Access-Control-Allow-Origin. Status code: {status}")
        }
        Blocked::Wildcard => {
            "Cannot use wildcard in Access-Control-Allow-Origin when credentials flag is true.".to_owned()
        }
        Blocked::NoCredentials => {
            "Credentials flag is true, but Access-Control-Allow-Credentials is not \"true\".".to_owned()
        }
        Blocked::Method(method) => format!("Method {method} is not allowed by Access-Control-Allow-Methods."),
        Blocked::Header(name) => {
            format!("Request header field {name} is not allowed by Access-Control-Allow-Headers.")
        }
    };
    format!("{reason}\nFetch API cannot load {url} due to access control checks.")
}
