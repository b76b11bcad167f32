//! What must hold for any bytes at all: the checks behind the fuzz targets, and behind the test over the inputs that were
//! kept from them.

use std::io::{Cursor, Read};
use std::sync::Arc;

use hosu_collect::frame::{self, BUFFER_BYTES, Bounds, Buffers, Compression, Content, Given};
use hosu_collect::json::{Decoded, Decoder, Place, Pushed, Reject};
use hosu_table::evolve;
use hosu_table::json::{Inference, Limits, NESTING_MAX, parse};
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

/// Lines that are looked at for columns: it does not matter by which way, nor in how many parts, the columns are a schema,
/// and records with these columns bring no further ones.
pub fn inference(text: &[u8]) {
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let whole = inferred(&lines);
    let schema = table_of(&whole);
    assert_eq!(table_of(&inferred_plainly(&lines)), schema, "by way of trees");
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

/// A text that is taken apart into records. Its first byte says what it is said to be; the rest is the text. It does not matter in
/// what pieces it is read, and all of it is a record, a reject, or what may stand between records.
pub fn framing(text: &[u8]) {
    let Some((how, text)) = text.split_first() else { return };
    let given = given(*how);
    for record_bytes_max in [20, 1 << 20] {
        let whole = taken_apart(text, &given, (record_bytes_max, record_bytes_max, text.len().max(1)));
        for (chunk_bytes, read_bytes) in [(1, 1), (7, 100), (record_bytes_max, 3)] {
            let parts = taken_apart(text, &given, (record_bytes_max, chunk_bytes, read_bytes));
            assert_eq!(parts, whole, "records of {record_bytes_max}, chunks of {chunk_bytes}");
        }
        if let Some(apart) = whole.ok().filter(|apart| apart.is_plain) {
            check_all_is_there(text, &apart);
        }
    }
}

fn given(how: u8) -> Given {
    let (format, path) = match how % 8 {
        1 => ("ndjson", &[][..]),
        2 => ("json", &[][..]),
        3 => ("json", &["Records"][..]),
        4 => ("csv", &[][..]),
        5 => ("tsv", &[][..]),
        6 => ("json", &["a", "b"][..]),
        _ => ("auto", &[][..]),
    };
    let records_path = path.iter().map(|name| (*name).to_owned()).collect();
    Given { format: frame::Format::parse(format).expect("a format"), records_path }
}

/// What a text was taken apart into.
#[derive(Debug, PartialEq, Eq)]
struct Apart {
    content: Content,
    is_envelope: bool,
    is_plain: bool,
    /// How many bytes were left out before the text.
    begins: u64,
    pieces: Vec<Piece>,
}

/// A record, or a reject with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    byte_offset: u64,
    line_number: u64,
    bytes: Vec<u8>,
    reason: Option<String>,
}

impl From<Reject> for Piece {
    fn from(reject: Reject) -> Self {
        let Reject { record, reason, byte_offset, line_number } = reject;
        Self { byte_offset, line_number, bytes: record, reason: Some(reason) }
    }
}

/// Gives few bytes at a time.
struct Slow(Cursor<Vec<u8>>, usize);

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let bytes = buffer.len().min(self.1);
        self.0.read(&mut buffer[..bytes])
    }
}

/// The records and rejects of a text in their order, with sizes of: the longest record, a chunk, what is read at a time.
fn taken_apart(text: &[u8], given: &Given, sizes: (usize, usize, usize)) -> Result<Apart, String> {
    let (record_bytes_max, chunk_bytes, read_bytes) = sizes;
    let slow = Slow(Cursor::new(text.to_vec()), read_bytes);
    let bounds = Bounds { window_bytes_max: 1 << 20, text_bytes_max: Some(1 << 20) };
    let framed = frame::open(slow, given, BUFFER_BYTES, bounds).map_err(|error| error.to_string())?;
    let (compression, content, begins) = (framed.compression, framed.content, framed.skipped_bytes);
    let (is_envelope, is_plain) = (!framed.records_path.is_empty(), compression == Compression::None);
    let columns = Some(Arc::new(empty()));
    let mut chunks = framed.chunks(chunk_bytes, record_bytes_max, Buffers::new(chunk_bytes), columns);
    let mut pieces: Vec<Piece> = Vec::new();
    let told = |error| frame::read_error(compression, error).to_string();
    while let Some(chunk) = chunks.next_chunk().map_err(told)? {
        let first = pieces.len();
        for line in chunk.lines() {
            assert_eq!(chunk.rest_from(&line).lines().next(), Some(line));
            let (bytes, reason) = (line.bytes.to_vec(), None);
            pieces.push(Piece {
                byte_offset: line.byte_offset,
                line_number: line.line_number,
                bytes,
                reason,
            });
        }
        pieces.extend(chunk.rejects.into_iter().map(Piece::from));
        pieces[first..].sort_by_key(|piece| piece.byte_offset);
    }
    Ok(Apart { content, is_envelope, is_plain, begins, pieces })
}

