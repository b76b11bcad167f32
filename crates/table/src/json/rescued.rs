//! What no column holds, and how it is written into `_rescued_data`.

use super::value::Name;

/// A value that is kept as source text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rescued<'a> {
    /// Where it stood in the record, as JSONPath; with `#2`, `#3`… for further values of a repeated name.
    pub path: String,
    /// The value as it stood.
    pub source: &'a str,
    /// The full name of the column that could not hold it, or of the one that is missing.
    pub column: String,
    /// The type of that column; none when there is no such column.
    pub column_type: Option<String>,
    /// Why it is not in a column.
    pub why: Why,
}

/// Why a value is in no column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// No column has the name.
    NoColumn,
    /// The column cannot hold it.
    Unfit,
    /// The column could hold it if it were as wide as Iceberg allows it to become.
    Narrow,
    /// The name is another spelling of this column, which another member of the object has got.
    Spelling(String),
}

/// A value that was left out because no column has its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored<'a> {
    /// The full name of the field.
    pub column: String,
    /// How many values of it there were.
    pub values: u64,
    /// The first of them as it stood.
    pub source: &'a str,
}

/// A member that landed in a column which is spelled differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Respelled {
    /// The column's full name.
    pub column: String,
    /// The name as the record has it, in full.
    pub spelled: String,
}

/// How a value's path stands in the text of `_rescued_data`, up to its end or, when it is the beginning of several
/// paths, as far as it goes: what a query looks for.
pub fn rescued_key(path: &str, is_whole: bool) -> String {
    let mut key = String::new();
    push_json_text(&mut key, path);
    if is_whole {
        key.push(':');
    } else {
        key.pop();
    }
    key
}

/// The text of `_rescued_data`: a JSON object from path to source text; none when nothing was rescued.
pub fn rescued_text(rescued: &[Rescued<'_>]) -> Option<String> {
    if rescued.is_empty() {
        return None;
    }
    let mut text = String::from("{");
    for (at, Rescued { path, source, .. }) in rescued.iter().enumerate() {
        if at > 0 {
            text.push_str(", ");
        }
        push_json_text(&mut text, path);
        text.push_str(": ");
        push_json_text(&mut text, source);
    }
    text.push('}');
    Some(text)
}

fn push_json_text(json: &mut String, text: &str) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            control if control < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => json.push(other),
        }
    }
    json.push('"');
}

/// The full name of what stands below a column.
pub(super) fn full_name(parent: &str, name: &Name<'_>) -> String {
    let name = match name {
        Name::Text(text) => text.as_ref(),
        Name::Unstorable(text) => text,
    };
    if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") }
}
