//! Why an exchange failed: a closed list, the worst first. `docs/har.md` has each with what to do; a test holds the two together.

macro_rules! causes {
    ($($variant:ident = $code:literal, $title:literal, $advice:literal;)*) => {
        /// Why an exchange failed, or is suspicious.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Cause { $(
            #[doc = concat!($title, ".")]
            $variant,
        )* }

        impl Cause {
            /// The closed list, the worst first.
            pub const ALL: &'static [Cause] = &[$(Cause::$variant,)*];

            /// The code: it does not change from one version to the next.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Cause::$variant => $code,)* }
            }

            /// What it is, in one sentence.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Cause::$variant => $title,)* }
            }

            /// What to do.
            #[must_use]
            pub const fn advice(self) -> &'static str {
                match self { $(Cause::$variant => $advice,)* }
            }
        }
    };
}

causes! {
    SessionExpired = "access::session_expired", "The session of Access has ended while the page was open",
        "Reload the page: Access logs the person in again. In the page's calls, send X-Requested-With: XMLHttpRequest: Access then answers 401, which the page can read, in place of a redirect to its login page.";
    NotLoggedIn = "access::not_logged_in", "Nobody is logged in to Access",
        "Log in: open the page itself in a window, and let Access show its login page.";
    DirectCall = "access::direct_call", "The page calls the API's own host, which Access protects as another application",
        "Call the relay's path on the page's own host instead (/api/... in place of https://api...): it needs no CORS and no second login.";
    PreflightBlocked = "access::preflight_blocked", "Access has refused the browser's preflight",
        "Browsers send no cookies with preflights, so Access knows nobody. Call the relay's path on the page's own host, which needs none. If pages of other origins call the relay, switch on \"Bypass OPTIONS requests to origin\" in the application that covers its path (its CORS settings, in Zero Trust, Access controls, Applications).";
    ServiceTokenRefused = "access::service_token_refused", "Access has refused a service token",
        "In Zero Trust, look whether the service token has expired, and whether the API's application has a policy with the action Service Auth that includes it. The relay has it in the secrets CF_ACCESS_CLIENT_ID and CF_ACCESS_CLIENT_SECRET.";
    WrongApplication = "access::wrong_application", "The login is for another application or team than the relay accepts",
        "Write the application's AUD tag into access.audience, and the team's address into access.issuer.";
    PersonDenied = "access::denied", "Access has refused the person, or knows no session",
        "Look at the policies of the application, and at its logs (Zero Trust, Logs, Access).";
    RelayRefused = "relay::refused", "The relay has refused a request",
        "docs/errors.md says what to do about the code. access-relay explain --har FILE --entry N shows which line of the configuration decided.";
    PreflightRefused = "relay::preflight_refused", "The relay's CORS policy refuses what the preflight asks",
        "access-relay explain --har FILE --entry N shows which line to change.";
    PreflightUnanswered = "cors::preflight_unanswered", "The API has answered a preflight without the headers that the browser needs",
        "Call the relay's path on the page's own host, which needs no preflight. Or have the API answer OPTIONS with Access-Control-Allow-Origin, -Methods and -Headers, and with a status from 200 to 299. If Access protects the API, it may be Access that has refused.";
    Credentials = "cors::credentials", "The answer does not allow what the browser sends with credentials",
        "A page that sends cookies needs Access-Control-Allow-Credentials: true, and its own origin in Access-Control-Allow-Origin, not *. Of the relay: cors.allow_credentials = true, and the origin in cors.allowed_origins.";
    ErrorAnswer = "cors::error_answer", "The API has answered with an error, which lacks the headers that let the page read it",
        "Mend the error first: its status says what it is. Many APIs add the CORS headers to their good answers only. If you call the relay's path on the page's own host, the page can read errors, too.";
    Redirected = "cors::redirected", "A call was redirected to where the page may not read the answer",
        "If it leads to a login page, the session has ended: reload the page. Else call the address that it leads to.";
    NoCorsHeaders = "cors::no_headers", "An answer does not let the page of another origin read it",
        "Call the relay's path on the page's own host. Or add the page's origin to the CORS policy of whoever answers.";
    MixedContent = "browser::mixed_content", "A page by https asks for http",
        "Write https:// in the page's call.";
    LocalNetwork = "browser::local_network", "The browser keeps a public page from a local network (Local Network Access)",
        "The API's name leads to a private address. Call the relay's path on the page's own host; or let the person allow it, where the browser asks.";
    ThirdPartyCookies = "browser::third_party_cookies", "The browser sends no cookies to another site",
        "Browsers keep third parties' cookies back, so a login at another site does not go along. Call the relay's path on the page's own host.";
    WithoutCookies = "browser::without_cookies", "The browser has asked for the page's manifest without cookies, and got a login page",
        "Write <link rel=\"manifest\" href=\"...\" crossorigin=\"use-credentials\">. The session is as it was.";
    Cloudflare = "cloudflare::error", "Cloudflare has answered with an error of its own",
        "Look at the API's server and its DNS record: the answer is neither the relay's nor the API's.";
    Challenge = "cloudflare::challenge", "Cloudflare has shown a challenge, which no script can pass",
        "Skip challenges for the relay's path and for the API: a WAF custom rule with the action Skip.";
    HtmlForJson = "page::html", "A call was answered with a page in HTML",
        "The path leads to the page's own server, and not to the relay: add it to the routes of the Worker (or to run_worker_first, behind static assets), or call another path.";
    Extension = "browser::extension", "An extension of the browser has blocked a request",
        "Switch off the ad blocker for the page, or call another path: it takes this one for an ad's or a tracker's.";
    NoAnswer = "network::no_answer", "No answer came",
        "Look at the host's name, at the network, and at whether an extension of the browser (an ad blocker) has blocked it.";
    Unclear = "unclear", "It failed, and the recording does not tell why",
        "Give the console's log, too: --console LOG. Record again with \"Preserve log\" and \"Disable cache\" switched on: an entry that is missing proves nothing, for browsers keep preflights' answers.";
}
