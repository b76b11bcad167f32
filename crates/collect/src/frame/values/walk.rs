//! One JSON value on the way to its end: brackets and texts, nothing else.

/// A value that has begun.
#[derive(Debug, Default)]
pub(in crate::frame) struct Walk {
    depth: usize,
    in_text: bool,
    escaped: bool,
    has_begun: bool,
}

/// What the next bytes are to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::frame) enum Looked {
    /// It ends behind so many of them.
    Ends(usize),
    /// A line ends within a text, behind so many of them: no JSON.
    Broken(usize),
    /// All of them belong to it.
    Goes,
}

impl Walk {
    /// Looks at the next bytes of the value. A number or word ends before what cannot belong to it.
    pub(in crate::frame) fn look(&mut self, bytes: &[u8]) -> Looked {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if self.in_text {
                let rest = bytes.get(at..).unwrap_or_default();
                if std::mem::take(&mut self.escaped) {
                    at += 1;
                    continue;
                }
                let Some(next) = memchr::memchr3(b'"', b'\\', b'\n', rest) else { return Looked::Goes };
                at += next + 1;
                match rest.get(next) {
                    Some(b'\\') => self.escaped = true,
                    Some(b'"') => self.in_text = false,
                    _ => return Looked::Broken(at - 1),
                }
                if !self.in_text && self.depth == 0 {
                    return Looked::Ends(at);
                }
                continue;
            }
            match byte {
                b'"' if self.depth > 0 || !self.has_begun => self.in_text = true,
                b'{' | b'[' if self.depth > 0 || !self.has_begun => self.depth += 1,
                b'}' | b']' if self.depth == 1 => return Looked::Ends(at + 1),
                b'}' | b']' if self.depth > 1 => self.depth -= 1,
                b',' | b'{' | b'[' | b'}' | b']' | b'"' | b' ' | b'\t' | b'\r' | b'\n' if self.depth == 0 => {
                    return Looked::Ends(at);
                }
                _ => {}
            }
            self.has_begun = true;
            at += 1;
        }
        Looked::Goes
    }

    /// Whether the value is whole where the text ends: a number or a word.
    pub(in crate::frame) fn is_whole(&self) -> bool {
        self.has_begun && self.depth == 0 && !self.in_text
    }
}

/// The name of a member and where its value begins, of bytes that begin with the name's quote; none before both are there.
pub(in crate::frame) fn member(bytes: &[u8]) -> Option<(String, usize)> {
    let mut walk = Walk::default();
    let Looked::Ends(end) = walk.look(bytes) else { return None };
    let name = serde_json::from_slice(bytes.get(..end)?).ok()?;
    let colon = end + skip_blank(bytes.get(end..)?);
    if bytes.get(colon) != Some(&b':') {
        return None;
    }
    let value = colon + 1 + skip_blank(bytes.get(colon + 1..)?);
    (value < bytes.len()).then_some((name, value))
}

/// How many of the bytes are JSON's white space.
pub(in crate::frame) fn skip_blank(bytes: &[u8]) -> usize {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    bytes.iter().position(|byte| !is_blank(byte)).unwrap_or(bytes.len())
}
