//! Paths: prefixes on segment boundaries, and what a path could be taken for.
//!
//! A Worker sees the request target raw: dot segments, backslashes and absolute forms arrive as they were sent
//! (`docs/how-it-works.md` lists what was seen). What could climb out of a base path, for the URL parser or for an API that
//! decodes the path once, is found here.

/// A path prefix on segment boundaries: `/api` covers `/api` and `/api/x`, never `/apiary`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix(String);

impl Prefix {
    /// Checks a prefix from the configuration.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if !text.starts_with('/') {
            return Err("start the path with a slash, as in \"/api\"");
        }
        if text == "/" {
            return Ok(Self(String::new()));
        }
        if text.contains('*') {
            return Err("leave out the star: \"/api\" covers \"/api\" and everything below it");
        }
        if text.ends_with('/') {
            return Err("leave out the slash at the end: \"/api\" covers \"/api\" and everything below it");
        }
        check_configured(text)?;
        if text == "/cdn-cgi" || text.starts_with("/cdn-cgi/") {
            return Err("choose another path: /cdn-cgi/ belongs to Cloudflare");
        }
        Ok(Self(text.to_owned()))
    }

    /// As it was configured.
    #[must_use]
    pub fn as_str(&self) -> &str {
        if self.0.is_empty() { "/" } else { &self.0 }
    }

    /// Its length in bytes, 0 for `/`: of two prefixes that cover a path, the longer one wins.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "every prefix covers something")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// What of `path` comes after the prefix (empty, or with its leading `/`), if the prefix covers it. Letters may be
    /// percent-encoded in `path`: RFC 3986 §6.2.2.2 calls both spellings the same, and so will the API.
    #[must_use]
    pub fn strip<'a>(&self, path: &'a str) -> Option<&'a str> {
        if let Some(rest) = path.strip_prefix(self.0.as_str()) {
            return (rest.is_empty() || rest.starts_with('/')).then_some(rest);
        }
        if !path.contains('%') {
            return None;
        }
        let mut rest = path;
        for segment in self.0.split('/').skip(1) {
            rest = rest.strip_prefix('/')?;
            let found = rest.split('/').next()?;
            if decode_once(found.as_bytes()) != segment.as_bytes() {
                return None;
            }
            rest = rest.get(found.len()..)?;
        }
        Some(rest)
    }

    /// Whether the names of a path, read loosely, begin with this prefix's.
    #[must_use]
    pub fn may_cover(&self, names: &LooseNames) -> bool {
        let wanted = self.0.split('/').skip(1);
        names.climbs
            || wanted.zip(names.names.iter().map(Some).chain(std::iter::repeat(None))).all(|(wanted, name)| {
                let extension = name.and_then(|name| name.get(wanted.len()..));
                let start = name.and_then(|name| name.get(..wanted.len()));
                start.is_some_and(|start| start.eq_ignore_ascii_case(wanted.as_bytes()))
                    && extension.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"."))
            })
    }
}

/// Without a slash at its end: empty for `/`.
impl AsRef<str> for Prefix {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// What an API could take the names of a path for, however it is spelled: percent-encoded again and again, in another
/// case, with slashes doubled, turned or encoded, with `;parameters`, an extension, or dots and spaces at the end. Wider
/// than [`Prefix::strip`], and made for rules that close paths: in doubt, a path is taken for one that is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LooseNames {
    names: Vec<Vec<u8>>,
    /// Whether it holds `..` at any depth of encoding: it could be any path then.
    climbs: bool,
}

impl LooseNames {
    /// Reads a path.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let mut decoded = path.as_bytes().to_vec();
        for _ in 0..4 {
            decoded = decode_once(&decoded);
        }
        let name = |segment: &[u8]| {
            let name = segment.split(|b| matches!(b, b';' | b'?' | b'#' | 0)).next().unwrap_or_default();
            if name == b".." { name.to_vec() } else { trim_end(name).to_vec() }
        };
        let names: Vec<Vec<u8>> = decoded.split(|b| matches!(b, b'/' | b'\\')).map(name).collect();
        let climbs = names.iter().any(|name| name == b"..");
        Self { names: names.into_iter().filter(|name| !name.is_empty()).collect(), climbs }
    }
}

/// Whether a path is below `/cdn-cgi`, which Cloudflare answers itself, in whatever spelling.
#[must_use]
pub fn is_cloudflares(path: &str) -> bool {
    let first = path.split('/').find(|segment| !segment.is_empty());
    // No spelling is shorter.
    first.is_some_and(|segment| segment.len() >= 7 && decode_once(segment.as_bytes()).eq_ignore_ascii_case(b"cdn-cgi"))
}

