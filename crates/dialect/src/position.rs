//! Where something stands in a text: what every error message about a statement needs.

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// Bytes from the start of the text.
    pub offset: usize,
    /// Line, counted from 1.
    pub line: usize,
    /// Character in the line, counted from 1 as Trino does.
    pub column: usize,
}

impl Position {
    /// The start of a text.
    pub const START: Self = Self { offset: 0, line: 1, column: 1 };

    /// Turns a line and column inside a part of the text, which starts at `self`, into a line and column of the whole.
    #[must_use]
    pub fn within(self, line: usize, column: usize) -> (usize, usize) {
        if line <= 1 {
            (self.line, self.column + column.saturating_sub(1))
        } else {
            (self.line + line - 1, column)
        }
    }

    /// The place behind `passed`, which stands at `self`.
    #[must_use]
    pub fn after(mut self, passed: &str) -> Self {
        self.offset += passed.len();
        let last = match passed.rsplit_once('\n') {
            Some((before, last)) => {
                self.line += before.matches('\n').count() + 1;
                self.column = 1;
                last
            }
            None => passed,
        };
        self.column += last.chars().count();
        self
    }

    /// Moves behind one character.
    pub(crate) fn pass(&mut self, c: char) {
        self.offset += c.len_utf8();
        if c == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
    }
}

/// A value and where it was written. Two are equal when their values are: a tree means the same wherever it stands.
#[derive(Clone, Copy, Debug)]
pub struct At<T> {
    /// What was written.
    pub value: T,
    /// Where it starts.
    pub position: Position,
}

/// A name as it was written, without its quotes.
pub type Ident = At<String>;

impl<T> At<T> {
    /// Puts a value at a place.
    pub fn new(value: T, position: Position) -> Self {
        Self { value, position }
    }
}

impl<T> From<T> for At<T> {
    /// For trees that are made, not parsed.
    fn from(value: T) -> Self {
        Self { value, position: Position::START }
    }
}

impl From<&str> for At<String> {
    fn from(value: &str) -> Self {
        value.to_owned().into()
    }
}

impl<T: PartialEq> PartialEq for At<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for At<T> {}
