//! One table from what went wrong to what a person or a program is told: code, message, remedy, exit code.
//!
//! The crates below have typed errors that name the path or the table. Nobody but this module turns them into words for
//! people, so that a mistake is explained in one voice: `usage` has what is wrong on the command line and in `hosu.toml`, the
//! others are named like the crates whose errors they translate.

mod collect;
mod job;
mod lake;
mod s3;
mod sql;
mod usage;

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use serde_json::json;

use crate::args::Output;
use crate::print::{lines, width};

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 1.
    Failed,
    /// 2.
    Usage,
    /// 130, as a shell says of a program that Ctrl-C ended.
    Interrupted,
    /// Who read our output went away: that is not a failure of ours.
    Quiet,
}

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub struct Failure {
    /// A stable name for programs; in SQL it is Trino's.
    pub code: &'static str,
    /// What is wrong, with the thing's name.
    pub message: String,
    /// What to do about it.
    pub remedy: Option<String>,
    /// The nearest name that exists, of a name that does not.
    pub nearest: Option<String>,
    /// Where in a text of statements or in `hosu.toml`.
    pub place: Option<Box<Place>>,
    /// The exit code.
    pub exit: Exit,
}

/// A place in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    line: usize,
    /// The character in the line, from 1.
    column: usize,
    /// The line itself, to point into.
    excerpt: Option<String>,
}

impl Failure {
    /// A failure with exit code 1.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: without_xml(message.into()),
            remedy: None,
            nearest: None,
            place: None,
            exit: Exit::Failed,
        }
    }

    /// A command that was written wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, ..Self::new("USAGE", message) }
    }

    /// A verb that a later version will have.
    pub fn not_yet(what: &str) -> Self {
        Self::new("NOT_SUPPORTED", format!("{what} is not in this version"))
            .remedy("`hosu --help` lists what this version can do")
    }

    /// Ctrl-C, or a polite request to end.
    pub fn interrupted() -> Self {
        let message = "interrupted: what was not reported as done is not in the lake";
        Self { exit: Exit::Interrupted, ..Self::new("INTERRUPTED", message) }
            .remedy("run the same command again: what is in the lake already is skipped")
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Adds the name that was likely meant; then that is the remedy.
    #[must_use]
    fn nearest(mut self, nearest: Option<String>) -> Self {
        if let Some(name) = &nearest {
            self.remedy = Some(format!("did you mean `{name}`?"));
        }
        self.nearest = nearest;
        self
    }

    /// The same with another message.
    #[must_use]
    fn message(self, message: String) -> Self {
        Self { message, ..self }
    }

    /// Adds line and character.
    #[must_use]
    pub fn at(mut self, position: Option<(usize, usize)>) -> Self {
        self.place = position.map(|(line, column)| Box::new(Place { line, column, excerpt: None }));
        self
    }

    /// Adds the line of `text` that the place is in.
    #[must_use]
    pub fn in_text(mut self, text: &str) -> Self {
        if let Some(place) = &mut self.place {
            place.excerpt = place.line.checked_sub(1).and_then(|at| text.lines().nth(at)).map(str::to_owned);
        }
        self
    }

    /// The exit code of the process.
    pub fn exit_code(&self) -> u8 {
        match self.exit {
            Exit::Quiet => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Interrupted => 130,
        }
    }

    /// Tells it: people on stderr, programs on stdout as well.
    pub fn print(&self, output: Output) {
        if self.exit == Exit::Quiet {
            return;
        }
        // When both are closed there is nobody left to tell.
        if output == Output::Json {
            let _ = writeln!(io::stdout().lock(), "{}", self.to_json());
        }
        let _ = io::stderr().lock().write_all(self.to_text().as_bytes());
    }

    /// `{"error": {…}}`.
    pub fn to_json(&self) -> String {
        json!({ "error": self.as_json() }).to_string()
    }

    /// What stands under `error`.
    pub fn as_json(&self) -> serde_json::Value {
        let (line, column) = self.place.as_ref().map(|place| (place.line, place.column)).unzip();
        json!({
            "code": self.code, "message": self.message, "remedy": self.remedy,
            "line": line, "column": column, "nearest": self.nearest,
        })
    }

    fn to_text(&self) -> String {
        let mut text = format!("error: {}\n", lines(&self.message));
        if let Some(Place { line, column, excerpt: Some(excerpt) }) = self.place.as_deref() {
            let (excerpt, column) = window(excerpt, *column, excerpt_width(&line.to_string()));
            let at = excerpt.char_indices().nth(column.saturating_sub(1)).map_or(excerpt.len(), |(at, _)| at);
            let (before, from) = excerpt.split_at(at);
            let indent = "line : ".len() + line.to_string().len() + width(before);
            let _ = writeln!(text, "  line {line}: {excerpt}");
            let _ = writeln!(text, "  {:indent$}{}", "", "^".repeat(width(token(from)).max(1)));
        }
        if let Some(remedy) = &self.remedy {
            let _ = writeln!(text, "  {}", lines(remedy));
        }
        text
    }
}

