//! Chance from a seed: SplitMix64, because its few lines give the same numbers for ever, whatever crates do.

use hosu_table::calendar::civil;

/// A source of numbers that look random.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A number of the range, its end included.
    pub fn between(&mut self, first: i64, last: i64) -> i64 {
        let width = u64::try_from(last - first + 1).unwrap_or(1);
        first + i64::try_from(self.below(width)).unwrap_or(0)
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        let at = usize::try_from(self.below(choices.len() as u64)).unwrap_or(0);
        choices[at]
    }

    /// So many lower-case hexadecimal digits.
    pub fn hex(&mut self, digits: usize) -> String {
        (0..digits).map(|_| char::from_digit((self.next() >> 60) as u32, 16).unwrap_or('0')).collect()
    }

    /// So many letters and digits, as AWS makes its ids of.
    pub fn code(&mut self, letters: usize) -> String {
        const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        (0..letters).map(|_| char::from(self.pick(LETTERS))).collect()
    }

    /// A text of the shape of a random UUID.
    pub fn uuid(&mut self) -> String {
        let variant = self.pick(&['8', '9', 'a', 'b']);
        let (a, b, c, d, e) = (self.hex(8), self.hex(4), self.hex(3), self.hex(3), self.hex(12));
        format!("{a}-{b}-4{c}-{variant}{d}-{e}")
    }
}

/// An instant in milliseconds since 1970 as RFC 3339 in UTC, with milliseconds when asked.
pub fn rfc3339(unix_ms: i64, with_milliseconds: bool) -> String {
    let (days, ms) = (unix_ms.div_euclid(86_400_000), unix_ms.rem_euclid(86_400_000));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    let fraction = if with_milliseconds { format!(".{:03}", ms % 1_000) } else { String::new() };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}
