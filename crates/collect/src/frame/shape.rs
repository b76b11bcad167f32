//! What JSON a text holds, by its beginning: a record a line, or records that stand otherwise.
//!
//! Lines are what is most common and what survives damage best: a text is taken for something else only where that is certain, so
//! that a first line that is broken is a reject and no other shape.

use hosu_table::json::{JsonErrorKind, parse};

use super::values::{Looked, Walk, member, skip_blank};

/// The field of AWS's envelopes: of CloudTrail's files, for example.
const ENVELOPE: &str = "Records";

/// How records stand in a text that is no record a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Lines,
    /// In arrays, or one after another.
    Values,
    /// In the array of this field.
    Envelope(&'static str),
}

/// The shape of a text that begins with `head`.
pub(super) fn shape_of(head: &[u8]) -> Shape {
    let text = head.get(skip_blank(head)..).unwrap_or_default();
    match text.first() {
        Some(b'[') if begins_records(text) => Shape::Values,
        Some(b'{') if begins_envelope(text) => Shape::Envelope(ENVELOPE),
        Some(b'{') if is_no_line(text) => Shape::Values,
        _ => Shape::Lines,
    }
}

/// Whether an array begins whose first element is an object, or that is empty.
fn begins_records(array: &[u8]) -> bool {
    let inside = array.get(1..).unwrap_or_default();
    matches!(inside.get(skip_blank(inside)), None | Some(b'{' | b']'))
}

fn begins_envelope(object: &[u8]) -> bool {
    let inside = object.get(1..).unwrap_or_default();
    let inside = inside.get(skip_blank(inside)..).unwrap_or_default();
    let Some((name, value_at)) = member(inside).filter(|_| inside.first() == Some(&b'"')) else {
        return false;
    };
    let value = inside.get(value_at..).unwrap_or_default();
    name == ENVELOPE && value.first() == Some(&b'[') && begins_records(value)
}

/// Whether the first object goes on over the end of its line, or shares it with another one.
fn is_no_line(text: &[u8]) -> bool {
    match Walk::default().look(text) {
        Looked::Ends(length) => {
            let (object, rest) = text.split_at(length);
            let next = rest.iter().find(|byte| !matches!(byte, b' ' | b'\t'));
            (object.contains(&b'\n') || next == Some(&b'{')) && parse(object).is_ok()
        }
        Looked::Goes => {
            // As far as whole lines go: half a character is no sign of anything.
            let Some(end) = memchr::memrchr(b'\n', text) else { return false };
            let lines = text.get(..end).unwrap_or_default();
            matches!(parse(lines), Err(error) if matches!(error.kind, JsonErrorKind::Ends { .. }))
        }
        Looked::Broken(_) => false,
    }
}
