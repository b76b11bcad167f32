//! What kinds of values a path had, and which of them its column should hold.

use iceberg::spec::PrimitiveType;

use crate::json::datetime::{self, DateTime};
use crate::json::number::{self, Number};
use crate::json::scan::{Cursor, NumberToken, QuotedText};
use crate::json::value::{JsonKind, JsonValue};

/// The kinds that a column can be made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Boolean,
    /// An integer of 64 bits.
    Integer,
    /// A number that is spelled with a point or an exponent and lands in a double.
    Fraction,
    Text,
    Object,
    Array,
}

/// What a column is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Scalar(PrimitiveType),
    Struct,
    List,
}

/// The values of one path, counted by kind. Null counts for nothing, and neither does what no column can hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Counts {
    /// In the order in which the kinds appeared: of two that are equally many the earlier wins.
    kinds: Vec<(Kind, u64)>,
    dates: u64,
    /// Texts that are RFC 3339, and those of them that lose nothing in a column.
    rfc3339: u64,
    instants: u64,
    /// Whether an integer was seen that a double may not hold.
    has_large_integer: bool,
}

/// Up to here a double holds every integer.
const DOUBLE_INTEGER_MAX: u64 = 1 << 53;

/// What one value says of its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Boolean,
    /// An integer of 64 bits, and whether a double may not hold it.
    Integer {
        is_large: bool,
    },
    Fraction,
    Text,
    Date,
    /// A text that is RFC 3339, and whether it loses nothing in a column.
    Rfc3339 {
        is_instant: bool,
    },
    Object,
    Array,
}

impl Seen {
    /// What a value says; nothing if it is null, or if no column can hold it.
    pub(super) fn of(value: &JsonValue<'_>) -> Option<Self> {
        match value.kind {
            JsonKind::Null => None,
            JsonKind::Boolean(_) => Some(Self::Boolean),
            JsonKind::Number => match Cursor::new(value.source.as_bytes()).number() {
                Some(token) => Self::of_number_token(&token),
                None => Self::of_number(value.source),
            },
            JsonKind::Text => value.text().map(|text| Self::of_text(&text)),
            JsonKind::Array(_) => Some(Self::Array),
            JsonKind::Object(_) => Some(Self::Object),
        }
    }

    pub(super) fn of_number_token(token: &NumberToken<'_>) -> Option<Self> {
        // Both answer for numbers of few digits only: a short integer is one, a short fraction lands in a double.
        match token.to_i64() {
            Some(integer) => Some(Self::of_integer(integer)),
            None if token.to_f64().is_some() => Some(Self::Fraction),
            None => Self::of_number(std::str::from_utf8(token.source).ok()?),
        }
    }

    fn of_number(source: &str) -> Option<Self> {
        let number = Number::read(source)?;
        let is_spelled_fraction = source.contains(['.', 'e', 'E']);
        if is_spelled_fraction && number::to_double(source, &number).is_some() {
            return Some(Self::Fraction);
        }
        number.to_i64().map(Self::of_integer)
    }

    fn of_integer(integer: i64) -> Self {
        Self::Integer { is_large: integer.unsigned_abs() > DOUBLE_INTEGER_MAX }
    }

    pub(super) fn of_quoted(text: &QuotedText<'_>) -> Option<Self> {
        if !text.has_escapes {
            // Digits are ASCII: what begins with another byte is no time.
            return match text.inner.first() {
                Some(b'0'..=b'9') => Some(Self::of_text(std::str::from_utf8(text.inner).ok()?)),
                _ => Some(Self::Text),
            };
        }
        let source = std::str::from_utf8(text.source).ok()?;
        Self::of(&JsonValue { source, kind: JsonKind::Text })
    }

    fn of_text(text: &str) -> Self {
        if !text.starts_with(|first: char| first.is_ascii_digit()) {
            return Self::Text;
        }
        if datetime::date(text).is_some() {
            return Self::Date;
        }
        match DateTime::read(text).filter(DateTime::is_rfc3339) {
            Some(instant) => Self::Rfc3339 { is_instant: instant.instant_us().is_some() },
            None => Self::Text,
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Boolean => Kind::Boolean,
            Self::Integer { .. } => Kind::Integer,
            Self::Fraction => Kind::Fraction,
            Self::Text | Self::Date | Self::Rfc3339 { .. } => Kind::Text,
            Self::Object => Kind::Object,
            Self::Array => Kind::Array,
        }
    }
}

impl Counts {
    pub(super) fn add(&mut self, seen: Seen) {
        self.add_kind(seen.kind(), 1);
        match seen {
            Seen::Integer { is_large } => self.has_large_integer |= is_large,
            Seen::Date => self.dates += 1,
            Seen::Rfc3339 { is_instant } => {
                self.rfc3339 += 1;
                self.instants += u64::from(is_instant);
            }
            _ => {}
        }
    }

    fn add_kind(&mut self, kind: Kind, count: u64) {
        match self.kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, total)) => *total += count,
            None => self.kinds.push((kind, count)),
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (kind, count) in &other.kinds {
            self.add_kind(*kind, *count);
        }
        self.dates += other.dates;
        self.rfc3339 += other.rfc3339;
        self.instants += other.instants;
        self.has_large_integer |= other.has_large_integer;
    }

    /// The type of most values. Objects and arrays take part only when it is known what is inside them.
    pub(super) fn wanted(&self, has_fields: bool, has_elements: bool) -> Option<Wanted> {
        let numbers_unify = self.count(Kind::Fraction) > 0 && !self.has_large_integer;
        let mut best: Option<(u64, Wanted)> = None;
        for (kind, count) in &self.kinds {
            let (count, wanted) = match kind {
                Kind::Boolean => (*count, Wanted::Scalar(PrimitiveType::Boolean)),
                Kind::Integer | Kind::Fraction if numbers_unify => {
                    let numbers = self.count(Kind::Integer) + self.count(Kind::Fraction);
                    (numbers, Wanted::Scalar(PrimitiveType::Double))
                }
                Kind::Integer => (*count, Wanted::Scalar(PrimitiveType::Long)),
                Kind::Fraction => (*count, Wanted::Scalar(PrimitiveType::Double)),
                Kind::Text => (*count, Wanted::Scalar(self.text_type(*count))),
                Kind::Object if has_fields => (*count, Wanted::Struct),
                Kind::Array if has_elements => (*count, Wanted::List),
                Kind::Object | Kind::Array => continue,
            };
            if best.as_ref().is_none_or(|(most, _)| count > *most) {
                best = Some((count, wanted));
            }
        }
        best.map(|(_, wanted)| wanted)
    }

    /// Texts that are all RFC 3339 are instants, unless most of them would lose something (nanoseconds): a column
    /// that holds hardly any of its values helps nobody.
    fn text_type(&self, texts: u64) -> PrimitiveType {
        if self.dates == texts {
            PrimitiveType::Date
        } else if self.rfc3339 == texts && self.instants >= texts - self.instants {
            PrimitiveType::Timestamptz
        } else {
            PrimitiveType::String
        }
    }

    fn count(&self, kind: Kind) -> u64 {
        self.kinds.iter().find(|(known, _)| *known == kind).map_or(0, |(_, count)| *count)
    }
}
