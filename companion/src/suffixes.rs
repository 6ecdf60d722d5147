//! The whole Public Suffix List, for which the Worker has no room.

use std::cmp::Ordering;

use psl_types::{Info, List, Type};

/// Whether a host is on it.
#[must_use]
pub fn listed(host: &str) -> bool {
    let is_suffix =
        |host: &str| PublicSuffixes.suffix(host.as_bytes()).is_some_and(|it| it.trim().as_bytes() == host.as_bytes());
    // Of a rule like `*.kobe.jp`, every name below is a suffix.
    is_suffix(host) || is_suffix(&format!("any.{host}"))
}

/// The shortest name above a host that somebody can register, as a zone is: `example.co.uk` of `app.example.co.uk`. An address has
/// none.
#[must_use]
pub fn registrable(host: &str) -> Option<&str> {
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_address = host.starts_with('[') || last.bytes().all(|letter| letter.is_ascii_digit());
    let domain = PublicSuffixes.domain(host.as_bytes()).filter(|_| !is_address)?;
    str::from_utf8(domain.trim().as_bytes()).ok()
}

/// Whether a host's name is one that a company lends to its customers, as `app.pages.dev` is: no zone of theirs.
#[must_use]
pub fn is_lent(host: &str) -> bool {
    PublicSuffixes.suffix(host.as_bytes()).is_some_and(|suffix| suffix.typ() == Some(Type::Private))
}

/// A rule on each line, in the form that the header tells. As code, which the crate `psl` has, they would be five times as large.
const LIST: &str = include_str!("suffixes.txt");

/// The list, searched where it lies: a run of the command looks up a few names, and a table of all would cost more than that.
struct PublicSuffixes;

impl List for PublicSuffixes {
    /// Goes down from the top-level domain, by the label that is there, else by `*`; the last rule on the way is the one that counts.
    fn find<'a, T: Iterator<Item = &'a [u8]>>(&self, labels: T) -> Info {
        let mut path: Vec<&[u8]> = Vec::new();
        let mut info = Info { len: 0, typ: None };
        let mut len = 0;
        for label in labels {
            let above = len;
            if path.is_empty() {
                // Of a name that is not on the list, the top-level domain is the suffix.
                len = label.len();
                info.len = len;
            } else {
                len += ".".len() + label.len();
            }
            path.push(label);
            let found = node(&path).or_else(|| {
                path.pop();
                path.push(b"*");
                node(&path)
            });
            match found {
                None => break,
                Some(Node::Between) => {}
                Some(Node::Suffix(typ)) => info = Info { len, typ: Some(typ) },
                Some(Node::Exception(typ)) => return Info { len: above, typ: Some(typ) },
            }
        }
        info
    }
}

/// What the list has at a path from the top-level domain down.
enum Node {
    /// No rule, but longer ones.
    Between,
    Suffix(Type),
    Exception(Type),
}

fn node(path: &[&[u8]]) -> Option<Node> {
    let line = first_from(path)?;
    let mut labels = labels_of(line);
    if !path.iter().all(|label| labels.next() == Some(label)) {
        return None;
    }
    if labels.next().is_some() {
        return Some(Node::Between);
    }
    let typ = if line.contains(&b'+') { Type::Private } else { Type::Icann };
    Some(if line.contains(&b'!') { Node::Exception(typ) } else { Node::Suffix(typ) })
}

/// The first line of the list that does not stand before a path. It is the path's own, or goes through it, if any line does.
fn first_from(path: &[&[u8]]) -> Option<&'static [u8]> {
    let (_header, rules) = LIST.split_once("\n\n")?;
    let rules = rules.as_bytes();
    let line_at = |start: usize| rules.get(start..)?.split(|byte| *byte == b'\n').next();
    // Both are where a line begins.
    let (mut from, mut to) = (0, rules.len());
    while from < to {
        let before = rules.get(from..from.midpoint(to))?;
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(from, |end| from + end + 1);
        let line = line_at(start)?;
        match labels_of(line).cmp(path.iter().copied()) {
            Ordering::Less => from = start + line.len() + 1,
            Ordering::Equal | Ordering::Greater => to = start,
        }
    }
    line_at(from)
}

/// The labels of a line, without its marks.
fn labels_of(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let path = line.split(|byte| b"!+".contains(byte)).next().unwrap_or_default();
    path.split(|byte| *byte == b'.')
}
