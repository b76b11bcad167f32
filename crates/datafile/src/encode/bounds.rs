//! The least and the greatest value of a page or a chunk, as Parquet's statistics have them.

use parquet::basic::Type as Physical;
use parquet::data_type::ByteArray;
use parquet::file::statistics::{Statistics, ValueStatistics};

/// The bounds of some values.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Bounds {
    Boolean(bool, bool),
    Int(i32, i32),
    Long(i64, i64),
    Float(f32, f32),
    Double(f64, f64),
    Bytes(Vec<u8>, Vec<u8>),
}

/// How bounds of bytes are cut off.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    pub(super) bytes_max: Option<usize>,
    /// Whether the bytes are UTF-8, and must be so when they are cut.
    pub(super) is_text: bool,
}

impl Bounds {
    /// Those of both.
    pub(super) fn merge(&mut self, other: Self) {
        fn widen<T: PartialOrd>(least: &mut T, greatest: &mut T, other_least: T, other_greatest: T) {
            if other_least < *least {
                *least = other_least;
            }
            if other_greatest > *greatest {
                *greatest = other_greatest;
            }
        }
        match (self, other) {
            (Self::Boolean(a, b), Self::Boolean(c, d)) => widen(a, b, c, d),
            (Self::Int(a, b), Self::Int(c, d)) => widen(a, b, c, d),
            (Self::Long(a, b), Self::Long(c, d)) => widen(a, b, c, d),
            (Self::Float(a, b), Self::Float(c, d)) => widen(a, b, c, d),
            (Self::Double(a, b), Self::Double(c, d)) => widen(a, b, c, d),
            (Self::Bytes(a, b), Self::Bytes(c, d)) => widen(a, b, c, d),
            // A column has one type.
            _ => {}
        }
    }

    /// Whether neither bound is below that of others.
    pub(super) fn is_behind(&self, others: &Self) -> bool {
        match (self, others) {
            (Self::Boolean(a, b), Self::Boolean(c, d)) => a >= c && b >= d,
            (Self::Int(a, b), Self::Int(c, d)) => a >= c && b >= d,
            (Self::Long(a, b), Self::Long(c, d)) => a >= c && b >= d,
            (Self::Float(a, b), Self::Float(c, d)) => a >= c && b >= d,
            (Self::Double(a, b), Self::Double(c, d)) => a >= c && b >= d,
            (Self::Bytes(a, b), Self::Bytes(c, d)) => a >= c && b >= d,
            _ => false,
        }
    }

    /// As a page index has them.
    pub(super) fn to_index(&self, cut: Cut) -> (Vec<u8>, Vec<u8>) {
        match self {
            Self::Boolean(least, greatest) => (vec![u8::from(*least)], vec![u8::from(*greatest)]),
            Self::Int(least, greatest) => (least.to_le_bytes().into(), greatest.to_le_bytes().into()),
            Self::Long(least, greatest) => (least.to_le_bytes().into(), greatest.to_le_bytes().into()),
            Self::Float(least, greatest) => (least.to_le_bytes().into(), greatest.to_le_bytes().into()),
            Self::Double(least, greatest) => (least.to_le_bytes().into(), greatest.to_le_bytes().into()),
            Self::Bytes(least, greatest) => (cut.least(least).0, cut.greatest(greatest).0),
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Self::Bytes(least, greatest) => least.capacity() + greatest.capacity(),
            _ => 0,
        }
    }
}

/// What a chunk's metadata tell of its values. Numbers are told twice, for old readers too.
pub(super) fn statistics(physical: Physical, bounds: Option<&Bounds>, nulls: u64, cut: Cut) -> Statistics {
    macro_rules! numbers {
        ($variant:ident) => {{
            let (least, greatest) = match bounds {
                Some(Bounds::$variant(least, greatest)) => (Some(*least), Some(*greatest)),
                _ => (None, None),
            };
            ValueStatistics::new(least, greatest, None, Some(nulls), false)
                .with_backwards_compatible_min_max(true)
                .into()
        }};
    }
    match physical {
        Physical::BOOLEAN => {
            let (least, greatest) = match bounds {
                Some(Bounds::Boolean(least, greatest)) => (Some(*least), Some(*greatest)),
                _ => (None, None),
            };
            ValueStatistics::new(least, greatest, None, Some(nulls), false).into()
        }
        Physical::INT32 => numbers!(Int),
        Physical::INT64 => numbers!(Long),
        Physical::FLOAT => numbers!(Float),
        Physical::DOUBLE => numbers!(Double),
        _ => {
            let Some(Bounds::Bytes(least, greatest)) = bounds else {
                return ValueStatistics::<ByteArray>::new(None, None, None, Some(nulls), false).into();
            };
            let ((least, least_cut), (greatest, greatest_cut)) = (cut.least(least), cut.greatest(greatest));
            let (least, greatest) = (Some(ByteArray::from(least)), Some(ByteArray::from(greatest)));
            ValueStatistics::new(least, greatest, None, Some(nulls), false)
                .with_min_is_exact(!least_cut)
                .with_max_is_exact(!greatest_cut)
                .into()
        }
    }
}

impl Cut {
    /// Nothing above the value, and whether it is less than it.
    fn least(self, value: &[u8]) -> (Vec<u8>, bool) {
        let cut = self.start_of(value).map(<[u8]>::to_vec);
        cut.map_or_else(|| (value.to_vec(), false), |cut| (cut, true))
    }

    /// Nothing below the value, and whether it is more than it. Where a cut value cannot be raised it stays whole.
    fn greatest(self, value: &[u8]) -> (Vec<u8>, bool) {
        let raised = self.start_of(value).and_then(|start| match std::str::from_utf8(start) {
            Ok(text) if self.is_text => raised_text(text),
            _ => raised_bytes(start.to_vec()),
        });
        raised.map_or_else(|| (value.to_vec(), false), |raised| (raised, true))
    }

    /// The beginning of a value that is too long; none of one that is not.
    fn start_of(self, value: &[u8]) -> Option<&[u8]> {
        let length = self.bytes_max.filter(|length| value.len() > *length)?;
        let text = std::str::from_utf8(value).ok().filter(|_| self.is_text);
        let length = match text {
            Some(text) => (1..=length).rfind(|end| text.is_char_boundary(*end))?,
            None => length,
        };
        value.get(..length)
    }
}

/// A text of the same length at most that is greater than all that begin with this one.
fn raised_text(text: &str) -> Option<Vec<u8>> {
    text.char_indices().rev().find_map(|(at, character)| {
        let next = char::from_u32(character as u32 + 1)?;
        (next.len_utf8() == character.len_utf8()).then(|| {
            let mut raised = text.get(..at).unwrap_or_default().to_owned();
            raised.push(next);
            raised.into_bytes()
        })
    })
}

fn raised_bytes(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    while let Some(last) = bytes.pop() {
        if let Some(next) = last.checked_add(1) {
            bytes.push(next);
            return Some(bytes);
        }
    }
    None
}
