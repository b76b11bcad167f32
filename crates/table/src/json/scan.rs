//! The tokens of a JSON text one after another, for those who know what they expect.
//!
//! [`super::parse`] makes a tree of any line and says what is wrong with a bad one. A [`Cursor`] does neither: it reads
//! the common spellings at the speed of memory, and where something else stands it answers `None`. Who asked gives the
//! line to [`super::parse`] then, so a cursor may refuse what is good, but must never take what is bad.
//!
//! Nothing but a text may hold characters beyond ASCII, so only texts that do are checked to be UTF-8.

/// A place in a JSON text.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// A text as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotedText<'a> {
    /// With its quotes.
    pub source: &'a [u8],
    /// What is between them.
    pub inner: &'a [u8],
    /// Whether there are escapes in it.
    pub has_escapes: bool,
}

/// A number as it stands, and its digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberToken<'a> {
    /// All of it.
    pub source: &'a [u8],
    negative: bool,
    /// The digits without the point as one integer; meaningless when there are more than [`DIGITS_MAX`].
    mantissa: u64,
    digits: usize,
    fraction_digits: usize,
    has_point_or_exponent: bool,
    has_exponent: bool,
}

/// So many digits never overflow 64 bits, signed or not.
const DIGITS_MAX: usize = 18;

/// A double holds every integer of so many digits.
const DOUBLE_DIGITS_MAX: usize = 15;

/// The powers of ten that a double holds exactly, as far as [`DOUBLE_DIGITS_MAX`] digits need them.
const POWERS_OF_TEN: [f64; DOUBLE_DIGITS_MAX + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

impl<'a> Cursor<'a> {
    /// At the start of a line.
    pub fn new(line: &'a [u8]) -> Self {
        Self { bytes: line, at: 0 }
    }

    /// The next byte.
    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The next eight bytes, the first of them as the lowest; zeros behind the end.
    #[inline]
    pub fn eight(&self) -> u64 {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        match rest.first_chunk::<8>() {
            Some(eight) => u64::from_le_bytes(*eight),
            None => rest.iter().rev().fold(0, |eight, byte| eight << 8 | u64::from(*byte)),
        }
    }

    /// Goes past a byte if it is the next.
    #[inline]
    pub fn take(&mut self, byte: u8) -> bool {
        let taken = self.peek() == Some(byte);
        self.at += usize::from(taken);
        taken
    }

    /// Goes past these bytes if they are the next.
    #[inline]
    pub fn take_all(&mut self, bytes: &[u8]) -> bool {
        let taken = self.bytes.get(self.at..).is_some_and(|rest| begins_with(rest, bytes));
        if taken {
            self.at += bytes.len();
        }
        taken
    }

    /// Goes past these bytes if they are the next; their first eight are known to be.
    #[inline]
    pub fn take_begun(&mut self, bytes: &[u8]) -> bool {
        let taken = bytes.len() <= 8 || {
            let next = self.bytes.get(self.at..).and_then(|rest| rest.get(..bytes.len()));
            next.is_some_and(|next| {
                next.last_chunk::<8>() == bytes.last_chunk::<8>()
                    && (bytes.len() <= 16 || begins_with(next, bytes))
            })
        };
        if taken {
            self.at += bytes.len();
        }
        taken
    }

    /// Goes past what JSON allows between tokens.
    #[inline]
    pub fn skip_white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Whether another element or member follows, to which it goes; else past the bracket that ends them.
    #[inline]
    pub fn has_more(&mut self, bracket: u8) -> Option<bool> {
        self.skip_white_space();
        if self.take(b',') {
            self.skip_white_space();
            return Some(true);
        }
        self.take(bracket).then_some(false)
    }

    /// Whether nothing follows.
    pub fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// What is between the quotes of a text of ASCII without escapes. For others there is [`Self::text`].
    #[inline]
    pub fn plain_text(&mut self) -> Option<&'a [u8]> {
        if self.peek() != Some(b'"') {
            return None;
        }
        let start = self.at + 1;
        let plain = end_of_plain(self.bytes, start);
        if !plain.is_ascii || self.bytes.get(plain.end) != Some(&b'"') {
            return None;
        }
        self.at = plain.end + 1;
        self.bytes.get(start..plain.end)
    }

    /// A text, its escapes checked.
    #[inline]
    pub fn text(&mut self) -> Option<QuotedText<'a>> {
        let start = self.at;
        if !self.take(b'"') {
            return None;
        }
        let mut has_escapes = false;
        let mut is_ascii = true;
        loop {
            let plain = end_of_plain(self.bytes, self.at);
            self.at = plain.end;
            is_ascii &= plain.is_ascii;
            match self.peek()? {
                b'"' => {
                    let inner = self.bytes.get(start + 1..self.at)?;
                    self.at += 1;
                    if !is_ascii && std::str::from_utf8(inner).is_err() {
                        return None;
                    }
                    return Some(QuotedText { source: self.bytes.get(start..self.at)?, inner, has_escapes });
                }
                b'\\' => {
                    has_escapes = true;
                    self.escape()?;
                }
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        let rest = self.bytes.get(self.at + 1..)?;
        self.at += match rest {
            [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 2,
            [b'u', a, b, c, d, ..] if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()) => 6,
            _ => return None,
        };
        Some(())
    }

    /// A number.
    #[inline]
    pub fn number(&mut self) -> Option<NumberToken<'a>> {
        let start = self.at;
        let negative = self.take(b'-');
        let mut mantissa = 0;
        let first = self.at;
        let integer_digits = self.digits(&mut mantissa)?;
        if integer_digits > 1 && self.bytes.get(first) == Some(&b'0') {
            return None;
        }
        let has_point = self.take(b'.');
        let fraction_digits = if has_point { self.digits(&mut mantissa)? } else { 0 };
        let has_exponent = matches!(self.peek(), Some(b'e' | b'E'));
        if has_exponent {
            self.at += 1;
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits(&mut 0)?;
        }
        Some(NumberToken {
            source: self.bytes.get(start..self.at)?,
            negative,
            mantissa,
            digits: integer_digits + fraction_digits,
            fraction_digits,
            has_point_or_exponent: has_point || has_exponent,
            has_exponent,
        })
    }

    /// How many digits follow, one at least.
    #[inline]
    fn digits(&mut self, value: &mut u64) -> Option<usize> {
        let start = self.at;
        while let Some(digit) = self.peek().map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
            *value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            self.at += 1;
        }
        (self.at > start).then_some(self.at - start)
    }
}

