use std::io::Cursor;
use std::sync::Arc;

use iceberg::spec::{NestedField, PrimitiveType, Schema, Type};
use proptest::prelude::*;

use super::*;

/// A record or a reject: where it stands, the line, what is there, and the reason of a reject.
type Told = (u64, u64, String, String);

/// Gives few bytes at a time.
struct Slow(Cursor<Vec<u8>>, usize);

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(self.1);
        self.0.read(buffer.get_mut(..count).unwrap())
    }
}

fn read_as(
    text: &[u8],
    delimiter: u8,
    sizes: (usize, usize, usize),
    schema: Option<SchemaRef>,
) -> Result<Vec<Told>, String> {
    let (chunk_bytes, read_bytes, line_bytes_max) = sizes;
    let (buffers, ending) = (Buffers::new(chunk_bytes), Ending::default());
    let cutting = Cutting { chunk_bytes, line_bytes_max, buffers, ending };
    let text = Slow(Cursor::new(text.to_vec()), read_bytes);
    let mut csv = Csv::new(text, delimiter, 0, cutting, schema);
    let mut all = Vec::new();
    while let Some(chunk) = csv.next_chunk().map_err(|error| error.to_string())? {
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        for line in chunk.lines() {
            assert_eq!(chunk.rest_from(&line).lines().next(), Some(line));
            all.push((line.byte_offset, line.line_number, lossy(line.bytes), String::new()));
        }
        for reject in chunk.rejects {
            all.push((reject.byte_offset, reject.line_number, lossy(&reject.record), reject.reason));
        }
    }
    all.sort();
    Ok(all)
}

fn schema() -> SchemaRef {
    let columns = [
        ("a", PrimitiveType::Long),
        ("b", PrimitiveType::String),
        ("C", PrimitiveType::Boolean),
        ("d", PrimitiveType::Decimal { precision: 10, scale: 2 }),
    ];
    let fields = columns
        .into_iter()
        .zip(1..)
        .map(|((name, primitive), id)| NestedField::optional(id, name, Type::Primitive(primitive)).into());
    Arc::new(Schema::builder().with_fields(fields).build().unwrap())
}

const AT_ONCE: (usize, usize, usize) = (1 << 20, 1 << 20, 1 << 20);

/// The records as they stand in the chunks, for a table.
fn objects(text: &str) -> Vec<String> {
    let all = read_as(text.as_bytes(), b',', AT_ONCE, Some(schema())).unwrap();
    all.into_iter().map(|(_, _, record, reason)| if reason.is_empty() { record } else { reason }).collect()
}

fn sampled(text: &str) -> Vec<String> {
    let all = read_as(text.as_bytes(), b',', AT_ONCE, None).unwrap();
    all.into_iter().map(|(_, _, record, _)| record).collect()
}

