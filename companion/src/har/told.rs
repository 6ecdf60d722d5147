//! A report, as people read it.

use crate::har::report::Report;

/// The text; in colours, or without.
#[must_use]
pub fn told(report: &Report, colours: bool) -> String {
    let paint =
        |code: &str, text: &str| if colours { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() };
    let creator = if report.creator.is_empty() { "nobody says" } else { &report.creator };
    let mut lines = vec![match report.entries {
        0 => "The console's log alone; a recording (HAR) tells more".to_owned(),
        1 => format!("1 entry, recorded by {creator}"),
        entries => format!("{entries} entries, recorded by {creator}"),
    }];
    if report.causes.is_empty() {
        lines.extend([String::new(), "Nothing failed, as far as the recording tells.".to_owned()]);
    }
    for (place, found) in report.causes.iter().enumerate() {
        let inferred = if found.inferred { " (inferred)" } else { "" };
        lines.push(String::new());
        lines.push(format!("{}. {}{inferred}  [{}]", place + 1, paint("1", found.title), found.code));
        lines.extend(found.evidence.iter().map(|line| format!("   - {line}")));
        let shown = found.evidence.iter().filter(|line| line.starts_with("entry ")).count();
        match found.entries.len().saturating_sub(shown) {
            0 => {}
            1 => lines.push("   - and 1 entry more".to_owned()),
            more => lines.push(format!("   - and {more} entries more")),
        }
        lines.extend(found.advice.iter().map(|line| format!("   {} {line}", paint("36", "help:"))));
    }
    if !report.notes.is_empty() {
        lines.push(String::new());
    }
    lines.extend(report.notes.iter().map(|note| format!("{} {note}", paint("33", "note:"))));
    lines.join("\n") + "\n"
}