/// How much of a line of a statement is shown at most.
const EXCERPT_WIDTH_MAX: usize = 90;

/// What to do when it is not known whether a commit happened.
const UNKNOWN_REMEDY: &str = "run the same command again: what is in the lake already is skipped";

/// An error with what caused it, each said once.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    without_xml(text)
}

/// A message in which what a store of S3 answered is code and message, not the whole page of XML.
fn without_xml(message: String) -> String {
    let Some(xml) = message.find("<Error>") else { return message };
    let Some(length) = message[xml..].find("</Error>") else { return message };
    let answer = &message[xml..xml + length];
    let element = |name: &str| {
        let (_, rest) = answer.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
    };
    let (Some(code), Some(text)) = (element("Code"), element("Message")) else { return message };
    let before = &message[..xml];
    let request =
        ["Generic S3 error", "Error performing"].iter().filter_map(|words| before.find(words)).min();
    let before = &before[..request.unwrap_or(xml)];
    let after = &message[xml + length + "</Error>".len()..];
    without_xml(format!("{before}the store answers {code}: {text}{after}"))
}

/// The word or the sign that a text begins with.
fn token(text: &str) -> &str {
    let is_of_word = |c: char| c.is_alphanumeric() || c == '_';
    let quoted = text.strip_prefix('"').and_then(|rest| rest.find('"')).map(|end| end + 2);
    let end = quoted.or_else(|| text.find(|c| !is_of_word(c))).unwrap_or(text.len());
    &text[..end]
}

/// The part of a line around a column, what no line can show as blanks, and the column in it: a statement may be one very long
/// line. It takes about `width_max` columns of a terminal at most.
fn window(line: &str, column: usize, width_max: usize) -> (String, usize) {
    let line: Vec<char> = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let at = column.saturating_sub(1).min(line.len());
    if width(&line.iter().collect::<String>()) <= width_max {
        return (line.iter().collect(), at + 1);
    }
    // A little more than half stands before the place.
    let before = line[..at].iter().rev().scan(0, |sum, c| within(sum, *c, width_max * 5 / 9)).count();
    let after = line[at..].iter().scan(0, |sum, c| within(sum, *c, width_max * 4 / 9)).count();
    let (start, end) = (at - before, at + after);
    let (cut_before, cut_after) = (start > 0, end < line.len());
    let kept: String = line.get(start..end).unwrap_or_default().iter().collect();
    let text = format!("{}{kept}{}", if cut_before { "… " } else { "" }, if cut_after { " …" } else { "" });
    (text, before + 1 + if cut_before { 2 } else { 0 })
}

/// Whether a character still has room.
fn within(sum: &mut usize, c: char, width_max: usize) -> Option<()> {
    *sum += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
    (*sum <= width_max).then_some(())
}

/// How much of a line of a statement is shown: as much as fits into a line of the terminal.
fn excerpt_width(number: &str) -> usize {
    let stderr = io::stderr();
    let asked = stderr.is_terminal().then(|| rustix::termios::tcgetwinsize(&stderr).ok()).flatten();
    let columns = asked.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0);
    let taken = "  line :  …  …".chars().count() + number.len();
    columns.map_or(EXCERPT_WIDTH_MAX, |columns| columns.saturating_sub(taken).clamp(9, EXCERPT_WIDTH_MAX))
}

impl From<io::Error> for Failure {
    /// Of writing to stdout, and of what has no better words.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::StorageFull {
            return Self::new("OUTPUT_FULL", "cannot write the output: no space is left")
                .remedy("free some space, or write the output elsewhere, and run the command again");
        }
        let quiet = error.kind() == io::ErrorKind::BrokenPipe;
        Self {
            exit: if quiet { Exit::Quiet } else { Exit::Failed },
            ..Self::new("IO", format!("input or output failed: {error}"))
        }
    }
}

#[cfg(test)]
mod tests;
