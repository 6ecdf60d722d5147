//! A command line, taken apart into words as a shell does: bash and its relatives, or `cmd` of Windows. Browsers write their "Copy as
//! cURL" for both.

/// The words of a line.
///
/// # Errors
/// A quotation mark that nothing closes, or what only a running shell can tell.
pub fn words(line: &str) -> Result<Vec<String>, String> {
    if is_cmd(line) { cmd(line) } else { bash(line) }
}

/// Whether a line is for `cmd`: Chromium writes `^"` for each of its quotation marks, or ends lines with `^`.
fn is_cmd(line: &str) -> bool {
    line.contains("^\"") || line.lines().any(|line| line.ends_with(" ^"))
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

fn double_quoted(
    letters: &mut std::iter::Peekable<impl Iterator<Item = char>>,
    words: &mut Words,
) -> Result<(), String> {
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

fn dollar_quoted(
    letters: &mut std::iter::Peekable<impl Iterator<Item = char>>,
    words: &mut Words,
) -> Result<(), String> {
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
                    'u' => words.extend(numbered(letters, 4)),
                    'U' => words.extend(numbered(letters, 8)),
                    'x' => words.extend(numbered(letters, 2)),
                    other => words.push(other),
                }
            }
            letter => words.push(letter),
        }
    }
    Err("found $' that nothing closes: copy the whole command".to_owned())
}

/// The character of a hexadecimal number of so many digits at most.
fn numbered(letters: &mut std::iter::Peekable<impl Iterator<Item = char>>, most: usize) -> Option<char> {
    let mut number = 0;
    for _ in 0..most {
        let Some(digit) = letters.peek().and_then(|letter| letter.to_digit(16)) else { break };
        letters.next();
        number = number * 16 + digit;
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
