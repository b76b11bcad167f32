//! Words of a text that is still being typed: what a shell colours, completes and waits for the end of.
//!
//! A scan never fails. What is open at the end of the text (a quoted text, a name, a comment) is its last word, and says so. A
//! text that grows at its end is scanned from a [`Mark`], so that many lines take as long as one text.

use crate::lexer::{Grammar, Lexer, Token, TokenKind};
use crate::split::{grammar_of, is_word};
use crate::{ParseError, Position};

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordKind {
    /// A keyword or a name without quotes.
    Word,
    /// A name in double quotes or backquotes.
    Name,
    /// A text in quotes.
    Text,
    /// Digits, with a fraction or exponent.
    Number,
    /// `-- to the end of the line` or `/* until here */`.
    Comment,
    /// The `;` behind a statement.
    End,
    /// Any other character.
    Symbol,
}

/// A word and where it stands, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScannedWord {
    /// What it is.
    pub kind: WordKind,
    /// Its first byte.
    pub start: usize,
    /// The byte behind it.
    pub end: usize,
    /// Its closing quote, or the end of the comment, is missing.
    pub open: bool,
}

/// Where a scan can go on when the text has grown.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    position: Position,
    /// Of the statement that it is in; none until its first two words are known.
    grammar: Option<Grammar>,
    depth: u32,
}

impl Mark {
    /// The start of a text.
    pub const START: Self = Self { position: Position::START, grammar: None, depth: 0 };
}

/// The words of a text, comments among them. See [`scan`].
#[derive(Clone, Debug)]
pub struct Scan<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    grammar: Option<Grammar>,
    depth: u32,
    /// Words of this statement so far, until they are enough to choose its grammar.
    words: u8,
    mark: Mark,
    /// Found behind a comment that is given first.
    waiting: Option<ScannedWord>,
    /// Where the white space and comments before the next word begin.
    behind: usize,
    /// The end of a number that `e3` or `e+3` behind it would make longer.
    number_end: Option<usize>,
    over: bool,
}

/// Scans a text from its start.
#[must_use]
pub fn scan(text: &str) -> Scan<'_> {
    scan_from(text, Mark::START)
}

/// Scans a text from a mark that was made in a shorter text with the same start.
#[must_use]
pub fn scan_from(text: &str, mark: Mark) -> Scan<'_> {
    // A mark of another text is no reason to fail.
    let mark = if text.is_char_boundary(mark.position.offset) { mark } else { Mark::START };
    Scan {
        text,
        lexer: Lexer::new(text, mark.position),
        grammar: mark.grammar,
        depth: mark.depth,
        words: 0,
        mark,
        waiting: None,
        behind: mark.position.offset,
        number_end: None,
        over: false,
    }
}

