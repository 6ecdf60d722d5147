//! Prefixes: which paths they cover.

use crate::support::paths::prefix;

#[test]
fn prefixes_end_at_segments() {
    #[rustfmt::skip]
    let table = [
        ("/api", "/api", Some("")), ("/api", "/api/", Some("/")), ("/api", "/api/x", Some("/x")),
        ("/api", "/apiary", None), ("/api", "/ap", None), ("/api", "/API", None), ("/api", "/", None),
        ("/api", "/api%2Fx", None), ("/api", "/%61%70%69/x%2fy", Some("/x%2fy")), ("/api", "/%61piary", None),
        ("/api/v1", "/api/v1/x", Some("/x")), ("/api/v1", "/api/%76%31", Some("")), ("/api/v1", "/api%2Fv1", None),
        ("/", "/", Some("/")), ("/", "/x", Some("/x")),
    ];
    for (configured, path, rest) in table {
        assert_eq!(prefix(configured).strip(path), rest, "{configured} {path}");
    }
}
