//! Where a name stands in a query, for errors that say what is wrong and not where.

/// Finds the first place of a name in a query: not in a text, not in a comment, not within a longer word. Case aside.
/// Line and column, each from 1.
pub(super) fn find_name(query: &str, name: &str) -> Option<(usize, usize)> {
    let name: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
    if name.is_empty() {
        return None;
    }
    let mut walk = Walk::new(query);
    while let Some((place, word)) = walk.next_word() {
        let lower: Vec<char> = word.chars().flat_map(char::to_lowercase).collect();
        if lower == name {
            return Some(place);
        }
    }
    None
}

/// The words of a query, quoted or not, with their places.
struct Walk<'a> {
    rest: &'a str,
    line: usize,
    column: usize,
}

impl<'a> Walk<'a> {
    fn new(query: &'a str) -> Self {
        Self { rest: query, line: 1, column: 1 }
    }

    fn next_word(&mut self) -> Option<((usize, usize), &'a str)> {
        loop {
            let place = (self.line, self.column);
            let first = self.rest.chars().next()?;
            if self.rest.starts_with("--") {
                self.pass(self.rest.find('\n').unwrap_or(self.rest.len()));
            } else if self.rest.starts_with("/*") {
                self.pass(self.rest.find("*/").map_or(self.rest.len(), |at| at + 2));
            } else if first == '\'' || first == '"' {
                let inner = self.rest.get(1..).unwrap_or_default();
                let end = inner.find(first).unwrap_or(inner.len());
                self.pass((end + 2).min(self.rest.len()));
                if first == '"' {
                    return Some((place, inner.get(..end).unwrap_or_default()));
                }
            } else if is_word(first) {
                let end = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
                let word = self.rest.get(..end).unwrap_or_default();
                self.pass(end);
                return Some((place, word));
            } else {
                self.pass(first.len_utf8());
            }
        }
    }

    fn pass(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        for c in passed.chars() {
            if c == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.rest = rest;
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
