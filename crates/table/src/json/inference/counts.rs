//! What kinds of values a path had, and which of them its column should hold.

use iceberg::spec::PrimitiveType;

use crate::json::datetime::{self, DateTime};
use crate::json::number::{self, Number};
use crate::json::scan::Cursor;
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
#[derive(Clone, Debug, Default)]
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

impl Counts {
    pub(super) fn observe(&mut self, value: &JsonValue<'_>) {
        match value.kind {
            JsonKind::Null => {}
            JsonKind::Boolean(_) => self.add(Kind::Boolean, 1),
            JsonKind::Number => self.observe_number(value.source),
            JsonKind::Text => {
                if let Some(text) = value.text() {
                    self.observe_text(&text);
                }
            }
            JsonKind::Array(_) => self.add(Kind::Array, 1),
            JsonKind::Object(_) => self.add(Kind::Object, 1),
        }
    }

    fn observe_number(&mut self, source: &str) {
        // Both answer for numbers of few digits only: a short integer is one, a short fraction lands in a double.
        if let Some(token) = Cursor::new(source.as_bytes()).number() {
            if let Some(integer) = token.to_i64() {
                self.has_large_integer |= integer.unsigned_abs() > DOUBLE_INTEGER_MAX;
                return self.add(Kind::Integer, 1);
            }
            if token.to_f64().is_some() {
                return self.add(Kind::Fraction, 1);
            }
        }
        let Some(number) = Number::read(source) else { return };
        let is_spelled_fraction = source.contains(['.', 'e', 'E']);
        if is_spelled_fraction && number::to_double(source, &number).is_some() {
            self.add(Kind::Fraction, 1);
        } else if let Some(integer) = number.to_i64() {
            self.has_large_integer |= integer.unsigned_abs() > DOUBLE_INTEGER_MAX;
            self.add(Kind::Integer, 1);
        }
    }

    fn observe_text(&mut self, text: &str) {
        self.add(Kind::Text, 1);
        if !text.starts_with(|first: char| first.is_ascii_digit()) {
            return;
        }
        self.dates += u64::from(datetime::date(text).is_some());
        if let Some(instant) = DateTime::read(text).filter(DateTime::is_rfc3339) {
            self.rfc3339 += 1;
            self.instants += u64::from(instant.instant_us().is_some());
        }
    }

    fn add(&mut self, kind: Kind, count: u64) {
        match self.kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, total)) => *total += count,
            None => self.kinds.push((kind, count)),
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (kind, count) in &other.kinds {
            self.add(*kind, *count);
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
