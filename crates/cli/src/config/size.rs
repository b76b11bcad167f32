//! Sizes as people write them: `512MiB`, `1TB`, `70%`.

use std::fs;

use serde::Deserialize;

/// A size as it stands in `hosu.toml`: a number of bytes, or text with a unit.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum SizeText {
    /// Bytes.
    Bytes(u64),
    /// A number with a unit, or with `%`.
    Text(String),
}

/// An amount of memory: fixed, or a share of the machine's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Size {
    /// So many bytes.
    Bytes(u64),
    /// That part of the whole, 0 to 1.
    Share(f64),
}

/// What is taken for the machine's memory where it does not tell.
const MEMORY_BYTES_ASSUMED: u64 = 4 << 30;

const UNITS: [(&str, u64); 10] = [
    ("", 1),
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

impl SizeText {
    /// Reads the size, or says what is wrong with it.
    pub fn parse(&self) -> Result<Size, String> {
        match self {
            Self::Bytes(bytes) => Ok(Size::Bytes(*bytes)),
            Self::Text(text) => parse(text),
        }
    }
}

impl Size {
    /// The bytes, of a whole of `total_bytes`.
    pub fn of(self, total_bytes: u64) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Share(share) => (total_bytes as f64 * share) as u64,
        }
    }
}

fn parse(text: &str) -> Result<Size, String> {
    let wrong = || format!("`{text}` is no size: write it like `512MiB`, `2GB` or a number of bytes");
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let unit = unit.trim().to_ascii_lowercase();
    if unit == "%" {
        let inside = number > 0.0 && number <= 100.0;
        return if inside {
            Ok(Size::Share(number / 100.0))
        } else {
            Err(format!("`{text}` is not between 0% and 100%"))
        };
    }
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
    let bytes = number * *factor as f64;
    if bytes.is_finite() && bytes < i64::MAX as f64 { Ok(Size::Bytes(bytes as u64)) } else { Err(wrong()) }
}

/// The memory that this process may use at most: the machine's, or less where a container limits it.
pub fn machine_memory_bytes() -> u64 {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total_of_meminfo(&text));
    let container =
        fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    [machine, container].into_iter().flatten().min().unwrap_or(MEMORY_BYTES_ASSUMED)
}

fn total_of_meminfo(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        let cases = [
            ("512MiB", 512 << 20),
            ("1.5 GiB", 3 << 29),
            ("1TB", 1_000_000_000_000),
            ("2kb", 2_000),
            ("77", 77),
            ("10 B", 10),
        ];
        for (text, bytes) in cases {
            assert_eq!(parse(text), Ok(Size::Bytes(bytes)), "{text}");
        }
        assert_eq!(parse("70%"), Ok(Size::Share(0.7)));
        assert_eq!(Size::Share(0.5).of(1000), 500);
    }

    #[test]
    fn what_is_no_size_is_an_error_that_quotes_it() {
        for text in ["", "MiB", "12 apples", "-1MB", "1.2.3MB", "0%", "101%", "1e30TB", "99999999999TB"] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(text), "{text}: {error}");
        }
    }

    #[test]
    fn the_machine_tells_its_memory() {
        assert_eq!(total_of_meminfo("MemTotal:       24606640 kB\nMemFree: 1 kB"), Some(24_606_640 * 1024));
        assert!(machine_memory_bytes() > 1 << 20);
    }
}
