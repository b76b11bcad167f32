//! Where a record of CSV ends, and where its fields stand in it (RFC 4180). Nothing is copied here.

/// A field of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    /// Its first byte, behind the quote of a quoted one.
    pub start: usize,
    /// The byte behind its last.
    pub end: usize,
    pub quoted: bool,
    /// Whether a quote stands in it, written twice.
    pub doubled: bool,
}

/// What bytes begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// A record; `length` counts its line end, `content` does not.
    Record { length: usize, content: usize, fault: Option<&'static str> },
    /// The beginning of one.
    Incomplete,
}

/// What stands behind a field.
enum Next {
    Field(usize),
    Parsed(Parsed),
}

/// Finds the first record and its fields. `ended` says that nothing follows the bytes: what is incomplete then is in
/// quotes that are never closed.
pub(super) fn parse(bytes: &[u8], delimiter: u8, ended: bool, cells: &mut Vec<Cell>) -> Parsed {
    cells.clear();
    let mut at = 0;
    loop {
        let next = if bytes.get(at) == Some(&b'"') {
            quoted(bytes, at + 1, delimiter, ended, cells)
        } else {
            plain(bytes, at, delimiter, ended, cells)
        };
        match next {
            Next::Field(start) => at = start,
            Next::Parsed(parsed) => return parsed,
        }
    }
}

fn plain(bytes: &[u8], start: usize, delimiter: u8, ended: bool, cells: &mut Vec<Cell>) -> Next {
    let rest = bytes.get(start..).unwrap_or_default();
    let found = memchr::memchr2(delimiter, b'\n', rest).map(|at| start + at);
    let mut push = |end| cells.push(Cell { start, end, quoted: false, doubled: false });
    match found {
        Some(at) if bytes.get(at) == Some(&delimiter) => {
            push(at);
            Next::Field(at + 1)
        }
        None if !ended => Next::Parsed(Parsed::Incomplete),
        _ => {
            let end = found.unwrap_or(bytes.len());
            let content = without_cr(bytes, start, end);
            push(content);
            Next::Parsed(Parsed::Record { length: end + usize::from(found.is_some()), content, fault: None })
        }
    }
}

fn quoted(bytes: &[u8], start: usize, delimiter: u8, ended: bool, cells: &mut Vec<Cell>) -> Next {
    let (mut at, mut doubled) = (start, false);
    let end = loop {
        let Some(quote) = memchr::memchr(b'"', bytes.get(at..).unwrap_or_default()).map(|quote| at + quote)
        else {
            return Next::Parsed(Parsed::Incomplete);
        };
        match bytes.get(quote + 1) {
            Some(b'"') => (at, doubled) = (quote + 2, true),
            None if !ended => return Next::Parsed(Parsed::Incomplete),
            _ => break quote,
        }
    };
    cells.push(Cell { start, end, quoted: true, doubled });
    let record = |length| Next::Parsed(Parsed::Record { length, content: end + 1, fault: None });
    match (bytes.get(end + 1).copied(), bytes.get(end + 2)) {
        (Some(byte), _) if byte == delimiter => Next::Field(end + 2),
        (None, _) => record(end + 1),
        (Some(b'\n'), _) => record(end + 2),
        (Some(b'\r'), None) if ended => record(end + 2),
        (Some(b'\r'), Some(b'\n')) => record(end + 3),
        (Some(b'\r'), None) => Next::Parsed(Parsed::Incomplete),
        _ => Next::Parsed(faulty(bytes, end + 1, ended)),
    }
}

/// A field that goes on behind its closing quote: the record is what is left of the line.
fn faulty(bytes: &[u8], from: usize, ended: bool) -> Parsed {
    let found = memchr::memchr(b'\n', bytes.get(from..).unwrap_or_default()).map(|at| from + at);
    if found.is_none() && !ended {
        return Parsed::Incomplete;
    }
    let end = found.unwrap_or(bytes.len());
    let (length, content) = (end + usize::from(found.is_some()), without_cr(bytes, from, end));
    Parsed::Record { length, content, fault: Some("a field goes on behind its closing quote") }
}

/// The end of a line without the CR before it.
fn without_cr(bytes: &[u8], start: usize, end: usize) -> usize {
    end - usize::from(bytes.get(start..end).is_some_and(|line| line.ends_with(b"\r")))
}
