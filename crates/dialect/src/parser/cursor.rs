//! The place in the words of a statement, and what was asked for at it.

use super::Parsed;
use crate::lexer::{Token, TokenKind};
use crate::split::is_word;
use crate::{At, Ident, ParseError, Position};

/// How long an unexpected word may be in a message, in characters.
const QUOTED_CHARS_MAX: usize = 60;

pub(super) struct Cursor<'a> {
    source: &'a str,
    tokens: Vec<Token>,
    at: usize,
    /// Where the statement begins: behind EXPLAIN for what is explained.
    first: usize,
    /// What was asked for at this place and not found.
    asked: Vec<String>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(source: &'a str, tokens: Vec<Token>) -> Self {
        Self { source, tokens, at: 0, first: 0, asked: Vec::new() }
    }

    fn token(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get((self.at + ahead).min(self.tokens.len().saturating_sub(1)))
    }

    fn kind(&self) -> &TokenKind {
        self.token(0).map_or(&TokenKind::End, |token| &token.kind)
    }

    fn written(&self) -> &'a str {
        let range = self.token(0).map_or(0..0, |token| token.start.offset..token.end);
        self.source.get(range).unwrap_or_default()
    }

    pub(super) fn position(&self) -> Position {
        self.token(0).map_or(Position::START, |token| token.start)
    }

    fn advance(&mut self) {
        self.at += 1;
        self.asked.clear();
    }

    /// Notes something that could have stood here.
    pub(super) fn note(&mut self, expected: &str) {
        if !self.asked.iter().any(|asked| asked == expected) {
            self.asked.push(expected.to_owned());
        }
    }

    /// Whether these words, none of them quoted, come next. Takes and notes nothing.
    pub(super) fn at_keywords(&self, words: &[&str]) -> bool {
        let at = |(ahead, word): (usize, &&str)| {
            self.token(ahead).is_some_and(|token| is_word(self.source, token, &[word]))
        };
        words.iter().enumerate().all(at)
    }

    /// Whether this character comes `ahead` words later. Takes and notes nothing.
    pub(super) fn at_symbol(&self, ahead: usize, symbol: char) -> bool {
        self.token(ahead).is_some_and(|token| token.kind == TokenKind::Symbol(symbol))
    }

    /// Whether one of these words comes `ahead` words later. Takes and notes nothing.
    pub(super) fn at_keyword(&self, ahead: usize, words: &[&str]) -> bool {
        self.token(ahead).is_some_and(|token| is_word(self.source, token, words))
    }

    /// Whether a word without quotes comes next.
    pub(super) fn at_word(&self) -> bool {
        *self.kind() == TokenKind::Word
    }

    /// Whether a name comes next.
    pub(super) fn at_name(&self) -> bool {
        matches!(self.kind(), TokenKind::Word | TokenKind::BackQuoted(_))
    }

    pub(super) fn at_number(&self) -> bool {
        *self.kind() == TokenKind::Number
    }

    /// Whether this is the last word.
    pub(super) fn is_last(&self) -> bool {
        self.token(1).is_none_or(|token| token.kind == TokenKind::End)
    }

    pub(super) fn at_end(&self) -> bool {
        *self.kind() == TokenKind::End
    }

    /// Takes this keyword if it comes next.
    pub(super) fn keyword(&mut self, word: &str) -> bool {
        let found = self.at_keyword(0, &[word]);
        if found {
            self.advance()
        } else {
            self.note(&format!("'{word}'"))
        }
        found
    }

    pub(super) fn expect_keyword(&mut self, word: &str) -> Parsed<()> {
        if self.keyword(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Takes this character if it comes next.
    pub(super) fn symbol(&mut self, symbol: char) -> bool {
        let found = *self.kind() == TokenKind::Symbol(symbol);
        if found {
            self.advance()
        } else {
            self.note(&format!("'{symbol}'"))
        }
        found
    }

    pub(super) fn expect_symbol(&mut self, symbol: char) -> Parsed<()> {
        if self.symbol(symbol) { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(super) fn expect_end(&mut self) -> Parsed<()> {
        self.note("<EOF>");
        if self.at_end() { Ok(()) } else { Err(self.unexpected()) }
    }

    /// A name, quoted or not. Keywords are names where no keyword can stand.
    pub(super) fn identifier(&mut self) -> Parsed<Ident> {
        let position = self.position();
        let name = match self.kind() {
            TokenKind::Word => self.written().to_owned(),
            TokenKind::BackQuoted(name) | TokenKind::DoubleQuoted(name) => name.clone(),
            _ => {
                self.note("<identifier>");
                return Err(self.unexpected());
            }
        };
        if name.is_empty() {
            return Err(ParseError::new("zero-length delimited identifier not allowed", position));
        }
        self.advance();
        Ok(At::new(name, position))
    }

    /// A text in quotes.
    pub(super) fn text(&mut self) -> Parsed<At<String>> {
        match self.optional_text() {
            Some(text) => Ok(text),
            None => Err(self.unexpected()),
        }
    }

    pub(super) fn optional_text(&mut self) -> Option<At<String>> {
        let (TokenKind::Text(text) | TokenKind::DoubleQuoted(text)) = self.kind() else {
            self.note("<string>");
            return None;
        };
        let text = At::new(text.clone(), self.position());
        self.advance();
        Some(text)
    }

    /// A whole number.
    pub(super) fn integer<T: std::str::FromStr>(&mut self) -> Parsed<T> {
        let number = (*self.kind() == TokenKind::Number).then(|| self.written().parse().ok()).flatten();
        let Some(number) = number else {
            self.note("<integer>");
            return Err(self.unexpected());
        };
        self.advance();
        Ok(number)
    }

    /// Everything from here to the end, as it was written.
    pub(super) fn rest(&mut self) -> At<String> {
        let position = self.position();
        let last = self.tokens.len().checked_sub(2).and_then(|index| self.tokens.get(index));
        let end = last.map_or(position.offset, |token| token.end);
        self.at = self.tokens.len().saturating_sub(1);
        self.asked.clear();
        At::new(self.source.get(position.offset..end).unwrap_or_default().to_owned(), position)
    }

    /// A statement within the statement begins here.
    pub(super) fn begin(&mut self) {
        self.first = self.at;
    }

    /// The whole statement, as it was written.
    pub(super) fn whole(&mut self) -> At<String> {
        self.at = self.first;
        self.rest()
    }

    /// What stands here is not what was asked for.
    pub(super) fn unexpected(&self) -> ParseError {
        let found = if self.at_end() { "<EOF>" } else { self.written() };
        let mut short: String = found.chars().take(QUOTED_CHARS_MAX).collect();
        if short.len() < found.len() {
            short.push_str("...");
        }
        let mut message = format!("mismatched input '{short}'");
        if !self.asked.is_empty() {
            message = format!("{message}. Expecting: {}", self.asked.join(", "));
        }
        ParseError::new(message, self.position())
    }
}
