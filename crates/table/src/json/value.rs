//! A JSON value as a plain tree that keeps its source text.
//!
//! Numbers and texts are not converted when they are read: what a column can hold is decided later, and what it
//! cannot hold is kept exactly as it stood.

use std::borrow::Cow;

use super::elements::Elements;

/// A JSON value with the slice of the line that it was read from.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonValue<'a> {
    /// The value as it stands in the line, without white space around it; a text with its quotes.
    pub source: &'a str,
    /// What it is, and what is inside it.
    pub kind: JsonKind<'a>,
}

/// The kinds of JSON values. Numbers and texts are their [`JsonValue::source`].
#[derive(Clone, Debug, PartialEq)]
pub enum JsonKind<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A number, in whatever spelling.
    Number,
    /// A text; [`JsonValue::text`] reads it.
    Text,
    /// The elements of an array.
    Array(Elements<'a>),
    /// The members of an object as they stand, repeated names included.
    Object(Vec<Member<'a>>),
}

/// One member of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Member<'a> {
    /// Its name.
    pub name: Name<'a>,
    /// Its value.
    pub value: JsonValue<'a>,
}

/// The name of a member, its escapes resolved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Name<'a> {
    /// A text like any other.
    Text(Cow<'a, str>),
    /// A name with half a surrogate pair in it, which UTF-8 cannot express and so no column or key can have. Kept
    /// with backslashes doubled and each such half as `\udXXX`, so that different names stay different.
    Unstorable(String),
}

impl<'a> JsonValue<'a> {
    /// Whether the value is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, JsonKind::Null)
    }

    /// A text with its escapes resolved. None for other kinds, and for a text with half a surrogate pair
    /// (`"\ud800"`), which UTF-8 cannot express.
    pub fn text(&self) -> Option<Cow<'a, str>> {
        match self.kind {
            JsonKind::Text => unescape(self.source),
            _ => None,
        }
    }

    /// What the value is, in a message: `an object`, `null`.
    pub fn kind_text(&self) -> &'static str {
        match self.kind {
            JsonKind::Null => "null",
            JsonKind::Boolean(_) => "a boolean",
            JsonKind::Number => "a number",
            JsonKind::Text => "a text",
            JsonKind::Array(_) => "an array",
            JsonKind::Object(_) => "an object",
        }
    }
}

impl<'a> Name<'a> {
    /// The name of a member from its source text, quotes included.
    pub(super) fn of(source: &'a str) -> Self {
        unescape(source).map_or_else(|| Self::Unstorable(escaped_halves(source)), Self::Text)
    }

    /// The name as text, if it can be one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Unstorable(_) => None,
        }
    }
}

fn unescape(quoted: &str) -> Option<Cow<'_, str>> {
    let inner = quoted.get(1..quoted.len().saturating_sub(1))?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    let mut text = String::with_capacity(inner.len());
    for piece in Pieces(inner) {
        match piece {
            Piece::Plain(plain) => text.push_str(plain),
            Piece::Escaped(character) => text.push(character),
            Piece::Half(_) => return None,
        }
    }
    Some(Cow::Owned(text))
}

fn escaped_halves(quoted: &str) -> String {
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    let mut text = String::with_capacity(inner.len());
    for piece in Pieces(inner) {
        match piece {
            Piece::Plain(plain) => text.push_str(plain),
            Piece::Escaped('\\') => text.push_str("\\\\"),
            Piece::Escaped(character) => text.push(character),
            Piece::Half(unit) => text.push_str(&format!("\\u{unit:04x}")),
        }
    }
    text
}

/// The parts of a text between its quotes, which the parser has found to be well-formed.
struct Pieces<'a>(&'a str);

enum Piece<'a> {
    /// Characters that stand for themselves.
    Plain(&'a str),
    /// The character that an escape, or a pair of them, stands for.
    Escaped(char),
    /// Half a surrogate pair.
    Half(u16),
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let rest = self.0;
        match rest.find('\\') {
            None if rest.is_empty() => None,
            None => {
                self.0 = "";
                Some(Piece::Plain(rest))
            }
            Some(0) => self.escape(),
            Some(at) => {
                let (plain, escape) = rest.split_at(at);
                self.0 = escape;
                Some(Piece::Plain(plain))
            }
        }
    }
}

impl<'a> Pieces<'a> {
    fn escape(&mut self) -> Option<Piece<'a>> {
        let letter = *self.0.as_bytes().get(1)?;
        let single = match letter {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            other => char::from(other),
        };
        self.0 = self.0.get(2..)?;
        Some(Piece::Escaped(single))
    }

    fn unicode_escape(&mut self) -> Option<Piece<'a>> {
        let first = unit(self.0)?;
        self.0 = self.0.get(6..)?;
        if let Some(character) = char::from_u32(u32::from(first)) {
            return Some(Piece::Escaped(character));
        }
        let pair = unit(self.0).and_then(|second| char::decode_utf16([first, second]).next()?.ok());
        match pair {
            Some(character) => {
                self.0 = self.0.get(6..)?;
                Some(Piece::Escaped(character))
            }
            None => Some(Piece::Half(first)),
        }
    }
}

/// The UTF-16 unit of an escape `\uXXXX` that stands at the start.
fn unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}
