//! Values into a page: as they are, or as their numbers in a dictionary, and the least and the greatest of them.

use std::ops::Range;

use super::bounds::Bounds;
use super::dictionary::Dictionary;
use super::page::Filling;

/// Rows of an array.
pub(super) enum Selected<'a> {
    Range(Range<usize>),
    Listed(&'a [u32]),
}

impl Selected<'_> {
    pub(super) fn each(self, mut take: impl FnMut(usize)) {
        match self {
            Self::Range(range) => range.for_each(take),
            Self::Listed(rows) => rows.iter().for_each(|row| take(*row as usize)),
        }
    }
}

/// What columns of numbers hold.
pub(super) trait Number: Copy + PartialOrd {
    const WIDTH: usize;

    /// The bits as the file has them.
    fn to_bits(self) -> u64;

    /// The bounds between two numbers.
    fn bounds(least: Self, greatest: Self) -> Bounds;

    /// Whether it can be compared.
    #[inline]
    fn is_ordered(self) -> bool {
        true
    }
}

impl Number for i32 {
    const WIDTH: usize = 4;

    #[inline]
    fn to_bits(self) -> u64 {
        u64::from(self as u32)
    }

    fn bounds(least: Self, greatest: Self) -> Bounds {
        Bounds::Int(least, greatest)
    }
}

impl Number for i64 {
    const WIDTH: usize = 8;

    #[inline]
    fn to_bits(self) -> u64 {
        self as u64
    }

    fn bounds(least: Self, greatest: Self) -> Bounds {
        Bounds::Long(least, greatest)
    }
}

impl Number for f32 {
    const WIDTH: usize = 4;

    #[inline]
    fn to_bits(self) -> u64 {
        u64::from(f32::to_bits(self))
    }

    /// Zero stands for both zeros.
    fn bounds(least: Self, greatest: Self) -> Bounds {
        let zero = |number: f32, zero: f32| if number == 0.0 { zero } else { number };
        Bounds::Float(zero(least, -0.0), zero(greatest, 0.0))
    }

    #[inline]
    fn is_ordered(self) -> bool {
        !self.is_nan()
    }
}

impl Number for f64 {
    const WIDTH: usize = 8;

    #[inline]
    fn to_bits(self) -> u64 {
        f64::to_bits(self)
    }

    /// Zero stands for both zeros.
    fn bounds(least: Self, greatest: Self) -> Bounds {
        let zero = |number: f64, zero: f64| if number == 0.0 { zero } else { number };
        Bounds::Double(zero(least, -0.0), zero(greatest, 0.0))
    }

    #[inline]
    fn is_ordered(self) -> bool {
        !self.is_nan()
    }
}

/// Texts one behind the other.
pub(super) struct Texts<'a> {
    /// Where each one begins, and the last one ends.
    pub(super) offsets: &'a [i32],
    pub(super) bytes: &'a [u8],
}

impl<'a> Texts<'a> {
    #[inline]
    fn value(&self, row: usize) -> &'a [u8] {
        &self.bytes[self.offsets[row] as usize..self.offsets[row + 1] as usize]
    }
}

impl Filling {
    pub(super) fn put_numbers<T: Number>(
        &mut self,
        numbers: impl Iterator<Item = T> + Clone,
        dictionary: &mut Option<Dictionary>,
    ) {
        let mut ordered = numbers.clone().filter(|number| number.is_ordered());
        if let Some(first) = ordered.next() {
            let (mut least, mut greatest) = (first, first);
            for number in ordered {
                least = if number < least { number } else { least };
                greatest = if number > greatest { number } else { greatest };
            }
            self.widen(T::bounds(least, greatest));
        }
        match dictionary {
            Some(dictionary) => self
                .numbers
                .extend(numbers.map(|number| dictionary.number_of_bits(number.to_bits(), T::WIDTH))),
            None => numbers.for_each(|number| {
                let bytes = number.to_bits().to_le_bytes();
                self.plain.extend_from_slice(&bytes[..T::WIDTH]);
            }),
        }
    }

    pub(super) fn put_texts(
        &mut self,
        texts: &Texts<'_>,
        rows: impl Iterator<Item = usize>,
        dictionary: &mut Option<Dictionary>,
    ) {
        let mut extremes = Extremes::default();
        let mut text_bytes = 0;
        match dictionary {
            Some(dictionary) => self.numbers.extend(rows.map(|row| {
                let value = texts.value(row);
                let numbered = dictionary.number_of_text(value);
                if numbered.is_first {
                    extremes.see(value);
                }
                text_bytes += value.len();
                numbered.number
            })),
            None => {
                for row in rows {
                    let value = texts.value(row);
                    self.plain.extend_from_slice(&(value.len() as u32).to_le_bytes());
                    self.plain.extend_from_slice(value);
                    extremes.see(value);
                    text_bytes += value.len();
                }
            }
        }
        self.text_bytes += text_bytes;
        if let Some((least, greatest)) = extremes.found {
            self.widen_bytes(least.bytes, greatest.bytes);
        }
    }

    /// Takes bounds of further values in.
    pub(super) fn widen(&mut self, bounds: Bounds) {
        match &mut self.bounds {
            Some(known) => known.merge(bounds),
            none => *none = Some(bounds),
        }
    }

    fn widen_bytes(&mut self, least: &[u8], greatest: &[u8]) {
        match &mut self.bounds {
            Some(Bounds::Bytes(known_least, known_greatest)) => {
                if least < known_least.as_slice() {
                    least.clone_into(known_least);
                }
                if greatest > known_greatest.as_slice() {
                    greatest.clone_into(known_greatest);
                }
            }
            bounds => *bounds = Some(Bounds::Bytes(least.to_vec(), greatest.to_vec())),
        }
    }
}

/// The least and the greatest text so far.
#[derive(Default)]
struct Extremes<'a> {
    found: Option<(Text<'a>, Text<'a>)>,
}

/// A text, and its first eight bytes as a number in which most texts differ.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
struct Text<'a> {
    start: u64,
    bytes: &'a [u8],
}

impl<'a> Extremes<'a> {
    #[inline]
    fn see(&mut self, value: &'a [u8]) {
        let start = match value.first_chunk::<8>() {
            Some(eight) => u64::from_be_bytes(*eight),
            None => {
                let mut eight = [0; 8];
                value.iter().zip(&mut eight).for_each(|(from, to)| *to = *from);
                u64::from_be_bytes(eight)
            }
        };
        let text = Text { start, bytes: value };
        match &mut self.found {
            Some((least, greatest)) => {
                if start <= least.start && text < *least {
                    *least = text;
                }
                if start >= greatest.start && text > *greatest {
                    *greatest = text;
                }
            }
            none => *none = Some((text, text)),
        }
    }
}