#[test]
fn a_cell_is_written_for_its_column_and_never_changed() {
    assert_eq!(
        objects(
            "a,b,c,new\n12,34,true,5\n007,x,True,\n,\"\",,\"\"\n1e3,\"say \"\"hi\"\"\r\nthere\",false,\\\t\n"
        ),
        [
            r#"{"a":12,"b":"34","c":true,"new":"5"}"#,
            r#"{"a":"007","b":"x","c":"True"}"#,
            r#"{"b":"","new":""}"#,
            r#"{"a":1e3,"b":"say \"hi\"\r\nthere","c":false,"new":"\\\t"}"#,
        ]
    );
    assert_eq!(
        objects("A,D\n1,012.5\n2,-0.50\n3,.5\n"),
        [r#"{"A":1,"D":"012.5"}"#, r#"{"A":2,"D":-0.50}"#, r#"{"A":3,"D":".5"}"#]
    );
}

#[test]
fn a_sample_makes_numbers_of_nothing_but_numbers() {
    assert_eq!(
        sampled("n,zip,flag,late\n1,01234,true,\n-2.5,98765,false,7\n,,,\n"),
        [r#"{"n":1,"zip":"01234","flag":true}"#, r#"{"n":-2.5,"zip":"98765","flag":false,"late":7}"#, "{}"]
    );
    for text in ["+1", " 1", "1 ", "1_000", "1.", ".5", "1e", "NaN", "0x1", "-", "1,5", "١"] {
        let json = serde_json::to_string(text).unwrap();
        assert_eq!(
            sampled(&format!("a\n1\n\"{text}\"\n")),
            [r#"{"a":"1"}"#.to_owned(), format!("{{\"a\":{json}}}")]
        );
    }
}

#[test]
fn what_is_no_record_is_rejected_where_it_stands() {
    let text = b"a,b\r\n1,x\r\n\r\n2\r\n\"3\"4,y\r\n5,\xff\r\n6,\"never\r\n7,z";
    let all = read_as(text, b',', AT_ONCE, Some(schema())).unwrap();
    let told =
        |offset, line, record: &str, reason: &str| (offset, line, record.to_owned(), reason.to_owned());
    assert_eq!(
        all,
        [
            told(5, 2, r#"{"a":1,"b":"x"}"#, ""),
            told(12, 4, "2", "csv: 1 field, the header has 2"),
            told(15, 5, "\"3\"4,y", "csv: a field goes on behind its closing quote"),
            told(23, 6, "5,\u{fffd}", "csv: it is not UTF-8"),
            told(28, 7, "6,\"never", "csv: a quote is never closed"),
            told(38, 8, r#"{"a":7,"b":"z"}"#, ""),
        ]
    );
}

#[test]
fn tabs_separate_the_fields_of_tsv() {
    let all = read_as(b"a\tb\n1\tx,y\n2\n", b'\t', AT_ONCE, Some(schema())).unwrap();
    let told: Vec<_> = all.iter().map(|told| (told.2.as_str(), told.3.as_str())).collect();
    assert_eq!(told, [(r#"{"a":1,"b":"x,y"}"#, ""), ("2", "tsv: 1 field, the header has 2")]);
}

#[test]
fn records_have_a_longest_length() {
    let long = "x".repeat(50);
    let text = format!("a,b\n1,{long}\n2,\"{}\n3,y\n", "q\n".repeat(30));
    let all = read_as(text.as_bytes(), b',', (8, 3, 20), Some(schema())).unwrap();
    let reasons: Vec<_> = all.iter().map(|told| told.3.as_str()).collect();
    assert_eq!(
        reasons[..2],
        [
            "the line is too long: 52 bytes, of which the first 20 are kept here",
            "csv: a quote is not closed within 20 bytes"
        ]
    );
    assert_eq!(all[1].2, "2,\"q");
    assert_eq!(all.last().unwrap().2, r#"{"a":3,"b":"y"}"#);
}

#[test]
fn a_header_names_each_column_once() {
    let refused = |text: &str| read_as(text.as_bytes(), b',', AT_ONCE, None).unwrap_err();
    assert_eq!(refused("a,b,a\n1,2,3\n"), "it has the column `a` twice");
    assert_eq!(refused(",,\n1,2,3\n"), "it names no column");
    assert_eq!(refused("\"a\"b,c\n"), "a field goes on behind its closing quote");
    assert_eq!(refused("\"a\n"), "csv: a quote is never closed");
    assert!(read_as(b"", b',', AT_ONCE, None).unwrap().is_empty());
    assert_eq!(refused("a,b\r1,2\r"), "its lines end with CR alone, not with LF or CRLF");
    assert_eq!(sampled("\n\n\"a \"\"b\"\"\"\n1"), [r#"{"a \"b\"":1}"#]);
}

#[test]
fn a_header_without_a_comma_says_what_stands_between_fields() {
    let expected = [r#"{"a":1,"b c":"x,y;z\t|"}"#];
    for delimiter in [";", "\t", "|"] {
        let text = "\na;\"b c\"\n1;\"x,y;z\t|\"\n".replacen(';', delimiter, 1).replacen(
            "1;",
            &format!("1{delimiter}"),
            1,
        );
        assert_eq!(sampled(&text), expected, "{text}");
        assert_eq!(sampled(&text.replace('\n', "\r\n")), expected, "{text}");
    }
    assert_eq!(sampled("\"a\";\"b\"\n1,5;2\n"), [r#"{"a":"1,5","b":2}"#]);
    assert_eq!(sampled("a;b|c;d\n1;2|3;4\n"), [r#"{"a":1,"b|c":"2|3","d":4}"#]);
    assert_eq!(sampled("a,b;c\n1,2;3\n"), [r#"{"a":1,"b;c":"2;3"}"#]);
    assert_eq!(sampled("\"a;b\"\n1\n"), [r#"{"a;b":1}"#]);
    let ragged = read_as(b"a;b\n1\n", b',', AT_ONCE, None).unwrap();
    assert_eq!(ragged[0].3, "csv: 1 field, the header has 2");
    assert_eq!(read_as(b"a;b\n1;2\n", b'\t', AT_ONCE, None).unwrap()[0].2, r#"{"a;b":"1;2"}"#);
}

/// One value of each field, or none: as RFC 4180 reads it, a byte after the other.
fn reference(text: &str) -> Vec<Vec<Option<String>>> {
    let (mut records, mut record, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' => {
                quoted = true;
                while let Some(inside) = chars.next() {
                    if inside == '"' && chars.next_if_eq(&'"').is_none() {
                        break;
                    }
                    field.push(inside);
                }
            }
            ',' | '\n' => {
                let value = std::mem::take(&mut field);
                record.push((std::mem::take(&mut quoted) || !value.is_empty()).then_some(value));
                if char == '\n' {
                    records.push(std::mem::take(&mut record));
                }
            }
            '\r' if chars.peek() == Some(&'\n') => {}
            char => field.push(char),
        }
    }
    records.retain(|record: &Vec<_>| *record != [None]);
    records
}

fn cell() -> impl Strategy<Value = String> {
    let quoted = "[a,\"\r\n{é]{0,6}".prop_map(|text| format!("\"{}\"", text.replace('"', "\"\"")));
    prop_oneof!["[a1é\\\\{]{0,3}", quoted]
}

proptest! {
    #[test]
    fn whole_records_are_read_as_the_reference_reads_them(
        rows in prop::collection::vec((cell(), cell(), prop::bool::ANY), 0..12),
        chunk_bytes in 1_usize..64,
        read_bytes in 1_usize..64,
    ) {
        let lines = rows.iter().map(|(a, b, cr)| format!("{a},{b}{}\n", if *cr { "\r" } else { "" }));
        let text = format!("x,y\n{}", lines.collect::<String>());
        let all = read_as(text.as_bytes(), b',', (chunk_bytes, read_bytes, 1 << 20), Some(schema())).unwrap();
        let expected: Vec<serde_json::Value> = reference(&text).into_iter().skip(1).map(|record| {
            let fields = ["x", "y"].into_iter().zip(record);
            fields.filter_map(|(name, value)| Some((name.to_owned(), serde_json::Value::from(value?)))).collect()
        }).collect();
        let read: Vec<serde_json::Value> = all.iter().map(|told| serde_json::from_str(&told.2).unwrap()).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn any_text_is_read_the_same_in_whatever_pieces(
        text in prop::collection::vec(prop::sample::select(b"aa1,,\"\"\r\n\n\xff".to_vec()), 0..80),
        chunk_bytes in 1_usize..64,
        read_bytes in 1_usize..64,
        line_bytes_max in 1_usize..40,
    ) {
        let text = [b"x,y\n".to_vec(), text].concat();
        let whole = read_as(&text, b',', (1 << 10, 1 << 10, line_bytes_max), Some(schema()));
        let pieces = read_as(&text, b',', (chunk_bytes, read_bytes, line_bytes_max), Some(schema()));
        prop_assert_eq!(whole, pieces);
    }
}
