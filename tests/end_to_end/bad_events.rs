//! Input that breaks programs: each piece of it lands, is rescued or rejected as docs/unchanged.md says, beside good events that
//! all land, and memory does not grow with it.

use std::fs;
use std::io::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::memory::{INGEST_MIB, within};
use super::{Place, say};

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// All of it is in the columns.
    Lands,
    /// It is a row, and something of it is in `_rescued_data`.
    Rescued,
    Rejected,
}
use Fate::{Lands, Rejected, Rescued};

/// Each beside an `id`, into columns `n: bigint`, `x: double` and `t: varchar`.
const LINES: &[(&[u8], Fate)] = &[
    (br#"{"id":ID,"n":1,"x":0.5,"t":"a"}"#, Lands),
    // Numbers.
    (br#"{"id":ID,"n":-0}"#, Lands),
    (br#"{"id":ID,"n":9223372036854775807}"#, Lands),
    (br#"{"id":ID,"n":9223372036854775808}"#, Rescued),
    (br#"{"id":ID,"n":-9223372036854775808}"#, Lands),
    (br#"{"id":ID,"n":-9223372036854775809}"#, Rescued),
    (br#"{"id":ID,"x":-0.0}"#, Lands),
    (br#"{"id":ID,"x":1e400}"#, Rescued),
    (br#"{"id":ID,"x":1e-400}"#, Lands),
    (br#"{"id":ID,"x":NaN}"#, Rejected),
    (br#"{"id":ID,"x":Infinity}"#, Rejected),
    (br#"{"id":ID,"n":01}"#, Rejected),
    (br#"{"id":ID,"n":0x10}"#, Rejected),
    (br#"{"id":ID,"n":1_000}"#, Rejected),
    // Names.
    (br#"{"id":ID,"n":1,"n":2}"#, Rescued),
    (br#"{"id":ID,"N":1}"#, Lands),
    (br#"{"id":ID,"":1}"#, Rescued),
    (br#"{"id":ID,"_rescued_data":1}"#, Rescued),
    // Texts.
    (br#"{"id":ID,"t":"\ud800"}"#, Rescued),
    (br#"{"id":ID,"t":"\ud83d\ude00"}"#, Lands),
    (br#"{"id":ID,"t":"\u0000"}"#, Lands),
    (b"{\"id\":ID,\"t\":\"\0\"}", Rejected),
    (b"{\"id\":ID,\"t\":\"\xff\"}", Rejected),
    (b"{\"id\":ID,\"t\":\"\xed\xa0\x80\"}", Rejected),
    (b"{\"id\":ID,\"t\":\"\xc0\xaf\"}", Rejected),
    (b"{\"id\":ID,\"t\":\"tab\tinside\"}", Rejected),
    (b"{\"id\":ID,\"t\":\"\x7f\xc2\x80\xe2\x80\xa8\"}", Lands),
    (br#"{"id":ID,"t":"\x41"}"#, Rejected),
    (br#"{'id':ID}"#, Rejected),
    // Lines.
    (b"{\"id\":ID}\r", Lands),
    (b"\xef\xbb\xbf{\"id\":ID}", Rejected),
    (br#"{"id":ID}{"id":ID}"#, Rejected),
    (br#"{"id":ID} // comment"#, Rejected),
    (br#"{"id":ID,}"#, Rejected),
    (br#"{"id":ID"#, Rejected),
    (b"\0", Rejected),
    (br#"null"#, Rejected),
    (br#"ID"#, Rejected),
    (br#""{\"id\":ID}""#, Rejected),
];

fn line(pattern: &[u8], id: usize) -> Vec<u8> {
    let mut line = Vec::new();
    let mut rest = pattern;
    while let Some(at) = rest.windows(2).position(|two| two == b"ID") {
        line.extend_from_slice(&rest[..at]);
        line.extend_from_slice(id.to_string().as_bytes());
        rest = &rest[at + 2..];
    }
    [line, rest.to_vec(), b"\n".to_vec()].concat()
}

#[test]
fn each_line_has_the_fate_that_the_rule_says_and_the_others_land() {
    let place = Place::new();
    // The first line says what the columns are, and good lines stand between the others.
    let (mut text, mut good) = (Vec::new(), 0);
    for (id, (pattern, _)) in LINES.iter().enumerate() {
        text.extend(line(pattern, id));
        good += 1;
        text.extend(line(LINES[0].0, 1_000 + id));
    }
    place.write("events.ndjson", &text);
    let count = |fate| LINES.iter().filter(|(_, of_line)| *of_line == fate).count();
    let report = place.ingest(&["events", "events.ndjson"]);
    assert_eq!(report["rows"], good + count(Lands) + count(Rescued), "{report}");
    assert_eq!(report["rejected"], count(Rejected), "{report}");
    let found = place.rows("select id, _rescued_data is not null from events where id < 1000 order by id");
    let expected = LINES.iter().enumerate().filter(|(_, (_, fate))| *fate != Rejected);
    let expected: Vec<Value> = expected.map(|(id, (_, fate))| json!([id, *fate == Rescued])).collect();
    assert_eq!(found, json!(expected));
    // What was rejected is there byte for byte, and its place leads to it.
    let rejects = place.rows("select byte_offset, record, line_number from events_rejects order by 1");
    let rejects = rejects.as_array().unwrap();
    assert_eq!(rejects.len(), count(Rejected));
    for reject in rejects {
        let at = usize::try_from(reject[0].as_u64().unwrap()).unwrap();
        let record = text[at..].split(|byte| *byte == b'\n').next().unwrap();
        assert_eq!(BASE64_STANDARD.decode(reject[1].as_str().unwrap()).unwrap(), record);
        let before = text[..at].iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(reject[2], before + 1);
    }
    place.check_sound();
}

/// Good events around one line.
fn around(place: &Place, bad: &[u8]) {
    let good = b"{\"id\":1,\"v\":1}\n";
    place.write("events.ndjson", [good.as_slice(), bad, b"\n{\"id\":2,\"v\":2}\n"].concat());
}

#[test]
fn a_million_levels_are_one_reject() {
    for (open, close) in [(&b"["[..], &b"]"[..]), (b"{\"\":", b"}")] {
        let place = super::memory::place();
        let deep = [
            b"{\"id\":0,\"v\":".to_vec(),
            open.repeat(1_000_000),
            b"1".to_vec(),
            close.repeat(1_000_000),
            b"}".to_vec(),
        ];
        around(&place, &deep.concat());
        let report = within(&place, "a million levels", &["events", "events.ndjson"]);
        assert_eq!((&report["rows"], &report["rejected"]), (&json!(2), &json!(1)));
        // One that only opens, as a line, and at the end of the source.
        place.write("open.ndjson", open.repeat(1_000_000));
        let report = within(&place, "a million levels that only open", &["events", "open.ndjson"]);
        assert_eq!((&report["rows"], &report["rejected"]), (&json!(0), &json!(1)));
    }
}

#[test]
fn very_many_names_in_one_event_are_columns_up_to_the_limit_and_rescued_beyond() {
    let place = super::memory::place();
    let names = |count: usize| (0..count).map(|n| format!(",\"f{n}\":{n}")).collect::<String>();
    around(&place, format!("{{\"id\":0{}}}", names(200_000)).as_bytes());
    let report = within(&place, "very many names", &["events", "events.ndjson"]);
    assert_eq!((&report["rows"], &report["rejected"]), (&json!(3), &json!(0)), "{report}");
    // id, v and the first fields are columns; each of the others is one value, none is lost.
    let columns = report_columns(&place);
    assert_eq!(columns, 1_000 + 1, "with _rescued_data");
    assert_eq!(report["rescued"], 200_000 + 2 - 1_000);
    // The same name as often.
    let again = |count: usize| (0..count).map(|n| format!(",\"v\":{n}")).collect::<String>();
    around(&place, format!("{{\"id\":0{}}}", again(200_000)).as_bytes());
    let report = within(&place, "one name again and again", &["again", "events.ndjson"]);
    assert_eq!((&report["rows"], &report["rescued"]), (&json!(3), &json!(199_999)), "{report}");
    assert_eq!(place.rows("select v from again where id = 0"), json!([[199_999]]));
}

#[test]
fn hundreds_of_thousands_of_names_in_one_event_are_one_reject() {
    let names: String = (0..280_000).map(|n| format!(",\"f{n}\":{n}")).collect();
    let again: String = (0..400_000).map(|n| format!(",\"v\":{n}")).collect();
    for (name, fields) in [("280,000 names", names), ("one name 400,000 times", again)] {
        let place = super::memory::place();
        let line = format!("{{\"id\":0{fields}}}");
        around(&place, line.as_bytes());
        let report = within(&place, name, &["events", "events.ndjson"]);
        assert_eq!((&report["rows"], &report["rejected"]), (&json!(2), &json!(1)), "{report}");
        let kept = place.rows("select reason, length(record) from events_rejects");
        let [[reason, length]] = serde_json::from_value::<[[Value; 2]; 1]>(kept).unwrap();
        assert!(reason.as_str().unwrap().starts_with("too much to rescue"), "{reason}");
        assert_eq!(length, line.len(), "all of it is kept");
    }
}

fn report_columns(place: &Place) -> usize {
    place.rows("show columns from events").as_array().unwrap().len()
}

#[test]
fn a_gzip_bomb_is_read_in_little_memory() {
    let place = super::memory::place();
    // One line of several times the limit in little gzip, and events before and behind it.
    let zeros = vec![b'0'; 1 << 20];
    let mut text = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    text.write_all(b"{\"id\":1}\n{\"id\":2,\"v\":\"").unwrap();
    (0..4 * INGEST_MIB).for_each(|_| text.write_all(&zeros).unwrap());
    text.write_all(b"\"}\n{\"id\":3}\n").unwrap();
    place.write("bomb.json.gz", text.finish().unwrap());
    let report = within(&place, "a gzip bomb", &["events", "bomb.json.gz"]);
    assert_eq!((&report["rows"], &report["rejected"]), (&json!(2), &json!(1)));
    let kept = place.rows("select length(record), byte_offset, reason from events_rejects");
    assert_eq!((&kept[0][0], &kept[0][1]), (&json!(64 << 10), &json!(9)), "{kept}");
    assert!(kept[0][2].as_str().unwrap().contains("too long"), "{kept}");
}

#[test]
fn compressed_data_becomes_no_more_text_than_it_may() {
    let place = Place::new();
    let mut text = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    (0..100_000).for_each(|n| writeln!(text, "{{\"id\":{n}}}").unwrap());
    place.write("events.json.gz", text.finish().unwrap());
    let limited = ["ingest", "--output", "json", "events", "events.json.gz", "--decompressed-max", "1MiB"];
    place.hosu(&limited).fails(1, "SOURCE_TOO_LONG", "events.json.gz");
    // Nothing of it is there, and it can be loaded once it may be so long.
    assert_eq!(place.ingest(&["events", "events.json.gz", "--decompressed-max", "10MiB"])["rows"], 100_000);
    assert_eq!(place.rows("select count(*), count(distinct id) from events"), json!([[100_000, 100_000]]));
}

#[cfg(unix)]
#[test]
fn links_that_lead_to_themselves_and_pipes_are_left_out_of_folders() {
    use std::os::unix::fs::symlink;
    let place = Place::new();
    place.write("folder/events.ndjson", "{\"id\":1}\n");
    let folder = place.path("folder");
    symlink(&folder, folder.join("loop")).unwrap();
    symlink(folder.join("b"), folder.join("a")).unwrap();
    symlink(folder.join("a"), folder.join("b")).unwrap();
    symlink("nowhere", folder.join("dangling")).unwrap();
    if !std::process::Command::new("mkfifo")
        .arg(folder.join("pipe"))
        .status()
        .is_ok_and(|status| status.success())
    {
        say("no pipe among the files: mkfifo is not there");
    }
    let run = place.hosu(&["ingest", "--output", "json", "events", "folder"]);
    let report = run.ok().json();
    assert_eq!((&report["rows"], &report["sources"]), (&json!(1), &json!(1)), "{report}");
    let left_out = report["left_out"].to_string();
    for name in ["loop", "dangling", "folder/a", "folder/b"] {
        assert!(left_out.contains(name), "{name}: {left_out}");
    }
    // A pattern that meets them leaves them out, too.
    let run = place.hosu(&["ingest", "--output", "json", "matched", "folder/*"]);
    let report = run.ok().json();
    assert_eq!((&report["rows"], &report["sources"]), (&json!(1), &json!(1)), "{report}");
    // Named themselves they are errors that name them.
    for name in ["folder/a", "folder/dangling"] {
        let run = place.hosu(&["ingest", "--output", "json", "events", name]);
        assert_eq!(run.code, 1, "{run:?}");
        assert!(run.stdout.contains(name) || run.stderr.contains(name), "{run:?}");
    }
    assert_eq!(place.rows("select count(*) from events"), json!([[1]]));
}

#[test]
fn a_file_that_is_gone_between_two_readings_leaves_the_lake_as_it_was() {
    let place = Place::new();
    place.write("events.ndjson", "{\"id\":1}\n");
    place.ingest(&["events", "events.ndjson"]);
    let before = place.names("lake/warehouse");
    place.write("gone.ndjson", "{\"id\":2,\"late\":1}\n");
    let gone = place.path("gone.ndjson");
    // Found by the glob, and deleted while another source before it is read, which does not end before that.
    let pipe = place.path("a_pipe");
    if !std::process::Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()) {
        say("skipped a file that is deleted while an ingest runs: mkfifo is not there");
        return;
    }
    let child = place.start(&["ingest", "--output", "json", "events", "a_pipe", "gone.ndjson"]);
    // To open it for writing waits for the reader.
    let mut writer = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    writer.write_all(b"{\"id\":3}\n").unwrap();
    fs::remove_file(&gone).unwrap();
    drop(writer);
    let run: super::Run = child.wait_with_output().unwrap().into();
    assert_eq!(run.code, 1, "{run:?}");
    assert!(format!("{run:?}").contains("gone.ndjson"), "{run:?}");
    assert_eq!(before, place.names("lake/warehouse"));
    assert_eq!(place.rows("select count(*) from events"), json!([[1]]));
}
