//! What was typed and not yet run: it grows by lines, and statements and commands leave it as soon as they are whole.
//!
//! A statement ends at its `;`, wherever that stands; a command begins with a backslash outside of quotes and comments and ends
//! with its line. Each byte is looked at once however many lines a statement has.

use hosu_dialect::{Mark, WordKind, scan_from};

/// Words that are commands when they stand alone.
const WORDS: [(&str, &str); 3] = [("help", "\\?"), ("quit", "\\q"), ("exit", "\\q")];

/// What can be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A statement without its `;`.
    Statement(String),
    /// A line that begins with a backslash, or what stands for one.
    Command(String),
}

/// What the text waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// Nothing was begun.
    Nothing,
    /// The `;`.
    Statement,
    /// `)`.
    Parenthesis,
    /// The quote of a text.
    Text,
    /// The quote of a name.
    Name,
    /// `*/`.
    Comment,
}

enum Found {
    /// Empty when there was nothing but white space and comments.
    Statement(String),
    /// A backslash here.
    Command(usize),
    Nothing,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Everything since the last statement began, and what stands before it.
    text: String,
    /// Where the buffer begins: before it all is done.
    start: usize,
    /// Where the buffer ends while a command that was found behind it is run.
    end: Option<usize>,
    /// In the text from `start`.
    mark: Mark,
    /// The buffer has more than white space and comments.
    words: bool,
    open: Open,
}

impl Default for Pending {
    fn default() -> Self {
        Self {
            text: String::new(),
            start: 0,
            end: None,
            mark: Mark::START,
            words: false,
            open: Open::Nothing,
        }
    }
}

impl Pending {
    /// Adds what was typed.
    pub fn push(&mut self, text: &str) {
        self.end = None;
        self.text.push_str(text);
    }

    /// The statement as it stands, without what is behind it.
    pub fn buffer(&self) -> &str {
        let rest = self.rest();
        rest.get(..self.end.unwrap_or(self.text.len()) - self.start).unwrap_or(rest)
    }

    /// Puts another text in the place of the buffer; what stands behind it follows.
    pub fn replace_buffer(&mut self, with: &str) {
        let end = self.end.take().unwrap_or(self.text.len());
        self.text.replace_range(self.start..end, with);
        self.begin_again();
    }

    /// What the text waits for; meaningful when [`Pending::next`] has given nothing.
    pub fn open(&self) -> Open {
        self.open
    }

    /// A scan of what is typed behind the buffer may begin here.
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// Whether there is neither a statement nor the beginning of one.
    pub fn is_blank(&self) -> bool {
        self.open == Open::Nothing
    }

    /// Forgets everything; whether that was more than white space.
    pub fn clear(&mut self) -> bool {
        let more = !self.rest().trim().is_empty();
        *self = Self::default();
        more
    }

    /// The next statement or command that is whole. A command leaves its place: the buffer ends there until more is asked for.
    pub fn next(&mut self) -> Option<Piece> {
        self.end = None;
        loop {
            if !self.words
                && let Some(command) = self.bare_command()
            {
                return Some(Piece::Command(command));
            }
            match self.look() {
                Found::Statement(text) if text.is_empty() => {}
                Found::Statement(text) => return Some(Piece::Statement(text)),
                Found::Command(at) => return Some(Piece::Command(self.cut_line(at))),
                Found::Nothing => {
                    self.forget_what_is_done();
                    return None;
                }
            }
        }
    }

    /// Goes to the next end of a statement, or the next command.
    fn look(&mut self) -> Found {
        let mut scan = scan_from(self.text.get(self.start..).unwrap_or_default(), self.mark);
        let mut last = None;
        for word in scan.by_ref() {
            let at = self.start + word.start;
            match word.kind {
                WordKind::Comment => {}
                WordKind::End => {
                    let statement = if self.words { self.text.get(self.start..at) } else { None };
                    let statement = statement.unwrap_or_default().trim().to_owned();
                    self.finish(at + 1);
                    return Found::Statement(statement);
                }
                WordKind::Symbol if self.text.as_bytes().get(at) == Some(&b'\\') => {
                    return Found::Command(at);
                }
                _ => self.words = true,
            }
            last = Some(word);
        }
        self.mark = scan.mark();
        self.open = match last {
            Some(word) if word.open && word.kind == WordKind::Text => Open::Text,
            Some(word) if word.open && word.kind == WordKind::Name => Open::Name,
            Some(word) if word.open => Open::Comment,
            _ if scan.depth() > 0 => Open::Parenthesis,
            _ if self.words => Open::Statement,
            _ => Open::Nothing,
        };
        Found::Nothing
    }

    fn rest(&self) -> &str {
        self.text.get(self.start..).unwrap_or_default()
    }

    fn begin_again(&mut self) {
        (self.mark, self.words, self.open) = (Mark::START, false, Open::Nothing);
    }

    fn finish(&mut self, at: usize) {
        self.start = at;
        self.begin_again();
    }

    fn forget_what_is_done(&mut self) {
        if self.open == Open::Nothing && self.rest().trim().is_empty() {
            self.text.clear();
            self.start = 0;
            self.mark = Mark::START;
        } else if self.start > 0 {
            self.text.drain(..self.start);
            self.start = 0;
        }
    }

