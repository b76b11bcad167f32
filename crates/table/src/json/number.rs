//! JSON numbers, exactly: no digit is lost before a column has said what it can hold.

use std::borrow::Cow;

/// The value of a number's spelling: `±digits × 10^exponent`. Equal numbers are equal whatever their spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number<'a> {
    /// Whether it is below zero; zero is not, however it is spelled.
    negative: bool,
    /// Its digits without zeros at either end; none for zero.
    digits: Cow<'a, str>,
    /// The power of ten of the last digit; 0 for zero.
    exponent: i64,
}

impl<'a> Number<'a> {
    /// Reads a text that follows the grammar of JSON numbers; None for any other.
    pub fn read(text: &'a str) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (integer, fraction) = match mantissa.split_once('.') {
            Some((integer, fraction)) => (integer, Some(fraction)),
            None => (mantissa, None),
        };
        let leading_zero = integer.len() > 1 && integer.starts_with('0');
        if leading_zero || !is_digits(integer) || !fraction.is_none_or(is_digits) {
            return None;
        }
        let digits = match fraction {
            Some(fraction) => Cow::Owned([integer, fraction].concat()),
            None => Cow::Borrowed(integer),
        };
        let exponent = exponent.saturating_sub(length(fraction.unwrap_or_default()));
        Some(Self::normalized(negative, digits, exponent))
    }

    fn normalized(negative: bool, digits: Cow<'a, str>, exponent: i64) -> Self {
        let digits = match digits {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim_start_matches('0')),
            Cow::Owned(text) => Cow::Owned(text.trim_start_matches('0').to_owned()),
        };
        let significant = digits.trim_end_matches('0').len();
        if significant == 0 {
            return Self { negative: false, digits: Cow::Borrowed(""), exponent: 0 };
        }
        let zeros = length(digits.get(significant..).unwrap_or_default());
        let digits = match digits {
            Cow::Borrowed(text) => Cow::Borrowed(text.get(..significant).unwrap_or_default()),
            Cow::Owned(mut text) => {
                text.truncate(significant);
                Cow::Owned(text)
            }
        };
        Self { negative, digits, exponent: exponent.saturating_add(zeros) }
    }

    /// Whether there is nothing behind the decimal point.
    pub fn is_integer(&self) -> bool {
        self.exponent >= 0
    }

    /// The number times `10^scale` as an integer of at most `digits_max` digits, if it is one.
    pub fn scaled(&self, scale: u32, digits_max: u32) -> Option<i128> {
        let zeros = u32::try_from(self.exponent.checked_add(i64::from(scale))?).ok()?;
        if self.digits.is_empty() {
            return Some(0);
        }
        let digits = u32::try_from(self.digits.len()).ok()?.checked_add(zeros)?;
        if digits > digits_max {
            return None;
        }
        let magnitude = self.digits.parse::<i128>().ok()?.checked_mul(10_i128.checked_pow(zeros)?)?;
        Some(if self.negative { -magnitude } else { magnitude })
    }

    /// The number as a signed integer of 64 bits, if it is one.
    pub fn to_i64(&self) -> Option<i64> {
        i64::try_from(self.scaled(0, 19)?).ok()
    }

    /// Whether a double holds the part before the decimal point exactly.
    fn integer_part_fits_double(&self) -> bool {
        let before_point = length(&self.digits).saturating_add(self.exponent);
        if before_point <= 15 {
            return true;
        }
        // The largest double has 309 digits before its point.
        let Some(before_point) = usize::try_from(before_point).ok().filter(|count| *count <= 309) else {
            return false;
        };
        let mut integer: String = self.digits.chars().take(before_point).collect();
        integer.extend(std::iter::repeat_n('0', before_point.saturating_sub(integer.len())));
        // Printed without a fraction, a double of this size shows its exact value.
        integer.parse::<f64>().is_ok_and(|nearest| format!("{nearest:.0}") == integer)
    }
}

/// The double nearest to a number, if the number lands in a double unchanged: its integer part is held exactly, and
/// only a fraction is rounded. A fraction below the smallest double becomes zero; zero keeps its sign.
pub(super) fn to_double(source: &str, number: &Number<'_>) -> Option<f64> {
    let point = length(&number.digits).saturating_add(number.exponent);
    let magnitude = match point {
        // Far beyond the largest and the smallest. The standard library errs on a million digits that an exponent
        // takes back, so it is given the point where it belongs.
        400.. => return None,
        ..-400 => 0.0,
        _ => format!("0.0{}e{}", number.digits, point + 1)
            .parse::<f64>()
            .ok()
            .filter(|value| value.is_finite())?,
    };
    let nearest = if source.starts_with('-') { -magnitude } else { magnitude };
    number.integer_part_fits_double().then_some(nearest)
}

