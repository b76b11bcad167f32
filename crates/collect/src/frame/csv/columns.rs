//! A record of CSV as a JSON object: which cells are numbers, and how a text is written. No value is changed: what is
//! not a number as JSON spells it stays the text that it is.

use std::collections::{HashMap, HashSet};

use iceberg::spec::{PrimitiveType, Schema, Type};

use super::record::Cell;

/// A column of the header.
#[derive(Debug)]
pub(super) struct Column {
    /// `"name":`
    key: Vec<u8>,
    kind: Kind,
}

/// How the cells of a column are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Not known yet; as texts until then.
    Undecided,
    Number,
    Boolean,
    Text,
}

/// What the cells of a column have been so far.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    any: bool,
    only_numbers: bool,
    only_booleans: bool,
}

impl Default for Seen {
    fn default() -> Self {
        Self { any: false, only_numbers: true, only_booleans: true }
    }
}

/// The columns that a header names.
///
/// # Errors
/// Why they cannot be.
pub(super) fn of_header(
    header: &str,
    cells: &[Cell],
    schema: Option<&Schema>,
) -> Result<Vec<Column>, String> {
    let names = cells.iter().map(|cell| name_of(header, cell)).collect::<Vec<_>>();
    if names.iter().all(String::is_empty) {
        return Err("it names no column".to_owned());
    }
    if cells.iter().zip(&names).any(|(cell, name)| !cell.quoted && name.contains('\r')) {
        return Err("its lines end with CR alone, not with LF or CRLF".to_owned());
    }
    let mut known = HashSet::new();
    if let Some(twice) = names.iter().find(|name| !known.insert(name.as_str())) {
        return Err(format!("it has the column `{twice}` twice"));
    }
    let kinds = schema.map(kinds_of);
    let column = |name: &String| {
        let mut key = Vec::new();
        push_text(name.as_bytes(), false, &mut key);
        key.push(b':');
        let known = |kinds: &HashMap<String, Kind>| {
            kinds.get(name).or_else(|| kinds.get(&name.to_lowercase())).copied().unwrap_or(Kind::Text)
        };
        Column { key, kind: kinds.as_ref().map_or(Kind::Undecided, known) }
    };
    Ok(names.iter().map(column).collect())
}

/// What stands between the names of a header that has no comma; none when that has only one name.
pub(super) fn delimiter_of(header: &[u8]) -> Option<u8> {
    const OTHERS: [u8; 3] = *b";\t|";
    let (mut counts, mut in_quotes) = ([0_usize; OTHERS.len()], false);
    for byte in header {
        match byte {
            b'"' => in_quotes = !in_quotes,
            b',' if !in_quotes => return None,
            byte if !in_quotes => {
                let count = OTHERS.iter().zip(&mut counts).find(|(other, _)| *other == byte);
                count.into_iter().for_each(|(_, count)| *count += 1);
            }
            _ => {}
        }
    }
    // Of equally many the first.
    let most = OTHERS.into_iter().zip(counts).rev().max_by_key(|(_, count)| *count)?;
    (most.1 > 0).then_some(most.0)
}

fn name_of(header: &str, cell: &Cell) -> String {
    let name = header.get(cell.start..cell.end).unwrap_or_default();
    if cell.doubled { name.replace("\"\"", "\"") } else { name.to_owned() }
}

/// How cells are written for the columns of a table, by their names and by the names without regard to case.
fn kinds_of(schema: &Schema) -> HashMap<String, Kind> {
    let fields = schema.as_struct().fields();
    let mut kinds = HashMap::new();
    for field in fields {
        kinds.entry(field.name.to_lowercase()).or_insert(kind_of(&field.field_type));
    }
    kinds.extend(fields.iter().map(|field| (field.name.clone(), kind_of(&field.field_type))));
    kinds
}

