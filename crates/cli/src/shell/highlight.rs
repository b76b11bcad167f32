//! Colours of a statement while it is typed. Only colours are added: the text has the same width on the screen.

use hosu_dialect::{Mark, WordKind, scan_from};

use super::keywords::is_keyword;

/// A longer text is not coloured: each key draws all of it.
pub const BYTES_MAX: usize = 64 << 10;

const RESET: &str = "\x1b[0m";
const KEYWORD: &str = "\x1b[1;34m";
const FUNCTION: &str = "\x1b[36m";
const TEXT: &str = "\x1b[32m";
const NUMBER: &str = "\x1b[35m";
const COMMENT: &str = "\x1b[90m";
const COMMAND: &str = "\x1b[1m";

/// The line in colours. `before` is what was typed before it, and `mark` a place in that.
pub fn coloured(before: &str, mark: Mark, line: &str) -> String {
    let whole = format!("{before}{line}");
    let mut colours =
        Colours { line, from: before.len(), done: 0, out: String::with_capacity(line.len() * 2) };
    let mut words = scan_from(&whole, mark).peekable();
    while let Some(word) = words.next() {
        let text = whole.get(word.start..word.end).unwrap_or_default();
        let mut called = || {
            words.peek().is_some_and(|next| whole[next.start..].starts_with('(') && next.start == word.end)
        };
        let colour = match word.kind {
            WordKind::Symbol if text == "\\" => {
                let end = whole[word.start..].find('\n').map_or(whole.len(), |length| word.start + length);
                colours.add(word.start, end, COMMAND);
                while words.next_if(|word| word.start < end).is_some() {}
                continue;
            }
            WordKind::Word if is_keyword(text) => KEYWORD,
            WordKind::Word if called() => FUNCTION,
            WordKind::Text => TEXT,
            WordKind::Number => NUMBER,
            WordKind::Comment => COMMENT,
            _ => continue,
        };
        colours.add(word.start, word.end, colour);
    }
    colours.finish()
}

struct Colours<'a> {
    line: &'a str,
    /// Where the line begins in the whole.
    from: usize,
    /// In the line.
    done: usize,
    out: String,
}

impl Colours<'_> {
    fn add(&mut self, start: usize, end: usize, colour: &str) {
        let (start, end) = (start.saturating_sub(self.from).max(self.done), end.saturating_sub(self.from));
        if start >= end {
            return;
        }
        self.out.push_str(self.line.get(self.done..start).unwrap_or_default());
        self.out.push_str(colour);
        self.out.push_str(self.line.get(start..end).unwrap_or_default());
        self.out.push_str(RESET);
        self.done = end;
    }

    fn finish(mut self) -> String {
        self.out.push_str(self.line.get(self.done..).unwrap_or_default());
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hosu_dialect::scan;

    fn coloured_after(before: &str, line: &str) -> String {
        let mut words = scan(before);
        words.by_ref().for_each(drop);
        let shown = coloured(before, words.mark(), line);
        let names =
            [(KEYWORD, "K"), (FUNCTION, "F"), (TEXT, "T"), (NUMBER, "N"), (COMMENT, "C"), (COMMAND, "B")];
        let text =
            names.iter().fold(shown, |text, (colour, name)| text.replace(colour, &format!("<{name}:")));
        text.replace(RESET, ">")
    }

    #[test]
    fn each_kind_of_word_has_its_colour() {
        assert_eq!(
            coloured_after("", "SELECT count(x), 'it''s', \"select\" + 1.5 -- why\nfrom T where"),
            "<K:SELECT> <F:count>(x), <T:'it''s'>, \"select\" + <N:1.5> <C:-- why>\n<K:from> T <K:where>"
        );
        assert_eq!(coloured_after("", "\\d from t"), "<B:\\d from t>");
        assert_eq!(coloured_after("", "select 1 \\g from\nfrom"), "<K:select> <N:1> <B:\\g from>\n<K:from>");
        assert_eq!(coloured_after("", "selec 텍스트"), "selec 텍스트");
    }

    #[test]
    fn a_line_goes_on_in_what_is_open_before_it() {
        assert_eq!(coloured_after("select 'a\n", "b' from"), "<T:b'> <K:from>");
        assert_eq!(coloured_after("select 1 /* a\n", "select */ select"), "<C:select */> <K:select>");
        assert_eq!(coloured_after("select -- a\n", "from"), "<K:from>");
        assert_eq!(
            coloured_after("create table t (a string comment 'it\\'s\n", "from' from"),
            "<T:from'> <K:from>"
        );
    }

    #[test]
    fn only_colours_are_added() {
        for line in ["select '", "((((", "a\\b", "\\", "`", "select 'a' 'b", "\u{1b}[31m", "-- 끝", "'/*"] {
            for before in ["", "select '", "/* "] {
                let plain = coloured(before, Mark::START, line);
                let plain = [KEYWORD, FUNCTION, TEXT, NUMBER, COMMENT, COMMAND, RESET]
                    .iter()
                    .fold(plain, |text, colour| text.replace(colour, ""));
                assert_eq!(plain, line);
            }
        }
    }
}
