//! A command line, taken apart into words as a shell does: bash and its relatives, or `cmd` of Windows. Browsers write their "Copy as
//! cURL" for both.

use std::iter::Peekable;
use std::str::Chars;

/// What is left of a line.
type Letters<'l> = Peekable<Chars<'l>>;

/// The words of a line.
///
/// # Errors
/// A quotation mark that nothing closes, or what only a running shell can tell.
pub fn words(line: &str) -> Result<Vec<String>, String> {
    let begins = |words: &[&str]| words.iter().any(|word| line.trim_start().starts_with(word));
    if begins(&["Invoke-WebRequest", "$session", "curl.exe --%"]) {
        return Err("found a command for PowerShell; choose \"Copy as cURL (bash)\" in the network panel".to_owned());
    }
    if begins(&["fetch(", "await fetch("]) {
        return Err("found a call of fetch(); choose \"Copy as cURL (bash)\" in the network panel".to_owned());
    }
    if is_cmd(line) { cmd(line) } else { bash(line) }
}

/// Whether a line is for `cmd`: Chromium writes `^"` for each of its quotation marks, and older ones end lines with `^`.
fn is_cmd(line: &str) -> bool {
    let first = line.find(['\'', '"']).unwrap_or(line.len());
    let (before, after) = line.split_at_checked(first).unwrap_or((line, ""));
    after.starts_with('"') && (before.ends_with('^') || line.lines().any(|line| line.ends_with(" ^")))
}

/// Source: POSIX.1-2024, Shell Command Language §2.2; Bash Reference Manual §3.1.2.4 (`$'…'`).
fn bash(line: &str) -> Result<Vec<String>, String> {
    let mut words = Words::default();
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                // A line goes on.
                Some('\n') => {}
                Some('\r') if letters.peek() == Some(&'\n') => drop(letters.next()),
                Some(escaped) => words.push(escaped),
                None => {}
            },
            '\'' => words.extend(until(&mut letters, '\'')?.chars()),
            '"' => double_quoted(&mut letters, &mut words)?,
            '$' if letters.peek() == Some(&'\'') => {
                letters.next();
                dollar_quoted(&mut letters, &mut words)?;
            }
            '$' | '`' => return Err(expands(letter)),
            // A comment, to the end of its line.
            '#' if words.current.is_none() => {
                letters.by_ref().find(|letter| *letter == '\n');
            }
            ';' | '|' | '&' | '<' | '>' => {
                return Err(format!("found {letter} outside of quotes: write one command alone"));
            }
            letter if letter.is_whitespace() => words.end(),
            letter => words.push(letter),
        }
    }
    Ok(words.finish())
}

fn expands(letter: char) -> String {
    format!("found {letter} outside of single quotes, which only your shell can expand: write the value instead")
}

fn until(letters: &mut impl Iterator<Item = char>, end: char) -> Result<String, String> {
    let mut text = String::new();
    for letter in letters {
        if letter == end {
            return Ok(text);
        }
        text.push(letter);
    }
    Err(format!("found {end} that nothing closes: copy the whole command"))
}

fn double_quoted(letters: &mut Letters, words: &mut Words) -> Result<(), String> {
    words.begin();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return Ok(()),
            '$' | '`' => return Err(expands(letter)),
            '\\' => match letters.next() {
                Some('\n') => {}
                Some(escaped @ ('$' | '`' | '"' | '\\')) => words.push(escaped),
                Some(other) => words.extend(['\\', other]),
                None => {}
            },
            letter => words.push(letter),
        }
    }
    Err("found \" that nothing closes: copy the whole command".to_owned())
}

fn dollar_quoted(letters: &mut Letters, words: &mut Words) -> Result<(), String> {
    words.begin();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' => return Ok(()),
            '\\' => {
                let Some(escaped) = letters.next() else { break };
                match escaped {
                    'n' => words.push('\n'),
                    'r' => words.push('\r'),
                    't' => words.push('\t'),
                    'u' => words.extend(number(0, letters, 16, 4)),
                    'U' => words.extend(number(0, letters, 16, 8)),
                    'x' => words.extend(number(0, letters, 16, 2)),
                    '0'..='7' => {
                        let first = escaped.to_digit(8).unwrap_or_default();
                        words.extend(number(first, letters, 8, 2));
                    }
                    other => words.push(other),
                }
            }
            letter => words.push(letter),
        }
    }
    Err("found $' that nothing closes: copy the whole command".to_owned())
}

/// The character of a number that goes on from `first`, with so many digits more at most.
fn number(first: u32, letters: &mut Letters, radix: u32, most: usize) -> Option<char> {
    let mut number = first;
    for _ in 0..most {
        let Some(digit) = letters.peek().and_then(|letter| letter.to_digit(radix)) else { break };
        letters.next();
        number = number.wrapping_mul(radix).wrapping_add(digit);
    }
    char::from_u32(number)
}

/// `cmd` takes away its carets first, a line break after one among them; the program then takes the quotation marks away (Microsoft,
/// "Parsing C command-line arguments").
fn cmd(line: &str) -> Result<Vec<String>, String> {
    let mut program = String::new();
    // Within quotation marks that have no caret before them, a caret is a caret.
    let mut is_quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        is_quoted ^= letter == '"';
        if letter != '^' || is_quoted {
            program.push(letter);
            continue;
        }
        match letters.next() {
            Some('\r') if letters.peek() == Some(&'\n') => drop(letters.next()),
            Some('\n') | None => {}
            Some(escaped) => program.push(escaped),
        }
    }
    let mut words = Words::default();
    let mut is_quoted = false;
    let mut letters = program.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                let mut slashes = 1;
                while letters.next_if_eq(&'\\').is_some() {
                    slashes += 1;
                }
                if letters.peek() == Some(&'"') {
                    words.extend(std::iter::repeat_n('\\', slashes / 2));
                    if slashes % 2 == 1 {
                        letters.next();
                        words.push('"');
                    }
                } else {
                    words.extend(std::iter::repeat_n('\\', slashes));
                }
            }
            // Two of them within quotes are one.
            '"' if is_quoted && letters.next_if_eq(&'"').is_some() => words.push('"'),
            '"' => {
                is_quoted = !is_quoted;
                words.begin();
            }
            letter if letter.is_whitespace() && !is_quoted => words.end(),
            letter => words.push(letter),
        }
    }
    if is_quoted { Err("found \" that nothing closes: copy the whole command".to_owned()) } else { Ok(words.finish()) }
}

/// Words as they come to be.
#[derive(Default)]
struct Words {
    done: Vec<String>,
    current: Option<String>,
}

impl Words {
    /// A word is there, though it may be empty.
    fn begin(&mut self) {
        self.current.get_or_insert_default();
    }

    fn push(&mut self, letter: char) {
        self.current.get_or_insert_default().push(letter);
    }

    fn end(&mut self) {
        self.done.extend(self.current.take());
    }

    fn finish(mut self) -> Vec<String> {
        self.end();
        self.done
    }
}

impl Extend<char> for Words {
    fn extend<T: IntoIterator<Item = char>>(&mut self, letters: T) {
        self.begin();
        letters.into_iter().for_each(|letter| self.push(letter));
    }
}