fn kind_of(column_type: &Type) -> Kind {
    match column_type {
        Type::Primitive(PrimitiveType::Boolean) => Kind::Boolean,
        Type::Primitive(
            PrimitiveType::Int
            | PrimitiveType::Long
            | PrimitiveType::Float
            | PrimitiveType::Double
            | PrimitiveType::Decimal { .. },
        ) => Kind::Number,
        _ => Kind::Text,
    }
}

/// Whether it is not known of some column what its cells are.
pub(super) fn are_undecided(columns: &[Column]) -> bool {
    columns.iter().any(|column| column.kind == Kind::Undecided)
}

/// Looks at the cells of a record.
pub(super) fn observe(seen: &mut [Seen], record: &[u8], cells: &[Cell]) {
    for (seen, cell) in seen.iter_mut().zip(cells).filter(|(_, cell)| cell.start < cell.end) {
        let bytes = record.get(cell.start..cell.end).unwrap_or_default();
        seen.any = true;
        seen.only_numbers = seen.only_numbers && is_number(bytes);
        seen.only_booleans = seen.only_booleans && is_boolean(bytes);
    }
}

/// Decides for the columns of which cells were seen.
pub(super) fn decide(columns: &mut [Column], seen: &[Seen]) {
    let undecided = columns.iter_mut().zip(seen).filter(|(column, _)| column.kind == Kind::Undecided);
    for (column, seen) in undecided.filter(|(_, seen)| seen.any) {
        column.kind = match (seen.only_numbers, seen.only_booleans) {
            (true, _) => Kind::Number,
            (_, true) => Kind::Boolean,
            _ => Kind::Text,
        };
    }
}

/// Writes a record as a JSON object; an empty cell without quotes is no value.
pub(super) fn push_object(columns: &[Column], record: &[u8], cells: &[Cell], out: &mut Vec<u8>) {
    out.push(b'{');
    let mut first = true;
    for (column, cell) in columns.iter().zip(cells).filter(|(_, cell)| cell.quoted || cell.start < cell.end) {
        if !std::mem::replace(&mut first, false) {
            out.push(b',');
        }
        out.extend_from_slice(&column.key);
        let bytes = record.get(cell.start..cell.end).unwrap_or_default();
        let is_bare = match column.kind {
            Kind::Number => is_number(bytes),
            Kind::Boolean => is_boolean(bytes),
            Kind::Text | Kind::Undecided => false,
        };
        if is_bare {
            out.extend_from_slice(bytes);
        } else {
            push_text(bytes, cell.doubled, out);
        }
    }
    out.push(b'}');
}

/// Writes a JSON string; of quotes that are written twice, one.
fn push_text(text: &[u8], doubled: bool, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, 0..0x20 | b'"' | b'\\')) {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((byte, behind)) = special.split_first() else { break };
        rest = behind;
        match byte {
            b'"' | b'\\' => {
                out.extend_from_slice(&[b'\\', *byte]);
                if *byte == b'"' && doubled {
                    rest = rest.strip_prefix(b"\"").unwrap_or(rest);
                }
            }
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            byte => {
                let digit = |digit: u8| HEX.get(usize::from(digit)).copied().unwrap_or(b'0');
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 0xf)]);
            }
        }
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

fn is_boolean(bytes: &[u8]) -> bool {
    matches!(bytes, b"true" | b"false")
}

/// Whether it is a number as JSON spells it.
fn is_number(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let (integer, mut rest) = digits(bytes);
    if integer.is_empty() || (integer.len() > 1 && integer.starts_with(b"0")) {
        return false;
    }
    if let Some(fraction) = rest.strip_prefix(b".") {
        let (fraction, behind) = digits(fraction);
        if fraction.is_empty() {
            return false;
        }
        rest = behind;
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = match exponent {
            [b'+' | b'-', unsigned @ ..] => unsigned,
            unsigned => unsigned,
        };
        let (exponent, behind) = digits(exponent);
        return !exponent.is_empty() && behind.is_empty();
    }
    rest.is_empty()
}

fn digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    bytes.split_at(end)
}