fn read_exponent(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    if !is_digits(digits) {
        return None;
    }
    // What has more digits than any exponent is far beyond every type: the exact power no longer matters.
    let magnitude = digits.parse::<i64>().map_or(EXPONENT_MAX, |exponent| exponent.min(EXPONENT_MAX));
    Some(if negative { -magnitude } else { magnitude })
}

/// Far beyond what any type holds, and far enough from the ends of `i64` to be added to.
const EXPONENT_MAX: i64 = 1 << 60;

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn length(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(EXPONENT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number<'_> {
        Number::read(text).unwrap_or_else(|| panic!("{text} is a number"))
    }

    fn double(text: &str) -> Option<f64> {
        to_double(text, &number(text))
    }

    #[test]
    fn spellings_of_one_number_are_equal() {
        for (a, b) in [
            ("1", "1.0"),
            ("1000", "1e3"),
            ("1000", "1.000E+3"),
            ("0.5", "5e-1"),
            ("0", "-0"),
            ("0", "0e999999999999999999999"),
            ("-12.50", "-1.25e1"),
            ("100e-2", "1"),
        ] {
            assert_eq!(number(a), number(b), "{a} {b}");
        }
        for (a, b) in [("1", "-1"), ("1", "10"), ("1.5", "15"), ("9007199254740992", "9007199254740993")] {
            assert_ne!(number(a), number(b), "{a} {b}");
        }
    }

    #[test]
    fn only_the_grammar_of_json_is_read() {
        for text in [
            "", "-", "01", "00.5", "1.", ".5", "+1", "1e", "1e+", "0x1", " 1", "1 ", "NaN", "1_0", "--1",
            "1e5.0", "١",
        ] {
            assert_eq!(Number::read(text), None, "{text:?}");
        }
    }

    #[test]
    fn integers_of_64_bits() {
        for (text, value) in [
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("-9223372036854775808", Some(i64::MIN)),
            ("-9223372036854775809", None),
            ("1.5", None),
            ("1.0", Some(1)),
            ("12e2", Some(1200)),
            ("1200e-2", Some(12)),
            ("-0", Some(0)),
            ("1e400", None),
            ("1e999999999999999999999", None),
            ("1e-999999999999999999999", None),
            ("123456789012345678901234567890123456789012345", None),
        ] {
            assert_eq!(number(text).to_i64(), value, "{text}");
        }
    }

    #[test]
    fn doubles_hold_the_integer_part_exactly_and_round_the_fraction() {
        for text in [
            "0.1",
            "1e22",
            "-2.5e-3",
            "9007199254740992",
            "9007199254740993e-3",
            "9007199254740994",
            "9007199254740992.5",
            "4503599627370497.99",
            "18446744073709551616",
            "1e-400",
            "5e-324",
            "0.1000000000000000055511151231257827021181583404541015625",
        ] {
            assert_eq!(double(text), text.parse().ok(), "{text}");
        }
        for text in [
            "1e400",
            "-1e400",
            "9007199254740993",
            "9007199254740993.0",
            "-9007199254740993.5",
            "1e23",
            "1e300",
        ] {
            assert_eq!(double(text), None, "{text}");
        }
        let largest = format!("{:.0}", f64::MAX);
        assert_eq!(double(&largest), Some(f64::MAX));
        assert_eq!(double("-0.0").map(f64::to_bits), Some((-0.0_f64).to_bits()));
    }

    #[test]
    fn long_numbers_are_read_in_time() {
        let zeros = "0".repeat(1_000_000);
        assert_eq!(number(&format!("1{zeros}e-1000000")), number("1"));
        assert_eq!(double(&format!("1{zeros}e-1000000")), Some(1.0));
        assert_eq!(double(&format!("1{zeros}")), None);
        assert_eq!(double(&format!("0.{zeros}1")), Some(0.0));
    }

    #[test]
    fn decimals_are_exact() {
        assert_eq!(number("12.5").scaled(2, 10), Some(1250));
        assert_eq!(number("-12.5").scaled(2, 10), Some(-1250));
        assert_eq!(number("12.345").scaled(2, 10), None);
        assert_eq!(number("12.3400").scaled(2, 4), Some(1234));
        assert_eq!(number("123.45").scaled(2, 4), None);
        assert_eq!(number("1e37").scaled(0, 38), Some(10_i128.pow(37)));
        assert_eq!(number("1e38").scaled(0, 38), None);
        assert_eq!(number("0").scaled(2, 2), Some(0));
    }
}
