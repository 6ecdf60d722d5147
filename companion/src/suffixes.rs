//! The whole Public Suffix List, for which the Worker has no room.

/// Whether a host is on it.
#[must_use]
pub fn listed(host: &str) -> bool {
    let is_suffix = |host: &str| psl::suffix_str(host) == Some(host);
    // Of a rule like `*.kobe.jp`, every name below is a suffix.
    is_suffix(host) || is_suffix(&format!("any.{host}"))
}

/// The shortest name above a host that somebody can register, as a zone is: `example.co.uk` of `app.example.co.uk`. An address has
/// none.
#[must_use]
pub fn registrable(host: &str) -> Option<&str> {
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_address = host.starts_with('[') || last.bytes().all(|letter| letter.is_ascii_digit());
    psl::domain_str(host).filter(|_| !is_address)
}

/// Whether a host's name is one that a company lends to its customers, as `app.pages.dev` is: no zone of theirs.
#[must_use]
pub fn is_lent(host: &str) -> bool {
    psl::suffix(host.as_bytes()).is_some_and(|suffix| suffix.typ() == Some(psl::Type::Private))
}
