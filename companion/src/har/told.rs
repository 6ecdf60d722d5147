//! A report, as people read it.

use crate::har::report::Report;

/// The text; in colours, or without.
#[must_use]
pub fn told(report: &Report, colours: bool) -> String {
    let paint =
        |code: &str, text: &str| if colours { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() };
    let mut lines = vec![format!(
        "{} entries, recorded by {}",
        report.entries,
        if report.creator.is_empty() { "nobody says" } else { &report.creator }
    )];
    if report.causes.is_empty() {
        lines.extend([String::new(), "Nothing failed, as far as the recording tells.".to_owned()]);
    }
    for (place, found) in report.causes.iter().enumerate() {
        let inferred = if found.inferred { " (inferred)" } else { "" };
        lines.push(String::new());
        lines.push(format!("{}. {}{inferred}  [{}]", place + 1, paint("1", found.title), found.code));
        lines.extend(found.evidence.iter().map(|line| format!("   - {line}")));
        let shown = found.evidence.iter().filter(|line| line.starts_with("entry ")).count();
        if found.entries.len() > shown {
            lines.push(format!("   - and {} entries more", found.entries.len() - shown));
        }
        lines.extend(found.advice.iter().map(|line| format!("   {} {line}", paint("36", "help:"))));
    }
    if !report.notes.is_empty() {
        lines.push(String::new());
    }
    lines.extend(report.notes.iter().map(|note| format!("{} {note}", paint("33", "note:"))));
    lines.join("\n") + "\n"
}
