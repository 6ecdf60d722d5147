//! What a request's URL says.

use crate::syntax::origin::{split_authority, split_scheme};
use crate::syntax::path::check_climb;
use crate::syntax::text::split_before;

/// What a request's URL says; the path and the query are safe to forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    /// `https`, unless it says something else.
    pub scheme: &'a str,
    /// The relay's host and port, as the request names them.
    pub authority: &'a str,
    /// Begins with `/`; in the caller's own spelling.
    pub path: &'a str,
    /// With its `?`, or empty.
    pub query: &'a str,
}

impl<'a> Target<'a> {
    /// Takes a request's URL apart, whatever its host: which API it leads to is not the caller's to choose.
    ///
    /// # Errors
    /// Why the path cannot be forwarded; `bad_path` to the caller.
    pub fn of(url: &'a str) -> Result<Self, &'static str> {
        let (scheme, after_scheme) = split_scheme(url).unwrap_or(("https", url));
        let (authority, from_path) = split_authority(after_scheme);
        let (path, suffix) = split_before(from_path, |b| matches!(b, b'?' | b'#'));
        let (query, _) = split_before(suffix, |b| b == b'#');
        if !path.starts_with('/') {
            return Err("the request target is not a path (RFC 9112 §3.2.1, origin-form)");
        }
        check_climb(path)?;
        Ok(Self { scheme, authority, path, query })
    }
}
