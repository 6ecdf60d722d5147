//! The whole Public Suffix List, for which the Worker has no room.

/// Whether a host is on it.
#[must_use]
pub fn listed(host: &str) -> bool {
    let is_suffix = |host: &str| psl::suffix_str(host) == Some(host);
    // Of a rule like `*.kobe.jp`, every name below is a suffix.
    is_suffix(host) || is_suffix(&format!("any.{host}"))
}
