//! The sample data under the rules of this crate: what its README and the schemas promise is true.

use std::path::Path;

use hosu_table::json::{Inference, JsonKind, Landing, Limits, parse};
use hosu_table::{json_schema, rejects};
use iceberg::spec::Schema;

fn read(path: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).expect(path)
}

fn lines(sample: &str) -> Vec<Vec<u8>> {
    let bytes = read(&format!("sample-data/{sample}"));
    let bytes = bytes.strip_suffix(b"\n").expect("a line end at the end");
    bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// All lines land, with nothing rescued and no field that the schema lacks.
fn assert_fits(sample: &str, schema: &Schema) {
    let landing = Landing::new(schema).expect("a schema with rescued data");
    let mut unknown = Inference::new(Limits::default());
    for (at, line) in lines(sample).iter().enumerate() {
        let record = parse(line).expect("an object");
        let landed = landing.land(&record, &mut unknown).expect("a row");
        assert!(landed.rescued.is_empty(), "{sample} line {}: {:?}", at + 1, landed.rescued);
    }
    assert!(unknown.is_empty(), "{sample}: {:?}", unknown.additions(schema));
}

#[test]
fn good_samples_lose_nothing_with_inferred_columns() {
    for sample in ["game-events.ndjson", "cloudtrail.ndjson"] {
        let mut inference = Inference::new(Limits::default());
        for line in lines(sample) {
            inference.observe(&parse(&line).expect("an object"));
        }
        assert_fits(sample, &inference.schema().expect("a schema"));
    }
}

#[test]
fn good_samples_lose_nothing_with_the_columns_of_their_schemas() {
    for (sample, schema) in
        [("game-events.ndjson", "game-event.schema.json"), ("cloudtrail.ndjson", "cloudtrail.schema.json")]
    {
        let text = String::from_utf8(read(&format!("schemas/{schema}"))).expect("text");
        let columns = json_schema::parse(&text).expect(schema);
        assert_fits(sample, &rejects::with_rescued_data(&columns).expect("a schema"));
    }
}

#[test]
fn wrong_lines_are_as_many_as_the_readme_says() {
    let mut lines = lines("wrong-lines.ndjson");
    lines[0].drain(..3);
    let is_blank = |line: &&Vec<u8>| line.iter().all(u8::is_ascii_whitespace);
    let is_object =
        |line: &&Vec<u8>| parse(line).is_ok_and(|value| matches!(value.kind, JsonKind::Object(_)));
    let (all, blank) = (lines.len(), lines.iter().filter(is_blank).count());
    let rows = lines.iter().filter(is_object).count();
    let told =
        format!("{all} lines: {rows} become rows, {} are rejected, {blank} are blank", all - rows - blank);
    let readme = String::from_utf8(read("sample-data/README.md")).expect("text");
    assert!(readme.contains(&told), "sample-data/README.md should say: {told}");
}
