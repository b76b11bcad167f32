//! What must hold for any bytes at all: the checks behind the fuzz targets, and behind the test over the inputs that were
//! kept from them.

use hosu_collect::json::{Decoded, Decoder, Place, Pushed};
use hosu_table::evolve;
use hosu_table::json::{Inference, JsonKind, Limits, NESTING_MAX, parse};
use hosu_table::rejects::with_rescued_data;
use iceberg::spec::Schema;
use serde::de::IgnoredAny;

/// Lines into a table that has a column for each of them, and into one that has none for the second half: both ways of
/// decoding make the same of each, and what is a record is what RFC 8259 says.
pub fn decoding(text: &[u8]) {
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let (known, _) = lines.split_at(lines.len() / 2);
    for sample in [&lines[..], known] {
        let schema = table_of(&inferred(sample));
        let plain = decoded(Decoder::plain(&schema).expect("a decoder"), &lines);
        let short = decoded(Decoder::new(&schema).expect("a decoder"), &lines);
        assert_eq!(plain.batch, short.batch);
        assert_eq!(plain.rejects, short.rejects);
        assert_eq!(plain.rescued.total(), short.rescued.total());
        assert_eq!(plain.rescued.columns(), short.rescued.columns());
        assert_eq!(plain.unknown.additions(&schema), short.unknown.additions(&schema));
        short
            .batch
            .columns()
            .iter()
            .for_each(|column| column.to_data().validate_full().expect("a sound array"));
    }
}

/// Lines that are looked at for columns: it does not matter in how many parts, the columns are a schema, and records with
/// these columns bring no further ones.
pub fn inference(text: &[u8]) {
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let whole = inferred(&lines);
    let schema = table_of(&whole);
    for at in [1, lines.len() / 2, lines.len().saturating_sub(1)] {
        let (first, second) = lines.split_at(at.min(lines.len()));
        let mut parts = inferred(first);
        parts.merge(inferred(second));
        assert_eq!(table_of(&parts), schema, "in parts of {at} and more lines");
    }
    assert_eq!(whole.additions(&schema), []);
    let grown =
        evolve::add_fields(&schema, schema.highest_field_id(), &whole.additions(&empty())).expect("a schema");
    assert!(!grown.changed, "the same columns again change nothing");
    let decoded = decoded(Decoder::new(&schema).expect("a decoder"), &lines);
    assert_eq!(decoded.unknown.additions(&schema), []);
}

fn inferred(lines: &[&[u8]]) -> Inference {
    let mut inference = Inference::new(Limits::default());
    for line in lines {
        if let Ok(value) = parse(line)
            && matches!(value.kind, JsonKind::Object(_))
        {
            inference.observe(&value);
        }
    }
    inference
}

fn table_of(inference: &Inference) -> Schema {
    with_rescued_data(&inference.schema().expect("a schema")).expect("a schema")
}

fn empty() -> Schema {
    with_rescued_data(&Schema::builder().build().expect("a schema")).expect("a schema")
}

fn decoded(mut decoder: Decoder, lines: &[&[u8]]) -> Decoded {
    for (line, line_number) in lines.iter().zip(1..) {
        let pushed = decoder.push(line, Place { byte_offset: 0, line_number }).expect("room");
        let expected = match (line.trim_ascii().is_empty(), is_record(line)) {
            // A form feed is white space to Rust and none in JSON.
            (true, _) if !line.contains(&0x0c) => Pushed::Blank,
            (_, true) => Pushed::Row,
            (_, false) => Pushed::Rejected,
        };
        assert_eq!(pushed, expected, "{}", String::from_utf8_lossy(line));
    }
    decoder.finish().expect("a batch")
}

/// Whether a line is a JSON object as another parser sees it. (Of texts that it passes over it looks at escapes, and not at
/// whether they are UTF-8.)
fn is_record(line: &[u8]) -> bool {
    let is_json = std::str::from_utf8(line).is_ok() && serde_json::from_slice::<IgnoredAny>(line).is_ok();
    is_json && line.trim_ascii_start().starts_with(b"{") && nesting(line) <= NESTING_MAX
}

/// How many arrays and objects of a JSON text stand inside each other.
fn nesting(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => depth += 1,
            b'}' | b']' if !in_text => depth -= 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}
