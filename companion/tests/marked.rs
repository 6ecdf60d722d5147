//! `check`: findings in their lines of the file, and no secret in them.

use access_relay_companion::check;
use access_relay_companion::findings::{Finding, Findings, Place};

use crate::check::{SHUT, relay, said};

#[test]
fn no_secret_is_printed() {
    let token = "cfast_0123456789abcdefGHIJ";
    let hex = "c0ffee00".repeat(8);
    let top = format!("{SHUT}{}", relay(""));
    let in_issuer = |text: &str| top.replace("https://acme.cloudflareaccess.com", text);
    #[rustfmt::skip]
    let table = [
        (in_issuer(token), "access.issuer: found a secret (not shown); take it out and rotate it"),
        (in_issuer(&hex), "access.issuer: found \"(not shown)\""),
        // TOML that is none: the line is not shown.
        (top.replace("issuer = \"https://acme.cloudflareaccess.com\"", &format!("issuer = {token}")), "line 4, column 10: not valid TOML"),
        (format!("{top}{token} = 1\n{token} = 2\n"), "line 10, column 1: not valid TOML: duplicate key"),
        (format!("{top}\"é\" = \"{hex}\" x\n"), ": not valid TOML"),
        (format!("{top}{token}"), ": not valid TOML"),
        (format!("{top}[env.{token}.vars.RELAY]\n"), "env.(not shown).vars.RELAY.access: found nothing"),
        (format!("{SHUT}[vars]\nCF_ACCESS_CLIENT_SECRET = \"s3cr3t-value\"\nRELAY = {{ access = {{ issuer = \"s3cr3t-value\" }}, routes = [{{ path = \"/api\", upstream = \"s3cr3t-value\" }}] }}\n"), "vars.RELAY.access.audience: found no AUD tag"),
        (format!("{top}[vars]\nCF_ACCESS_CLIENT_SECRET = \"s3cr3t-value\"\n"), "vars.CF_ACCESS_CLIENT_SECRET: found a secret as a plain variable (not shown)"),
        ("[vars]\nRELAY = '{\"log\":\"requests\",\"log\":\"refusals\"}'\n".to_owned(), "vars.RELAY.log: found the same key once more"),
        (format!("[vars]\nRELAY = '{{\"{token}\":1,\"{token}\":{{'\n"), "no JSON"),
    ];
    for (index, (text, expected)) in table.iter().enumerate() {
        let (is_sound, sound, found) = said(text);
        let all = check::text("wrangler.toml", text);
        let marked = check::marked(&all, "wrangler.toml", text, false).join("\n");
        let found = [found.join("\n"), marked, serde_json::to_string(&all).unwrap()].join("\n");
        assert!(!is_sound, "{index}: {found}");
        assert!(found.contains(expected), "{index}: {found}");
        for secret in [token, hex.as_str(), "s3cr3t-value"] {
            assert!(!found.contains(&secret[..8]) && !sound.contains(&secret[..8]), "{index}: {found}");
        }
    }
}

/// Each with its line of the file, whatever stands before it.
#[test]
fn a_finding_is_marked_where_it_stands() {
    let toml = "\u{feff}# \u{e9}\u{1f512}\r\nworkers_dev = false\r\npreview_urls = false\r\n[vars.RELAY.access]\r\nissuer = \"https://acme.cloudflareaccess.com\"\r\naudience = [\"4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2\"]\r\n[[vars.RELAY.routes]]\r\npath = \"/\u{e9}\"; upstream = 1\r\n";
    // TOML has one key on a line.
    let toml = toml.replace("; upstream", "\r\nupstream");
    let found = check::text("wrangler.toml", &toml);
    let marked = check::marked(&found, "wrangler.toml", &toml, false);
    assert_eq!(marked.len(), 2, "{found:?}");
    let expected = "\
error[relay::routes.upstream]: vars.RELAY.routes[0].upstream: found the number 1
 --> wrangler.toml:9:12
  |
9 | upstream = 1
  |            ^
  |
  = help: write a text, as in \"https://api.example.com\"";
    assert_eq!(marked[1], expected, "{}", marked[1]);

    let json = "{ \"workers_dev\": false, \"preview_urls\": false, // \u{1f512}\n  \"vars\": { \"\u{e9}\": 1, \"RELAY\": {\n    \"access\": { \"issuer\": \"http://x.example\", \"audience\": [\"4714\", 7] } } } }";
    let found = check::text("wrangler.jsonc", json);
    let places: Vec<_> = found
        .mistakes
        .iter()
        .map(|found| found.place.map(|place| (found.code.as_str(), place.line, place.column, place.end_column)))
        .collect();
    assert_eq!(
        places,
        [
            Some(("relay::access.issuer", 3, 27, 45)),
            Some(("relay::access.audience", 3, 68, 69)),
            // What is missing is marked where it would stand.
            Some(("relay::routes", 2, 21, 28)),
        ],
        "{found:?}"
    );
}

