//! Reads one line as JSON, as strictly as RFC 8259 says, with the reason and the byte when it is none.
//!
//! Half a surrogate pair (`"\ud800"`) is allowed by the grammar and read; what becomes of it is the columns'
//! matter. Nesting is limited, so that no line can exhaust the stack.

use std::fmt;

use super::elements::Elements;
use super::scan::end_of_plain;
use super::value::{JsonKind, JsonValue, Member, Name};

/// How many arrays and objects may stand inside each other.
pub const NESTING_MAX: usize = 256;

/// Why a line is no JSON text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}, at byte {byte}")]
pub struct JsonError {
    /// Where in the line, in bytes from 0.
    pub byte: usize,
    /// What is wrong there.
    pub kind: JsonErrorKind,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonErrorKind {
    /// Bytes that are no UTF-8.
    NotUtf8,
    /// Another character than JSON has at this place.
    Unexpected {
        /// The character.
        found: char,
        /// What could stand here.
        expected: &'static str,
    },
    /// The line ends too early.
    Ends {
        /// What should have come.
        expected: &'static str,
    },
    /// A control character in a text that is not written as an escape.
    Control(char),
    /// A backslash in a text with something that is no escape.
    Escape,
    /// Something after the end of the value.
    Trailing(char),
    /// More than [`NESTING_MAX`] arrays and objects inside each other.
    TooDeep,
}

impl fmt::Display for JsonErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => formatter.write_str("not UTF-8"),
            Self::Unexpected { found, expected } => {
                write!(formatter, "expected {expected}, found {found:?}")
            }
            Self::Ends { expected } => write!(formatter, "the line ends where {expected} should be"),
            Self::Control(character) => {
                write!(formatter, "control character {character:?} in a text must be escaped")
            }
            Self::Escape => formatter.write_str("no JSON escape after `\\`"),
            Self::Trailing(found) => write!(formatter, "{found:?} after the end of the value"),
            Self::TooDeep => write!(formatter, "more than {NESTING_MAX} levels of arrays and objects"),
        }
    }
}

/// Reads one JSON text, white space around it allowed.
///
/// # Errors
/// [`JsonError`] for anything that RFC 8259 does not allow, and for nesting deeper than [`NESTING_MAX`].
pub fn parse(line: &[u8]) -> Result<JsonValue<'_>, JsonError> {
    let text = std::str::from_utf8(line)
        .map_err(|error| JsonError { byte: error.valid_up_to(), kind: JsonErrorKind::NotUtf8 })?;
    let mut parser = Parser { text, at: 0, depth: 0 };
    parser.skip_white_space();
    let value = parser.value("a value")?;
    parser.skip_white_space();
    match parser.character() {
        None => Ok(value),
        Some(found) => Err(parser.error(JsonErrorKind::Trailing(found))),
    }
}