/// Pieces are in order, stand where they say, and between them is nothing that should have been one.
fn check_all_is_there(text: &[u8], apart: &Apart) {
    let (content, pieces) = (apart.content, &apart.pieces);
    let is_table = matches!(content, Content::Csv | Content::Tsv);
    let mut before = usize::try_from(apart.begins).expect("an offset");
    let starts = pieces.iter().map(|piece| usize::try_from(piece.byte_offset).expect("an offset"));
    let ends = starts.clone().skip(1).chain([text.len()]);
    for (number, ((start, end), piece)) in starts.zip(ends).zip(pieces).enumerate() {
        assert!(before <= start && start <= end, "{piece:?} overlaps what is before it");
        let lines = text[..start].iter().filter(|byte| **byte == b'\n').count() as u64;
        assert_eq!(piece.line_number, lines + 1, "{piece:?}");
        if !is_table || number > 0 {
            check_between(&text[before..start], apart, piece);
        }
        before = match (&piece.reason, is_table) {
            (None, true) => {
                assert_eq!(cells_of(&text[start..end]), cells_of_object(&piece.bytes));
                end
            }
            (reason, _) => {
                assert!(text[start..end].starts_with(&piece.bytes), "{piece:?} is not what stands there");
                let bytes = reason.as_deref().and_then(bytes_in).unwrap_or(piece.bytes.len());
                assert!(start + bytes <= end, "{piece:?} goes on into the next");
                start + bytes
            }
        };
    }
    if let Some(last) = pieces.last().filter(|_| before < text.len()) {
        check_between(&text[before..], apart, last);
    }
    if pieces.is_empty() && content == Content::Ndjson {
        assert!(text[before..].trim_ascii().is_empty(), "no record of {text:?}");
    }
}

/// What stands between records is white space, and brackets and commas where they belong.
fn check_between(text: &[u8], apart: &Apart, piece: &Piece) {
    let is_json = apart.content == Content::Json;
    let may_be = |byte: &u8| byte.is_ascii_whitespace() || (is_json && b"[],".contains(byte));
    // Beside the records of an envelope there may be anything.
    let is_fine = apart.is_envelope || text.iter().all(may_be);
    assert!(is_fine, "{:?} at {piece:?}", String::from_utf8_lossy(text));
}

/// How many bytes a reject has of which only the first are kept.
fn bytes_in(reason: &str) -> Option<usize> {
    let (before, _) = reason.split_once(" bytes, of which the first ")?;
    before.rsplit(' ').next()?.parse().ok()
}

/// All bytes of the cells of a record, as many of each as there are. What may be a delimiter is not counted: which one is one
/// depends on the header.
fn cells_of(record: &[u8]) -> Vec<u8> {
    let is_cell = |byte: &u8| !b",;\t|\"\r\n".contains(byte);
    let mut bytes: Vec<u8> = record.iter().copied().filter(is_cell).collect();
    bytes.sort_unstable();
    bytes
}

fn cells_of_object(object: &[u8]) -> Vec<u8> {
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(object).unwrap_or_else(|error| panic!("{error}: {object:?}"));
    let texts: Vec<u8> =
        object.values().flat_map(|value| value.as_str().expect("a text").as_bytes()).copied().collect();
    cells_of(&texts)
}

fn inferred(lines: &[&[u8]]) -> Inference {
    let mut inference = Inference::new(Limits::default());
    lines.iter().for_each(|line| inference.observe_line(line));
    inference
}

fn inferred_plainly(lines: &[&[u8]]) -> Inference {
    let mut inference = Inference::new(Limits::default());
    lines.iter().filter_map(|line| parse(line).ok()).for_each(|record| inference.observe(&record));
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