impl NumberToken<'_> {
    /// The number as an integer, if it is spelled as one and is not very long.
    #[inline]
    pub fn to_i64(&self) -> Option<i64> {
        if self.has_point_or_exponent || self.digits > DIGITS_MAX {
            return None;
        }
        let magnitude = i64::try_from(self.mantissa).ok()?;
        Some(if self.negative { -magnitude } else { magnitude })
    }

    /// The nearest double, if it has so few digits that one division of exact numbers gives it. Its integer part is
    /// held exactly then.
    #[inline]
    pub fn to_f64(&self) -> Option<f64> {
        if self.has_exponent || self.digits > DOUBLE_DIGITS_MAX {
            return None;
        }
        let magnitude = self.mantissa as f64 / POWERS_OF_TEN.get(self.fraction_digits)?;
        Some(if self.negative { -magnitude } else { magnitude })
    }
}

/// `starts_with` for what is short: without a call, and without a loop for up to 16 bytes.
#[inline]
fn begins_with(text: &[u8], start: &[u8]) -> bool {
    let Some(text) = text.get(..start.len()) else { return false };
    if let (Some(end), Some(text_end)) = (start.last_chunk::<8>(), text.last_chunk::<8>()) {
        let eights = start.chunks_exact(8).zip(text.chunks_exact(8));
        // The last eight may be partly in the eight before.
        return u64::from_le_bytes(*end) == u64::from_le_bytes(*text_end)
            && eights.map(|(a, b)| (a.first_chunk::<8>(), b.first_chunk::<8>())).all(|(a, b)| a == b);
    }
    if let (Some(end), Some(text_end)) = (start.last_chunk::<4>(), text.last_chunk::<4>()) {
        return u32::from_le_bytes(*end) == u32::from_le_bytes(*text_end)
            && start.first_chunk::<4>() == text.first_chunk::<4>();
    }
    start.iter().zip(text).all(|(a, b)| a == b)
}

