//! Text to words: one lexer for both of Athena's grammars, which differ in how they quote.

use crate::{ParseError, Position};

/// Which quotes and escapes hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grammar {
    /// Backquotes around names, texts in either quote, backslash escapes.
    Hive,
    /// Double quotes around names, `''` within texts, no escapes.
    Trino,
}

/// What a word is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A keyword or a name without quotes.
    Word,
    /// A name in backquotes, without them.
    BackQuoted(String),
    /// A name in double quotes, without them; in Hive's grammar it may be a text.
    DoubleQuoted(String),
    /// A text, without its quotes.
    Text(String),
    /// Digits, with a fraction or exponent.
    Number,
    /// Any other character.
    Symbol(char),
    /// The end of the statement.
    End,
}

/// A word and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) start: Position,
    /// Offset of the first byte behind it.
    pub(crate) end: usize,
}

/// Walks over a text.
#[derive(Clone, Debug)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    position: Position,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str, position: Position) -> Self {
        Self { text, position }
    }

    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// The next word in this grammar; [`TokenKind::End`] at the end of the text.
    pub(crate) fn next(&mut self, grammar: Grammar) -> Result<Token, ParseError> {
        self.skip_blanks()?;
        let start = self.position;
        let Some(first) = self.peek() else {
            return Ok(Token { kind: TokenKind::End, start, end: start.offset });
        };
        let kind = match first {
            c if c.is_alphabetic() || c == '_' => self.word(),
            c if c.is_ascii_digit() || (c == '.' && self.second().is_some_and(|c| c.is_ascii_digit())) => {
                self.number()
            }
            '\'' => TokenKind::Text(self.quoted('\'', grammar == Grammar::Hive, "text")?),
            '"' => TokenKind::DoubleQuoted(self.quoted('"', grammar == Grammar::Hive, "quoted name")?),
            '`' if grammar == Grammar::Trino => {
                let message =
                    "backquoted identifiers are not supported; use double quotes to quote identifiers";
                return Err(ParseError::new(message, start));
            }
            '`' => TokenKind::BackQuoted(self.quoted('`', false, "quoted name")?),
            symbol => {
                self.bump();
                TokenKind::Symbol(symbol)
            }
        };
        Ok(Token { kind, start, end: self.position.offset })
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.position.offset..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn second(&self) -> Option<char> {
        self.rest().chars().nth(1)
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.position.pass(c);
        Some(c)
    }

    fn bump_while(&mut self, wanted: impl Fn(char) -> bool) {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.position = self.position.after(rest.get(..end).unwrap_or_default());
    }

    /// White space and comments. Comments do not nest, as in Trino.
    fn skip_blanks(&mut self) -> Result<(), ParseError> {
        loop {
            self.bump_while(|c| c.is_whitespace() || c == '\u{feff}');
            if self.rest().starts_with("--") {
                self.bump_while(|c| c != '\n');
            } else if self.rest().starts_with("/*") {
                let start = self.position;
                let Some(length) = self.rest().get(2..).and_then(|inner| inner.find("*/")) else {
                    return Err(ParseError::new("comment without its end '*/'", start));
                };
                let comment = self.rest().get(..length + 4).unwrap_or_default();
                self.position = self.position.after(comment);
            } else {
                return Ok(());
            }
        }
    }

    fn word(&mut self) -> TokenKind {
        self.bump_while(|c| c.is_alphanumeric() || c == '_');
        TokenKind::Word
    }

    fn number(&mut self) -> TokenKind {
        self.bump_while(|c| c.is_ascii_digit());
        if self.peek() == Some('.') {
            self.bump();
            self.bump_while(|c| c.is_ascii_digit());
        }
        let exponent = self.rest().trim_start_matches(['e', 'E']);
        let signed = exponent.trim_start_matches(['+', '-']);
        if exponent.len() + 1 == self.rest().len()
            && exponent.len() - signed.len() <= 1
            && signed.starts_with(|c: char| c.is_ascii_digit())
        {
            self.bump();
            self.bump();
            self.bump_while(|c| c.is_ascii_digit());
        }
        TokenKind::Number
    }

    /// Something in quotes. A doubled quote is one quote.
    fn quoted(&mut self, quote: char, escapes: bool, what: &str) -> Result<String, ParseError> {
        let start = self.position;
        self.bump();
        let mut value = String::new();
        loop {
            let rest = self.rest();
            let plain = rest.get(..rest.find([quote, '\\']).unwrap_or(rest.len())).unwrap_or_default();
            value.push_str(plain);
            self.position = self.position.after(plain);
            match self.bump() {
                None => return Err(ParseError::new(format!("{what} without its closing {quote}"), start)),
                Some(c) if c == quote => {
                    if self.peek() != Some(quote) {
                        return Ok(value);
                    }
                    self.bump();
                    value.push(quote);
                }
                Some('\\') if escapes => self.escape(&mut value),
                Some(c) => value.push(c),
            }
        }
    }

    /// What stands behind a backslash in Hive's texts. `\%` and `\_` keep it, for LIKE.
    fn escape(&mut self, value: &mut String) {
        let Some(c) = self.peek() else { return };
        if c == 'u'
            && let Some(digits) = self.rest().get(1..5)
            && let Some(decoded) = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)
        {
            self.position = self.position.after(&format!("u{digits}"));
            value.push(decoded);
            return;
        }
        self.bump();
        match c {
            'n' => value.push('\n'),
            'r' => value.push('\r'),
            't' => value.push('\t'),
            'b' => value.push('\u{8}'),
            '0' => value.push('\0'),
            'Z' => value.push('\u{1a}'),
            '%' | '_' => value.extend(['\\', c]),
            other => value.push(other),
        }
    }
}
