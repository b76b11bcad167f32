//! Hive's patterns of names, as SHOW takes them.

/// Whether a name is one that the pattern means: `*` is any text, `.` any character, `|` stands between alternatives; case
/// does not matter. `.*` and `%` are any text as well, because people write them.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.to_lowercase().chars().collect();
    pattern.to_lowercase().split('|').any(|alternative| {
        let pattern: Vec<char> = alternative.trim().replace(".*", "*").replace('%', "*").chars().collect();
        one(&pattern, &name)
    })
}

/// Matches from the left; at a mismatch the last `*` takes one character more.
fn one(pattern: &[char], name: &[char]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '.' || name.get(n) == Some(c) => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                p = at + 1;
                n = taken + 1;
            }
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|c| *c == '*'))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_and_alternatives_match() {
        assert!(matches("*", "events"));
        assert!(matches("ev*s", "EVENTS"));
        assert!(matches("a|ev*|b", "events"));
        assert!(matches("ev.nts", "events"));
        assert!(matches("ev.*", "events"));
        assert!(matches("%vent%", "events"));
        assert!(matches("*e*e*s*", "events"));
        assert!(!matches("ev", "events"));
        assert!(!matches("event", "events"));
        assert!(!matches("", "events"));
        assert!(!matches("*x*", "events"));
    }
}
