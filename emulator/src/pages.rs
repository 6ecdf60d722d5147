//! The HTML. Every page is whole in itself: no script, no font, nothing from elsewhere. The icon is empty: without one,
//! browsers ask for `/favicon.ico`.

const STYLE: &str = "
:root{color-scheme:light dark;
--ink:#1d1f20;--quiet:#595f66;--line:#c9ced6;--card:#fff;--ground:#f2f4f7;--accent:#0051c3}
@media(prefers-color-scheme:dark){:root{
--ink:#eceff3;--quiet:#a9b1bc;--line:#4a515c;--card:#1f242b;--ground:#14171b;--accent:#8ab8ff}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:var(--ground);color:var(--ink);
font:1rem/1.5 system-ui,sans-serif}
main{width:100%;max-width:25rem;background:var(--card);
border:1px solid var(--line);border-radius:.75rem;padding:2rem 1.5rem}
h1{font-size:1.35rem;line-height:1.25;margin:0 0 .25rem}
h2{font-size:1rem;margin:1.5rem 0 .5rem}
p{margin:.25rem 0 0;color:var(--quiet);overflow-wrap:anywhere}
a{color:var(--accent)}
form{display:grid;gap:.5rem}
button,input{font:inherit;width:100%;min-height:2.75rem;padding:.5rem .9rem;
border-radius:.5rem;border:1px solid var(--quiet);
background:transparent;color:inherit;text-align:left}
button{cursor:pointer}
button:hover{border-color:var(--accent);color:var(--accent)}
button.go{background:var(--accent);border-color:var(--accent);color:var(--card);text-align:center;font-weight:600}
button.go:hover{filter:brightness(1.1)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.notice{margin-top:1rem}
.wrong{color:#b3261e;font-weight:600}
@media(prefers-color-scheme:dark){.wrong{color:#ff9d94}}
footer{margin-top:1.75rem;padding-top:1rem;border-top:1px solid var(--line);font-size:.875rem;color:var(--quiet)}
";

const NO_COOKIE: &str = "\
<div class=\"notice\" role=\"alert\">
<p class=\"wrong\">You logged in, but this browser did not keep the cookie.</p>
<p>The cookie is marked Secure. WebKit, the engine of Safari, refuses such a cookie over http. Use Chromium or Firefox, or
put TLS in front of this emulator: emulator/README.md says how.</p>
<p>If this is Chromium or Firefox, it blocks cookies: allow them for this host.</p>
</div>
";

/// Why the login form is shown again.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Problem<'a> {
    /// This was typed, and is no e-mail address.
    NoAddress(&'a str),
    /// The login succeeded, and the browser did not keep its cookie.
    NoCookie,
}

/// The login form: a button for each known person, and a field for any other address.
pub(crate) fn login(hostname: &str, people: &[String], problem: Option<Problem<'_>>) -> String {
    let buttons: String = people
        .iter()
        .map(|person| escape(person))
        .map(|person| format!("<button name=\"email\" value=\"{person}\">{person}</button>\n"))
        .collect();
    let people = if buttons.is_empty() {
        String::new()
    } else {
        format!("<h2>Continue as</h2>\n<form method=\"post\">\n{buttons}</form>\n")
    };
    let host = escape(hostname);
    let no_cookie = if matches!(problem, Some(Problem::NoCookie)) { NO_COOKIE } else { "" };
    let (typed, no_address, marks) = match problem {
        Some(Problem::NoAddress(typed)) => (
            typed,
            "<p class=\"wrong\" id=\"problem\" role=\"alert\">That is not an e-mail address.</p>\n",
            " aria-invalid=\"true\" aria-describedby=\"problem\"",
        ),
        Some(Problem::NoCookie) | None => ("", "", ""),
    };
    let value = escape(typed);
    page(
        "Log in",
        &format!(
            "<h1>Log in</h1>\n<p>to {host}</p>\n{no_cookie}{people}<form method=\"post\">\n\
             <h2><label for=\"email\">E-mail address</label></h2>\n\
             <input id=\"email\" name=\"email\" type=\"email\" required autocomplete=\"email\" \
             placeholder=\"you@example.com\" value=\"{value}\"{marks}>\n\
             {no_address}<button class=\"go\">Log in</button>\n</form>\n"
        ),
    )
}

/// What the API shows to those who are not let in.
pub(crate) fn forbidden(hostname: &str) -> String {
    let host = escape(hostname);
    page("Forbidden", &format!("<h1>Forbidden</h1>\n<p>You do not have permission to view {host}.</p>\n"))
}

/// What Cloudflare shows where a Worker is not reached through `workers.dev`.
pub(crate) fn nothing_here() -> String {
    page(
        "Nothing here",
        "<h1>There is nothing here yet</h1>\n<p>If you expect something to be here, it may take some time.</p>\n",
    )
}

/// After a logout.
pub(crate) fn logged_out(back: &str) -> String {
    message("Logged out", "Your session has ended.", "Log in again", back)
}

/// A one-time code that is used, too old or made up.
pub(crate) fn login_expired(back: &str) -> String {
    message("This login has expired", "It was used already, or it took too long.", "Start again", back)
}

/// A login for an application that does not exist here, or that would lead elsewhere.
pub(crate) fn unknown_application() -> String {
    page(
        "Unknown application",
        "<h1>Unknown application</h1>\n<p>The host, the AUD tag and the address to return to must belong to one \
         application of this emulator that people can log in to.</p>\n",
    )
}

fn message(title: &str, text: &str, link: &str, back: &str) -> String {
    let back = escape(back);
    page(title, &format!("<h1>{title}</h1>\n<p>{text}</p>\n<p><a href=\"{back}/\">{link}</a></p>\n"))
}

fn page(title: &str, main: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{title} - Access emulator</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{main}\
         <footer>A local stand-in for Cloudflare Access. No password, no mail: nothing leaves this machine.</footer>\n\
         </main>\n</body>\n</html>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
