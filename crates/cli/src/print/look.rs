//! What a person may wish of a layout, and text as a terminal can show it.

/// When a table has one line a value instead of one a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expanded {
    /// Never.
    Off,
    /// Always.
    On,
    /// When a row is wider than the screen.
    #[default]
    Auto,
}

/// The wishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// What stands for NULL in the layouts for people.
    pub null: String,
    /// Whether it is dimmed, so that it differs from a text of the same letters.
    pub dims_null: bool,
    /// Whether a table is turned.
    pub expanded: Expanded,
    /// How many columns the screen has, if there is one.
    pub screen_width: Option<usize>,
}

impl Default for Look {
    fn default() -> Self {
        Self { null: "NULL".to_owned(), dims_null: false, expanded: Expanded::Auto, screen_width: None }
    }
}

impl Look {
    /// NULL as it is printed: its text, and how many columns that takes.
    pub fn null(&self) -> (String, usize) {
        let text = one_line(self.null.clone());
        let width = width(&text);
        (if self.dims_null { format!("\x1b[2m{text}\x1b[0m") } else { text }, width)
    }
}

/// Text as it can stand in one line of a terminal: what moves the cursor or turns the direction of writing is spelled out,
/// so that a value neither breaks the table nor looks like another.
pub fn one_line(text: String) -> String {
    if !text.contains(is_spelled_out) {
        return text;
    }
    let mut line = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_spelled_out(c) { line.extend(c.escape_default()) } else { line.push(c) }
    }
    line
}

/// The same for a text of several lines.
pub fn lines(text: &str) -> String {
    text.split('\n').map(|line| one_line(line.to_owned())).collect::<Vec<_>>().join("\n")
}

/// Control characters, ends of lines and paragraphs, and marks of direction. Joiners stay: emoji and scripts need them.
fn is_spelled_out(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// How many columns of a terminal a text takes.
pub fn width(text: &str) -> usize {
    // Most texts are ASCII, which needs no table.
    if text.is_ascii() { text.len() } else { unicode_width::UnicodeWidthStr::width(text) }
}