#[cfg(any(test, not(target_arch = "x86_64")))]
const EACH_BYTE: u64 = 0x0101_0101_0101_0101;
#[cfg(any(test, not(target_arch = "x86_64")))]
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// Characters that stand for themselves.
pub(super) struct Plain {
    /// Where they end.
    pub(super) end: usize,
    /// Whether there are none but ASCII among them.
    is_ascii: bool,
}

/// What stands from `at` on before the first quote, backslash or control character.
#[inline]
pub(super) fn end_of_plain(bytes: &[u8], mut at: usize) -> Plain {
    let mut is_ascii = true;
    while let Some(sixteen) = bytes.get(at..).and_then(<[u8]>::first_chunk::<16>) {
        let marks = Marks::of(sixteen);
        if marks.ends != 0 {
            let before_end = (1 << marks.ends.trailing_zeros()) - 1;
            return Plain {
                end: at + marks.ends.trailing_zeros() as usize,
                is_ascii: is_ascii && marks.beyond_ascii & before_end == 0,
            };
        }
        is_ascii &= marks.beyond_ascii == 0;
        at += 16;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len());
    Plain { end: at + length, is_ascii: is_ascii && rest.get(..length).unwrap_or_default().is_ascii() }
}

/// Sixteen bytes, a bit for each.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Marks {
    /// Quotes, backslashes and control characters. Only the first one is sure.
    ends: u32,
    beyond_ascii: u32,
}

impl Marks {
    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[allow(unsafe_code, reason = "SSE2 is a part of x86_64: every processor that runs this has it")]
    fn of(sixteen: &[u8; 16]) -> Self {
        unsafe { Self::at_once_of(sixteen) }
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "sse2")]
    fn at_once_of(sixteen: &[u8; 16]) -> Self {
        use std::arch::x86_64::{
            _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
        };
        let both = u128::from_le_bytes(*sixteen);
        let bytes = _mm_set_epi64x((both >> 64) as i64, both as i64);
        let quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8));
        let backslashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
        let controls = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
        let ends = _mm_or_si128(_mm_or_si128(quotes, backslashes), controls);
        Self { ends: _mm_movemask_epi8(ends) as u32, beyond_ascii: _mm_movemask_epi8(bytes) as u32 }
    }

    #[cfg(not(target_arch = "x86_64"))]
    #[inline]
    fn of(sixteen: &[u8; 16]) -> Self {
        Self::portably_of(sixteen)
    }

    #[cfg(any(test, not(target_arch = "x86_64")))]
    #[inline]
    fn portably_of(sixteen: &[u8; 16]) -> Self {
        let both = u128::from_le_bytes(*sixteen);
        let [low, high] = [both as u64, (both >> 64) as u64].map(|word| {
            // A byte's high bit is set in a difference when it is smaller than what is taken off; bytes beyond ASCII have it
            // set before, and are none of these.
            let quote = word ^ (EACH_BYTE * b'"' as u64);
            let backslash = word ^ (EACH_BYTE * b'\\' as u64);
            let found = (quote.wrapping_sub(EACH_BYTE) & !quote)
                | (backslash.wrapping_sub(EACH_BYTE) & !backslash)
                | (word.wrapping_sub(EACH_BYTE * 0x20) & !word);
            [bit_of_each(found & HIGH_BITS), bit_of_each(word & HIGH_BITS)]
        });
        Self { ends: low[0] | high[0] << 8, beyond_ascii: low[1] | high[1] << 8 }
    }
}

/// The high bits of eight bytes side by side.
#[cfg(any(test, not(target_arch = "x86_64")))]
#[inline]
fn bit_of_each(high_bits: u64) -> u32 {
    ((high_bits >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32
}

#[cfg(test)]
mod tests;
