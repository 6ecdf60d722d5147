//! The report, as people read it.

use crate::doctor::check::{Check, State};
use crate::doctor::report::Report;

/// The text; in colours, or without.
#[must_use]
pub fn told(report: &Report, colours: bool) -> String {
    let mut text = format!("{}{} from outside\n", report.page, report.paths.join(", "));
    if report.paths.len() < report.all_paths {
        text += &format!("{} of {} paths; --path names another one\n", report.paths.len(), report.all_paths);
    }
    // What is wrong stands last, where a terminal stops.
    for state in [State::Ok, State::CannotTell, State::Wrong] {
        for check in report.checks.iter().filter(|check| check.state == state) {
            text.push('\n');
            text += &line(check, colours);
        }
    }
    text.push('\n');
    text += &summary(report);
    text
}

fn line(check: &Check, colours: bool) -> String {
    let (word, colour) = match check.state {
        State::Ok => ("ok", "32"),
        State::Wrong => ("WRONG", "31"),
        State::CannotTell => ("cannot tell", "33"),
    };
    let padded = format!("{word:<11}");
    let mark = if colours { format!("\u{1b}[{colour}m{padded}\u{1b}[0m") } else { padded };
    let Check { code, asked, came, means, todo, .. } = check;
    let mut text = format!("{mark}  {} ({})\n", code.title(), code.as_str());
    for (name, part) in [("asked", Some(asked)), ("came", Some(came)), ("means", Some(means)), ("do", todo.as_ref())] {
        if let Some(part) = part {
            text += &format!("  {name:<9}  {part}\n");
        }
    }
    text
}

/// How much of it is wrong, and the one thing to do first.
fn summary(report: &Report) -> String {
    let count = |state| report.checks.iter().filter(|check| check.state == state).count();
    let (ok, wrong, unknown) = (count(State::Ok), count(State::Wrong), count(State::CannotTell));
    let mut text = format!(
        "{} questions, {} requests: {ok} ok, {wrong} wrong, {unknown} cannot tell\n",
        report.checks.len(),
        report.asked
    );
    if let Some(first) = &report.first {
        text += &format!("Do this first: {} ({}: {})\n", first.todo, first.code.as_str(), first.means);
    } else if report.unseen {
        text += "A host gave no answer, so this says nothing of it.\n";
    } else {
        text += "Nothing wrong was seen. What Access has not signed is evidence, and no proof: anybody can write such an answer.\n";
    }
    text
}
