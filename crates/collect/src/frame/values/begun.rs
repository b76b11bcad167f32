//! Where a record began, and how the line is known where the next one does.

/// Where a record began.
#[derive(Clone, Debug, Default)]
pub(super) struct Begun {
    pub at: u64,
    pub line_number: u64,
    /// The white space before it; empty when something else of its line is before it.
    pub indent: Vec<u8>,
    pub begins_line: bool,
    /// Its beginning, once it is not kept whole.
    pub head: Vec<u8>,
}

/// Where the next line begins that has this white space and then a `{`.
pub(super) fn next_of_line(bytes: &[u8], indent: &[u8]) -> Option<usize> {
    let begins = |at: &usize| {
        let line = bytes.get(at + 1..).unwrap_or_default();
        line.strip_prefix(indent).is_some_and(|line| line.starts_with(b"{"))
    };
    memchr::memchr_iter(b'\n', bytes).find(begins).map(|at| at + 1)
}

/// The bytes without a last line that has only begun, of which [`next_of_line`] cannot say anything yet.
pub(super) fn certain<'a>(bytes: &'a [u8], indent: &[u8]) -> &'a [u8] {
    let Some(last) = memchr::memrchr(b'\n', bytes) else { return bytes };
    let line = bytes.get(last + 1..).unwrap_or_default();
    if indent.starts_with(line) { bytes.get(..last).unwrap_or_default() } else { bytes }
}