/// Whatever else is found in the line of something that is not shown, does not show it either.
#[test]
fn a_line_that_one_finding_hides_is_hidden_for_all() {
    let json = "{ \"workers_dev\": true, \"preview_urls\": false, \"vars\": { \"RELAY\": { \"access\": { \"platform\": true, \"audience\": [\"hunter2\"] },\n\"routes\": [] } } }";
    let text = json.replace("\"platform\": true", "\"issuer\": \"https://x.cloudflareaccess.com\", \"max_token_age_seconds\": 1").replace("\"routes\": []", "\"routes\": [{ \"path\": \"/api\", \"upstream\": \"https://api.acme.internal\", \"service_token\": \"hunter2\", \"retries\": 9 }]");
    let found = check::text("wrangler.jsonc", &text);
    let marked = check::marked(&found, "wrangler.jsonc", &text, false);
    let codes: Vec<&str> = found.mistakes.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(
        codes,
        ["relay::access.max_token_age_seconds", "relay::routes.service_token", "relay::routes.retries"],
        "{found:?}"
    );
    let second: Vec<&String> = marked.iter().filter(|text| text.contains("jsonc:2:")).collect();
    assert!(second.len() == 2 && second.iter().all(|text| !text.contains("hunter2")), "{second:?}");
}

/// In a file of one long line, what stands around the mark is shown, and the column is that of the line.
#[test]
fn a_finding_in_a_long_line_is_marked_there() {
    let secret = "s3cr3t-value-of-ours";
    for (before, width) in [("", 0), ("\u{e9}\u{1f512}", 2)] {
        let filler = format!("\"a\": \"{before}{}\"", "x".repeat(2000));
        let rest = format!(
            "\"access\": {{ \"platform\": true }}, {filler}, \"routes\": [{{ \"path\": \"/api\", \"upstream\": 7, {filler} }}]"
        );
        let json =
            format!("{{ \"workers_dev\": false, \"preview_urls\": false, \"vars\": {{ \"RELAY\": {{ {rest} }} }} }}");
        let found = check::text("wrangler.jsonc", &json);
        let wrong: Vec<String> = check::marked(&found, "wrangler.jsonc", &json, false);
        let marked = wrong.iter().find(|text| text.starts_with("error[relay::routes.upstream]")).unwrap();
        let column = json.chars().take_while(|letter| *letter != '7').count() + 1;
        assert_eq!(column, 2151 + width);
        let lines: Vec<&str> = marked.lines().collect();
        assert!(lines[1].ends_with(&format!("--> wrangler.jsonc:1:{column}")), "{marked}");
        let code = lines.iter().find(|line| line.contains("\"upstream\": 7,")).unwrap();
        let marks = lines.iter().find(|line| line.contains('^')).unwrap();
        assert_eq!(
            code.chars().position(|letter| letter == '7'),
            marks.chars().position(|letter| letter == '^'),
            "{marked}"
        );
        assert!(lines.iter().all(|line| line.len() < 200), "{marked}");
        assert_eq!(marks.matches('^').count(), 1, "{marked}");

        // A secret in it is covered, as far as it shows.
        let json = json.replace("\"vars\": {", &format!("\"vars\": {{ \"CF_ACCESS_CLIENT_SECRET\": \"{secret}\","));
        let found = check::text("wrangler.jsonc", &json);
        let marked = check::marked(&found, "wrangler.jsonc", &json, false).join("\n");
        assert!(marked.contains("wrangler::plain_secret") && !marked.contains("s3cr3t"), "{marked}");
    }
}

/// A finding at this place of a text, as it is shown; columns are counted from 1, and the end is not marked.
fn shown(text: &str, line: usize, column: usize, end_line: usize, end_column: usize) -> String {
    let place = Some(Place { line, column, end_line, end_column });
    let finding = Finding { place, ..Finding::new("relay::x", "a.b", "found this", "write that") };
    let findings = Findings { mistakes: vec![finding], ..Findings::default() };
    check::marked(&findings, "wrangler.toml", text, false).join("\n")
}

#[test]
fn what_is_marked_is_the_place_and_no_more() {
    #[rustfmt::skip]
    let table = [
        // One character, several, none, one at the end of the line, and one that begins here and ends in another line.
        ("key = 1\nx", (1, 7, 1, 8), "1:7", "1 | key = 1", "      ^"),
        ("key = 1\nx", (1, 1, 1, 4), "1:1", "1 | key = 1", "^^^"),
        ("key = 1\nx", (1, 1, 1, 8), "1:1", "1 | key = 1", "^^^^^^^"),
        ("key = 1\nx", (1, 5, 1, 5), "1:5", "1 | key = 1", "    ^"),
        ("key = 1\nx", (1, 8, 1, 8), "1:8", "1 | key = 1", "       ^"),
        ("key = {\n}", (1, 7, 2, 2), "1:7", "1 | key = {", "      ^"),
        ("a = 1\r\n\u{e9} = 2\r\n", (2, 5, 2, 6), "2:5", "2 | \u{e9} = 2", "    ^"),
        // What a terminal would obey is not printed, and a tab is.
        ("a\u{1b}[2J\u{202e} = 1", (1, 10, 1, 11), "1:10", "1 | a\u{b7}[2J\u{b7} = 1", "         ^"),
        ("\ta = 1", (1, 2, 1, 3), "1:2", "1 |     a = 1", "    ^"),
    ];
    for (text, (line, column, end_line, end_column), place, code, marks) in table {
        let all = shown(text, line, column, end_line, end_column);
        let expected = format!(
            "error[relay::x]: a.b: found this\n --> wrangler.toml:{place}\n  |\n{code}\n  | {marks}\n  |\n  = help: write that"
        );
        assert_eq!(all, expected, "\n{all}");
    }
}