impl Scan<'_> {
    /// Where to go on when more text comes: at the last word, which may grow, or at the start of a statement of which too
    /// little is known.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// How many parentheses are open.
    #[must_use]
    pub fn depth(&self) -> u32 {
        self.depth
    }

    fn comment_before(&mut self, end: usize) -> Option<ScannedWord> {
        let blank = self.text.get(self.behind..end).unwrap_or_default();
        let start = self.behind + blank.find(|c: char| !c.is_whitespace() && c != '\u{feff}')?;
        let rest = self.text.get(start..end).unwrap_or_default();
        let length = if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else {
            rest.get(2..).and_then(|inner| inner.find("*/")).map_or(rest.len(), |inner| inner + 4)
        };
        self.behind = start + length;
        // One of `--` goes on with what is typed next, but a new line ends it.
        Some(ScannedWord { kind: WordKind::Comment, start, end: start + length, open: false })
    }

    /// The grammar of the statement: a guess until its first two words are there.
    fn grammar(&self) -> Grammar {
        // Until it is known, the mark is the statement's start.
        self.grammar.unwrap_or_else(|| grammar_of(self.text, Lexer::new(self.text, self.mark.position)))
    }

    fn token(&mut self) -> Option<ScannedWord> {
        let before = self.lexer.position();
        if self.grammar.is_none() && self.words == 0 {
            self.mark = Mark { position: before, grammar: None, depth: self.depth };
        }
        let grammar = self.grammar();
        match self.lexer.next(grammar) {
            Ok(token) => self.of_token(&token, grammar),
            Err(error) => Some(self.of_error(&error)),
        }
    }

    fn of_token(&mut self, token: &Token, grammar: Grammar) -> Option<ScannedWord> {
        let kind = match token.kind {
            TokenKind::End => {
                self.over = true;
                return None;
            }
            TokenKind::Word => WordKind::Word,
            TokenKind::BackQuoted(_) | TokenKind::DoubleQuoted(_) => WordKind::Name,
            TokenKind::Text(_) => WordKind::Text,
            TokenKind::Number => WordKind::Number,
            TokenKind::Symbol(';') => WordKind::End,
            TokenKind::Symbol(_) => WordKind::Symbol,
        };
        let (depth, chosen) = (self.depth, self.grammar);
        match token.kind {
            TokenKind::Symbol('(') => self.depth = self.depth.saturating_add(1),
            TokenKind::Symbol(')') => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.choose_grammar(token, grammar, depth);
        let number_grows = self.number_end == Some(token.start.offset)
            && matches!(self.text.get(token.start.offset..token.end), Some("e" | "E" | "+" | "-"));
        if chosen.is_some() && !number_grows {
            self.mark = Mark { position: token.start, grammar: chosen, depth };
        }
        self.number_end = (kind == WordKind::Number || number_grows).then_some(token.end);
        if kind == WordKind::End {
            (self.grammar, self.depth, self.words) = (None, 0, 0);
            self.mark = Mark { position: self.lexer.position(), grammar: None, depth: 0 };
        }
        Some(ScannedWord { kind, start: token.start.offset, end: token.end, open: false })
    }

    fn choose_grammar(&mut self, token: &Token, grammar: Grammar, depth: u32) {
        if self.grammar.is_none() {
            self.words = self.words.saturating_add(1);
            // The second may still grow; the third shows that it has not.
            if self.words > 2 {
                self.grammar = Some(grammar);
            }
        }
        // CREATE TABLE ... AS SELECT starts in Hive's grammar and ends in Trino's.
        if grammar == Grammar::Hive
            && depth == 0
            && token.kind == TokenKind::Word
            && is_word(self.text, token, &["AS"])
        {
            self.grammar = Some(Grammar::Trino);
        }
    }

    /// What the lexer cannot read: the text from here on, or one backquote.
    fn of_error(&mut self, error: &ParseError) -> ScannedWord {
        let start = error.position.offset;
        let rest = self.text.get(start..).unwrap_or_default();
        let kind = match rest.chars().next() {
            Some('`') if self.grammar() == Grammar::Trino => {
                self.lexer = Lexer::new(self.text, error.position.after("`"));
                self.words = self.words.saturating_add(1);
                return ScannedWord { kind: WordKind::Symbol, start, end: start + 1, open: false };
            }
            Some('\'') => WordKind::Text,
            Some('/') => WordKind::Comment,
            _ => WordKind::Name,
        };
        self.over = true;
        if self.grammar.is_some() {
            self.mark = Mark { position: error.position, grammar: self.grammar, depth: self.depth };
        }
        ScannedWord { kind, start, end: self.text.len(), open: true }
    }
}

impl Iterator for Scan<'_> {
    type Item = ScannedWord;

    fn next(&mut self) -> Option<ScannedWord> {
        if self.waiting.is_none() && !self.over {
            self.waiting = self.token();
        }
        let end = self.waiting.map_or(self.text.len(), |word| word.start);
        if let Some(comment) = self.comment_before(end) {
            return Some(comment);
        }
        let word = self.waiting.take()?;
        self.behind = word.end;
        Some(word)
    }
}

#[cfg(test)]
mod tests;