pub(super) struct Parser<'a> {
    text: &'a str,
    /// Always between two characters.
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    /// One for what stands between the brackets of an array, and was read before.
    pub(super) fn of_elements(inside: &'a str) -> Self {
        Self { text: inside, at: 0, depth: 0 }
    }

    /// The next of such elements.
    pub(super) fn next_element(&mut self) -> Option<JsonValue<'a>> {
        self.skip_white_space();
        self.peek()?;
        let value = self.value("a value").ok()?;
        self.skip_white_space();
        self.take(b',');
        Some(value)
    }

    fn value(&mut self, expected: &'static str) -> Result<JsonValue<'a>, JsonError> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::array)?,
            Some(b'"') => self.string()?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true", JsonKind::Boolean(true))?,
            Some(b'f') => self.word("false", JsonKind::Boolean(false))?,
            Some(b'n') => self.word("null", JsonKind::Null)?,
            _ => return Err(self.unexpected(expected)),
        };
        Ok(JsonValue { source: self.since(start), kind })
    }

    fn nested(
        &mut self,
        read: fn(&mut Self) -> Result<JsonKind<'a>, JsonError>,
    ) -> Result<JsonKind<'a>, JsonError> {
        if self.depth == NESTING_MAX {
            return Err(self.error(JsonErrorKind::TooDeep));
        }
        self.depth += 1;
        self.at += 1;
        self.skip_white_space();
        let kind = read(self)?;
        self.depth -= 1;
        Ok(kind)
    }

    fn object(&mut self) -> Result<JsonKind<'a>, JsonError> {
        let mut members = Vec::new();
        if self.take(b'}') {
            return Ok(JsonKind::Object(members));
        }
        let mut expected = "a name in quotes or `}`";
        loop {
            members.push(self.member(expected)?);
            self.skip_white_space();
            if self.take(b'}') {
                return Ok(JsonKind::Object(members));
            }
            self.require(b',', "`,` or `}`")?;
            self.skip_white_space();
            expected = "a name in quotes";
        }
    }

    fn member(&mut self, expected: &'static str) -> Result<Member<'a>, JsonError> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.unexpected(expected));
        }
        self.string()?;
        let name = Name::of(self.since(start));
        self.skip_white_space();
        self.require(b':', "`:`")?;
        self.skip_white_space();
        Ok(Member { name, value: self.value("a value")? })
    }

    fn array(&mut self) -> Result<JsonKind<'a>, JsonError> {
        let (start, mut elements) = (self.at, Elements::NONE);
        if self.take(b']') {
            return Ok(JsonKind::Array(elements));
        }
        let mut expected = "a value or `]`";
        loop {
            elements.push(self.value(expected)?);
            self.skip_white_space();
            let inside = self.since(start);
            if self.take(b']') {
                return Ok(JsonKind::Array(elements.end(inside)));
            }
            self.require(b',', "`,` or `]`")?;
            self.skip_white_space();
            expected = "a value";
        }
    }

    fn string(&mut self) -> Result<JsonKind<'a>, JsonError> {
        self.at += 1;
        loop {
            self.at = end_of_plain(self.text.as_bytes(), self.at).end;
            match self.peek() {
                None => {
                    return Err(self.error(JsonErrorKind::Ends { expected: "the closing `\"` of a text" }));
                }
                Some(b'"') => {
                    self.at += 1;
                    return Ok(JsonKind::Text);
                }
                Some(b'\\') => self.escape()?,
                Some(control) => {
                    return Err(self.error(JsonErrorKind::Control(char::from(control))));
                }
            }
        }
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        let rest = self.text.as_bytes().get(self.at + 1..).unwrap_or_default();
        let length = match rest {
            [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 2,
            [b'u', a, b, c, d, ..] if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()) => 6,
            _ => return Err(self.error(JsonErrorKind::Escape)),
        };
        self.at += length;
        Ok(())
    }

    fn number(&mut self) -> Result<JsonKind<'a>, JsonError> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(JsonKind::Number)
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(self.unexpected("a digit")) } else { Ok(()) }
    }

    fn word(&mut self, word: &'static str, kind: JsonKind<'a>) -> Result<JsonKind<'a>, JsonError> {
        for byte in word.bytes() {
            self.require(byte, word)?;
        }
        Ok(kind)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let taken = self.peek() == Some(byte);
        self.at += usize::from(taken);
        taken
    }

    fn require(&mut self, byte: u8, expected: &'static str) -> Result<(), JsonError> {
        if self.take(byte) { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    fn skip_white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn character(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn unexpected(&self, expected: &'static str) -> JsonError {
        match self.character() {
            Some(found) => self.error(JsonErrorKind::Unexpected { found, expected }),
            None => self.error(JsonErrorKind::Ends { expected }),
        }
    }

    fn error(&self, kind: JsonErrorKind) -> JsonError {
        JsonError { byte: self.at, kind }
    }
}

#[cfg(test)]
mod tests;