/// A path with its dot segments resolved, as browsers do before they ask (RFC 3986 §5.2.4).
#[must_use]
pub fn without_dots(path: &str) -> String {
    let has_dots = path.split('/').any(|segment| matches!(segment, "." | ".."));
    if has_dots { resolved("/", path.strip_prefix('/').unwrap_or(path)) } else { path.to_owned() }
}

/// Whether every reader takes a path for the same one. `//host` would be another host's address to a browser.
#[must_use]
pub fn is_unambiguous(path: &str) -> bool {
    check_climb(path).is_ok() && !path.starts_with("//")
}

/// A relative path, resolved against the path that it stands in (RFC 3986 §5.2.3, §5.2.4).
#[must_use]
pub fn resolved(base: &str, reference: &str) -> String {
    let (folder, _) = base.rsplit_once('/').unwrap_or_default();
    let mut segments: Vec<&str> = folder.split('/').skip(1).collect();
    let mut references = reference.split('/').peekable();
    while let Some(segment) = references.next() {
        let dots = matches!(segment, "." | "..");
        if segment == ".." {
            segments.pop();
        }
        match (dots, references.peek()) {
            (false, _) => segments.push(segment),
            // What ends with dots names a folder.
            (true, None) => segments.push(""),
            (true, Some(_)) => {}
        }
    }
    ["/", &segments.join("/")].concat()
}

/// Checks a path of the configuration: what it says must be what every URL parser makes of it.
///
/// # Errors
/// What to write instead.
pub fn check_configured(path: &str) -> Result<(), &'static str> {
    if path.contains(['?', '#']) {
        return Err("leave out the query and the fragment");
    }
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&b);
    if !path.bytes().all(is_plain) {
        return Err("write the path in plain ASCII, without spaces, percent signs or backslashes");
    }
    if path.split('/').skip(1).any(|segment| matches!(segment, "" | "." | "..")) {
        return Err("leave out empty segments, \".\" and \"..\"");
    }
    Ok(())
}

/// Refuses a request's path that could leave the base path, or that parsers read differently.
///
/// # Errors
/// What the path holds.
pub fn check_climb(path: &str) -> Result<(), &'static str> {
    let holds = |odd: fn(u8) -> bool| path.bytes().any(odd);
    if !holds(|b| b < 0x20 || matches!(b, 0x7f | b'\\' | b'.' | b'%')) {
        return Ok(());
    }
    if holds(|b| b < 0x20 || b == 0x7f) {
        return Err("the path holds a control character");
    }
    if holds(|b| b == b'\\') {
        return Err("the path holds a backslash");
    }
    // The URL parser itself takes `%2e` for a dot, so the dots of both spellings count; `%2f` stays part of a segment.
    if path.split('/').any(|segment| matches!(decode_once(segment.as_bytes()).as_slice(), b"." | b"..")) {
        return Err("the path holds a dot segment");
    }
    // An API that decodes the path before it splits it sees more segments, and some cut a `;parameter` off first.
    let decoded = decode_once(path.as_bytes());
    // Tabs and line breaks are what people write (`encodeURIComponent("a\nb")`), and data to whoever decodes them.
    if decoded.iter().any(|b| (*b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r')) || *b == 0x7f) {
        return Err("the path holds a percent-encoded control character");
    }
    // A URL parser that reads it once more would leave them out.
    let squeezed: Vec<u8> = decoded.into_iter().filter(|b| *b >= 0x20).collect();
    let climbs = |segment: &[u8]| segment.split(|b| *b == b';').next() == Some(b"..");
    if squeezed.split(|b| matches!(b, b'/' | b'\\')).any(climbs) {
        return Err("the path holds \"..\" behind a percent-encoding");
    }
    Ok(())
}

fn trim_end(name: &[u8]) -> &[u8] {
    let end = name.iter().rposition(|b| !matches!(b, b'.' | b' ')).map_or(0, |last| last + 1);
    name.get(..end).unwrap_or_default()
}

/// Percent-decodes once; what is not a valid escape stays as it is (URL standard, "percent-decode").
fn decode_once(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        let escape = (byte == b'%').then(|| {
            let mut ahead = bytes.clone();
            let (high, low) = (hex_digit(ahead.next()?)?, hex_digit(ahead.next()?)?);
            Some((high << 4 | low, ahead))
        });
        match escape.flatten() {
            Some((value, after)) => {
                decoded.push(value);
                bytes = after;
            }
            None => decoded.push(byte),
        }
    }
    decoded
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
