//! Figures as people read them.

/// `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 row`, `2 rows`.
pub fn counted(number: u64, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {one}{plural}", count(number))
}

/// `512 B`, `1.5 MiB`.
pub fn bytes(number: u64) -> String {
    if number < 1024 {
        return format!("{number} B");
    }
    let mut value = number as f64;
    let mut unit = "B";
    for next in ["KiB", "MiB", "GiB", "TiB", "PiB"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    format!("{value:.1} {unit}")
}

/// `0.05 s`, `12.3 s`, `2 min 5 s`.
pub fn elapsed(ms: u64) -> String {
    match ms {
        0..10_000 => format!("{:.2} s", ms as f64 / 1e3),
        10_000..120_000 => format!("{:.1} s", ms as f64 / 1e3),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

/// What a scan costs where scanned bytes are paid for.
pub fn dollars(bytes: u64, dollars_per_tib: f64) -> f64 {
    bytes as f64 / (1_u64 << 40) as f64 * dollars_per_tib
}

/// The same as text, with enough digits to see a small one.
pub fn price(bytes: u64, dollars_per_tib: f64) -> String {
    match dollars(bytes, dollars_per_tib) {
        d if d <= 0.0 => "$0".to_owned(),
        d if d < 0.000_001 => "less than $0.000001".to_owned(),
        d if d < 0.01 => format!("${d:.6}"),
        d => format!("${d:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_readable() {
        assert_eq!(
            (count(7), count(1_000), count(1_234_567)),
            ("7".into(), "1,000".into(), "1,234,567".into())
        );
        assert_eq!((counted(1, "row"), counted(0, "row")), ("1 row".to_owned(), "0 rows".to_owned()));
        assert_eq!(
            (bytes(1023), bytes(1536), bytes(3 << 30)),
            ("1023 B".into(), "1.5 KiB".into(), "3.0 GiB".into())
        );
        assert_eq!(
            (elapsed(52), elapsed(12_345), elapsed(125_000)),
            ("0.05 s".into(), "12.3 s".into(), "2 min 5 s".into())
        );
        assert_eq!((price(1 << 40, 5.0), price(10 << 20, 5.0)), ("$5.00".into(), "$0.000048".into()));
        assert_eq!((price(0, 5.0), price(100, 5.0)), ("$0".into(), "less than $0.000001".into()));
    }
}
