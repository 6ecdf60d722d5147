//! Public suffixes: names below which anybody can register one, so that no policy with credentials may let all of them in.

/// Whether a host is a public suffix, as far as somebody knows: [`well_known`] in the Worker, the whole list where there is room
/// for it.
pub type PublicSuffixes = fn(&str) -> bool;

/// Whether anybody can register a name below this one, at whatever depth.
#[must_use]
pub fn is_public_suffix(host: &str, is_listed: PublicSuffixes) -> bool {
    // Names that nobody can register: RFC 6761, RFC 8375, and ICANN's for private use.
    const PRIVATE: [&str; 5] = ["home.arpa", "internal", "lan", "localhost", "test"];
    let holds_one = |suffix: &&str| suffix.strip_suffix(host).is_some_and(|rest| rest.ends_with('.'));
    !PRIVATE.contains(&host) && (is_listed(host) || WELL_KNOWN.iter().any(holds_one))
}

/// Top-level domains, and the hosts that pages like these are deployed to. The whole Public Suffix List would make the
/// Worker larger by more than a quarter; `access-relay check` knows all of it.
#[must_use]
pub fn well_known(host: &str) -> bool {
    !host.contains('.') || WELL_KNOWN.contains(&host)
}

/// Public suffixes that a policy is most likely to name.
const WELL_KNOWN: [&str; 22] = [
    "appspot.com",
    "azurewebsites.net",
    "blob.core.windows.net",
    "cloudfront.net",
    "co.jp",
    "co.uk",
    "com.au",
    "com.br",
    "deno.dev",
    "firebaseapp.com",
    "fly.dev",
    "github.io",
    "gitlab.io",
    "herokuapp.com",
    "netlify.app",
    "onrender.com",
    "pages.dev",
    "s3.amazonaws.com",
    "vercel.app",
    "web.app",
    "web.core.windows.net",
    "workers.dev",
];