    /// Takes a command out of the text.
    fn cut_line(&mut self, at: usize) -> String {
        let length = self.text[at..].find('\n').map_or(self.text.len() - at, |length| length + 1);
        let line: String = self.text.drain(at..at + length).collect();
        if !self.words {
            // Comments before a command are no beginning of a statement.
            self.finish(at);
        }
        self.end = Some(at);
        line.trim().to_owned()
    }

    /// `help`, `quit`, `exit`, and what DuckDB's shell and SQLite's have with a dot, at the start of a line.
    fn bare_command(&mut self) -> Option<String> {
        let rest = self.rest();
        let at = self.start + (rest.len() - rest.trim_start().len());
        let line = self.text.get(at..)?.lines().next()?.trim_end();
        let word = line.strip_suffix(';').unwrap_or(line).trim_end();
        let dotted =
            line.strip_prefix('.').is_some_and(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()));
        let command = match WORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)) {
            Some((_, command)) => (*command).to_owned(),
            None if dotted => line.to_owned(),
            None => return None,
        };
        self.cut_line(at);
        Some(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(texts: &[&str]) -> (Vec<Piece>, Open, String) {
        let mut pending = Pending::default();
        let mut pieces = Vec::new();
        for text in texts {
            pending.push(text);
            while let Some(piece) = pending.next() {
                pieces.push(piece);
            }
        }
        (pieces, pending.open(), pending.buffer().to_owned())
    }

    fn statement(text: &str) -> Piece {
        Piece::Statement(text.to_owned())
    }

    fn command(text: &str) -> Piece {
        Piece::Command(text.to_owned())
    }

    #[test]
    fn a_statement_ends_at_its_semicolon() {
        let (found, open, _) = pieces(&["select 1\n", "from t;\n"]);
        assert_eq!((found, open), (vec![statement("select 1\nfrom t")], Open::Nothing));
        let (found, open, buffer) = pieces(&["select 1; select ';' ; ; -- a;\n select 2"]);
        assert_eq!(found, [statement("select 1"), statement("select ';'")]);
        assert_eq!((open, buffer.trim()), (Open::Statement, "-- a;\n select 2"));
    }

    #[test]
    fn the_prompt_knows_what_is_open() {
        for (text, expected) in [
            ("", Open::Nothing),
            ("  \n", Open::Nothing),
            ("-- a comment\n", Open::Nothing),
            ("select 1\n", Open::Statement),
            ("select (1\n", Open::Parenthesis),
            ("select '(\n", Open::Text),
            ("select \"a\n", Open::Name),
            ("/* a\n", Open::Comment),
            ("create table t (a string comment 'it\\'s\n", Open::Text),
        ] {
            assert_eq!(pieces(&[text]).1, expected, "{text:?}");
        }
    }

    #[test]
    fn a_backslash_begins_a_command_outside_of_quotes() {
        let (found, open, buffer) = pieces(&["select 1 \\g\n"]);
        assert_eq!((found, open, buffer.as_str()), (vec![command("\\g")], Open::Statement, "select 1 "));
        assert_eq!(pieces(&["\\d t\nselect 1;"]).0, [command("\\d t"), statement("select 1")]);
        assert_eq!(pieces(&["select '\\d';"]).0, [statement("select '\\d'")]);
        assert_eq!(pieces(&["-- look\n\\dt\n"]).0, [command("\\dt")]);
        assert_eq!(pieces(&["select 1 -- \\d\n;"]).0, [statement("select 1 -- \\d")]);
    }

    #[test]
    fn a_command_sees_and_changes_the_buffer_before_it() {
        let mut pending = Pending::default();
        pending.push("select 1 \\e\n+ 1;\n");
        assert_eq!(pending.next(), Some(command("\\e")));
        assert_eq!(pending.buffer(), "select 1 ");
        pending.replace_buffer("select 2\n");
        assert_eq!(pending.next(), Some(statement("select 2\n+ 1")));
        assert_eq!(pending.next(), None);
        assert!(pending.is_blank());
    }

    #[test]
    fn words_and_dots_are_commands_alone_only() {
        assert_eq!(pieces(&["quit\n"]).0, [command("\\q")]);
        assert_eq!(pieces(&["EXIT;\n"]).0, [command("\\q")]);
        assert_eq!(pieces(&["help\n"]).0, [command("\\?")]);
        assert_eq!(pieces(&[".tables ev%\n"]).0, [command(".tables ev%")]);
        assert_eq!(pieces(&["select\n", "quit\n", ";"]).0, [statement("select\nquit")]);
        assert_eq!(pieces(&["help me;"]).0, [statement("help me")]);
        assert_eq!(pieces(&[".5;"]).0, [statement(".5")]);
    }

    #[test]
    fn many_lines_are_looked_at_once() {
        let mut pending = Pending::default();
        pending.push("select * from (values\n");
        for _ in 0..100_000 {
            pending.push("(1, 'a'),\n");
            assert_eq!(pending.next(), None);
        }
        pending.push("(2, 'b'));");
        assert!(matches!(pending.next(), Some(Piece::Statement(text)) if text.len() > 1_000_000));
        pending.push(&"select 1;".repeat(50_000));
        assert_eq!(std::iter::from_fn(|| pending.next()).count(), 50_000);
    }
}
