//! People's sessions: which are open, which were ended, and which a browser is about to present for the first time.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// How long after a login a browser may take to come back to the application: it only follows a redirect.
const RETURN_TIME: Duration = Duration::from_secs(10);

/// People's sessions, by the claim `identity_nonce` of their tokens.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    /// The e-mail address of each.
    open: HashMap<String, String>,
    ended: HashSet<String>,
    returning: Vec<Returning>,
}

/// A browser that was just sent back to the application, and whose session nobody has presented yet.
#[derive(Debug)]
struct Returning {
    nonce: String,
    aud: String,
    path: String,
    since: Instant,
}

impl Sessions {
    pub(crate) fn begin(&mut self, nonce: &str, email: &str) {
        self.open.insert(nonce.into(), email.into());
    }

    /// Notes that a browser is on its way to this path of an application with a new session.
    pub(crate) fn expect_return(&mut self, nonce: String, aud: String, path: String) {
        self.returning.push(Returning { nonce, aud, path, since: Instant::now() });
    }

    /// Notes that the session of a login has arrived, and says whether it was ended.
    pub(crate) fn presented(&mut self, nonce: &str) -> bool {
        self.returning.retain(|returning| returning.nonce != nonce);
        self.ended.contains(nonce)
    }

    /// Whether a browser is expected at this path with the session of a login. It is no more, once asked.
    pub(crate) fn returns(&mut self, aud: &str, path: &str) -> bool {
        self.returning.retain(|returning| returning.since.elapsed() < RETURN_TIME);
        let expected = self.returning.iter().position(|returning| returning.aud == aud && returning.path == path);
        expected.map(|index| self.returning.swap_remove(index)).is_some()
    }

    /// Ends those sessions that are chosen by their nonce and e-mail address.
    pub(crate) fn end(&mut self, which: impl Fn(&str, &str) -> bool) {
        let ended = self.open.extract_if(|nonce, email| which(nonce, email)).map(|(nonce, _)| nonce);
        self.ended.extend(ended);
    }

    pub(crate) fn count(&self) -> usize {
        self.open.len()
    }
}
