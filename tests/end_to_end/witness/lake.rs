//! A lake with a table for each thing that a reader could get wrong, made through the command line as people make theirs.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde_json::{Value, json};

use super::overwritten::overwrite;
use crate::end_to_end::Place;
use crate::end_to_end::dice::Dice;

/// The lake, and what its tables held when they were younger.
pub struct Lake {
    pub place: Place,
    /// Answers of `sql --output json`, with `table` and `snapshot`.
    pub past: Vec<Value>,
}

/// The lake, one for tests that run at the same time; they only read it.
pub fn shared() -> Arc<Lake> {
    static SHARED: Mutex<Weak<Lake>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let lake = Arc::new(make());
        *shared = Arc::downgrade(&lake);
        lake
    })
}

/// Makes all of it.
fn make() -> Lake {
    let mut lake = Lake { place: Place::new(), past: Vec::new() };
    lake.samples();
    lake.shapes();
    lake.grown();
    lake.types();
    lake.nested();
    lake.partitions();
    lake.sorted();
    lake.names();
    lake.small_files();
    lake.row_groups();
    lake.nothing();
    lake.overwritten();
    lake
}

/// The partitions of tables of [`Lake::partitions`]: every transform of every type that it takes, and some together.
const PARTITIONS: [&str; 37] = [
    "i",
    "l",
    "s",
    "d",
    "ts",
    "tz",
    "b",
    "dec",
    "bin",
    "bucket(3, i)",
    "bucket(3, l)",
    "bucket(3, s)",
    "bucket(3, d)",
    "bucket(3, ts)",
    "bucket(3, tz)",
    "bucket(3, dec)",
    "bucket(3, bin)",
    "truncate(10, i)",
    "truncate(7, l)",
    "truncate(1, s)",
    "truncate(50, dec)",
    "truncate(2, bin)",
    "year(d)",
    "year(ts)",
    "year(tz)",
    "month(d)",
    "month(ts)",
    "month(tz)",
    "day(d)",
    "day(ts)",
    "day(tz)",
    "hour(ts)",
    "hour(tz)",
    "day(ts), bucket(3, s)",
    "b, truncate(2, s), year(tz)",
    "n.k, month(n.at)",
    "hour(n.at)",
];

impl Lake {
    fn ingest(&self, table: &str, events: &[Value], more: &[&str]) {
        let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
        self.place.write("events.ndjson", lines);
        self.place.ingest(&[&[table, "events.ndjson", "--on-changed", "new"], more].concat());
    }

    fn run(&self, statements: &str) {
        self.place.hosu_with(&["sql", "--output", "json"], statements).ok();
    }

    /// Keeps what a table holds, for the time when it holds something else.
    fn remember(&mut self, table: &str) {
        let rows = format!("SELECT * FROM {table}");
        let snapshot = format!("DESCRIBE EXTENDED {table}");
        let answers = self.place.hosu_with(&["sql", "--output", "json"], format!("{rows}; {snapshot}")).ok();
        let [mut answer, described] = <[Value; 2]>::try_from(answers.json_lines()).unwrap();
        let snapshot = described["rows"].as_array().unwrap().iter().find_map(|row| {
            let [name, value, ..] = &row.as_array().unwrap()[..] else { return None };
            name.as_str().unwrap().trim().eq_ignore_ascii_case("current snapshot:").then(|| value.clone())
        });
        answer["table"] = json!(table);
        answer["snapshot"] = snapshot.unwrap_or_else(|| panic!("no snapshot in {described}"));
        self.past.push(answer);
    }

    fn samples(&self) {
        let sample = |name: &str| format!("{}/../../sample-data/{name}", env!("CARGO_MANIFEST_DIR"));
        let partitions =
            ["--partition-by", "day(event_time), bucket(4, user_id)", "--sort-by", "event_time desc"];
        self.place.ingest(&[&["game", &sample("game-events.ndjson")[..]], &partitions[..]].concat());
        self.place.ingest(&["cloudtrail", &sample("cloudtrail.ndjson")]);
        self.place.ingest(&["wrong", &sample("wrong-lines.ndjson")]);
    }

    fn shapes(&self) {
        for seed in 0..6 {
            let mut dice = Dice(1000 + seed);
            for file in 0..3 {
                let events: Vec<Value> = (0..60).map(|id| dice.event(file * 60 + id)).collect();
                self.ingest(&format!("shapes.seed_{seed}"), &events, &[]);
            }
        }
    }

    /// Columns that come later, in rows and in elements of lists too.
    fn grown(&mut self) {
        let steps = [
            json!({"id": 1, "geo": {"lat": 1.5}, "list": [{"a": 1}]}),
            json!({"id": 2, "geo": {"city": "서울"}, "tags": ["x"]}),
            json!({"id": 3, "geo": {"lat": 2.5, "more": {"deep": {"deeper": [1]}}}, "list": [{"b": "x"}, {"a": 2, "c": {"d": true}}]}),
            json!({"late": "2026-01-02T03:04:05.000001Z", "id": 4, "list": [], "tags": [null]}),
            json!({"id": 5, "geo": {"more": {"deep": {"other": "2026-01-02"}}}, "list": [{"c": {"e": 1.25}}, null]}),
        ];
        for (index, step) in steps.iter().enumerate() {
            self.ingest("grown", std::slice::from_ref(step), &[]);
            if index + 1 < steps.len() {
                self.remember("default.grown");
            }
        }
    }

    /// Each type with its ends, and with values that are hard to keep.
    fn types(&self) {
        self.run(
            "create table types (id int, b boolean, i int, l bigint, f float, d double, dec decimal(38,10), small decimal(5,2), \
             day date, at timestamp, zoned timestamp with time zone, s string, bin binary, fix fixed(4), u uuid);
             insert into types (id, b, i, l, f, d, dec, small, day, at, zoned, s, bin) values
             (1, true, 2147483647, 9223372036854775807, cast('1.1' as float), cast('NaN' as double),
              cast('9999999999999999999999999999.9999999999' as decimal(38,10)), 999.99, date '9999-12-31',
              timestamp '2262-04-11 23:47:16.854775', timestamp '2262-04-11 23:47:16.854775', '한국어 🏞️', X'00ff80'),
             (2, false, -2147483648, -9223372036854775808, cast('NaN' as float), cast('Infinity' as double),
              cast('-9999999999999999999999999999.9999999999' as decimal(38,10)), -999.99, date '0001-01-01',
              timestamp '1677-09-21 00:12:44', timestamp '1969-12-31 23:59:59.999999', '', X''),
             (3, null, 0, 0, cast('-0.0' as float), cast('-Infinity' as double), 0, 0, date '1969-12-31',
              timestamp '1969-12-31 23:59:59.999999', timestamp '1900-01-01 00:00:00.000001', 'a', X'61'),
             (4, null, null, null, null, cast('-0.0' as double), null, null, null, null, null, null, null),
             (5, true, 1, 1, 1, cast('5e-324' as double), cast('0.0000000001' as decimal(38,10)), 0.01, date '1970-01-01',
              timestamp '1970-01-01 00:00:00', timestamp '1970-01-01 00:00:00', 'z',
              X'ffffffffffffffffffffffffffffffffffffffffffffffffff');
             insert into types (id) values (6), (7);",
        );
        let events = [
            json!({"id": 11, "at": "9999-12-31T23:59:59.999999", "zoned": "9999-12-31T23:59:59.999999Z",
                   "u": "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "bin": "AP8=", "fix": "AAECAw==", "dec": "1.5", "small": 1.5}),
            json!({"id": 12, "at": "0001-01-01T00:00:00.000001", "zoned": "0001-01-01T00:00:00Z", "day": "0001-01-01",
                   "u": "ffffffff-ffff-ffff-ffff-ffffffffffff", "d": 1.5, "f": 0.25, "s": "\u{10ffff}".repeat(20)}),
        ];
        self.ingest("types", &events, &[]);
        // By themselves, because Spark reads no table that has times.
        self.run(
            "create table times (id int, clock time);
             insert into times values (1, time '23:59:59.999999'), (2, time '00:00:00'), (3, time '12:00:00.000001'), (4, null), (5, time '00:00:01')",
        );
        self.ingest("times", &[json!({"id": 11, "clock": "01:02:03.5"})], &[]);
        // Columns where all rows are NULL, or NaN, or one value.
        self.run(
            "create table flat (n int, nan double, inf double, one string, long string, t timestamp);
             insert into flat values (null, cast('NaN' as double), cast('Infinity' as double), 'x', 'ffffffffffffffffffffffff', null);
             insert into flat values (null, cast('NaN' as double), cast('Infinity' as double), 'x', 'ffffffffffffffffffffffff', null),
             (null, cast('NaN' as double), cast('-Infinity' as double), 'x', 'ffffffffffffffff', null);",
        );
    }

    /// Lists, rows and maps: nothing, NULL and NULLs in them, in all places.
    fn nested(&self) {
        self.run(
            "create table nested (id int, m map<string,bigint>, mm map<int,array<string>>, \
             s struct<a:int,b:struct<c:string,d:array<struct<e:double,at:timestamp>>>>, l array<array<int>>, lm array<map<string,double>>);
             insert into nested (id, m) select 1, map(['a', 'b'], [1, 2]);
             insert into nested (id, m) select 2, map {'가': 1, 'b': null};
             insert into nested (id, m) select 3, map([], []);
             insert into nested (id, l) select 4, [[1, 2], [], null, [null]];
             insert into nested (id, l) select 5, [];
             insert into nested (id, mm) select 6, map([1, -2], [['x'], ['y', null]]);
             insert into nested (id, s) select 7, named_struct('a', 1, 'b', named_struct('c', 'x', 'd', [named_struct('e', 1.5, 'at', timestamp '1969-01-01 00:00:00')]));
             insert into nested (id, s) select 8, named_struct('a', cast(null as int), 'b', null);
             insert into nested (id, lm) select 9, [map(['a'], [1.5]), null];
             insert into nested (id) values (10), (11);",
        );
        let mut deep = json!({"leaf": "끝", "list": [[["x"], []], []]});
        for level in 0..20 {
            deep = if level % 3 == 2 {
                json!({"l": [deep, null, {"other": level}]})
            } else {
                json!({"o": deep})
            };
        }
        let events = [
            json!({"id": 1, "deep": deep}),
            json!({"id": 2, "empty": {}, "none": [], "rows": [{}, null, {"a": null}, {"a": 1}], "lists": [[], null, [null], [1, null]]}),
            json!({"id": 3, "empty": {"x": null}, "none": [null], "rows": [], "lists": []}),
            json!({"id": 4, "rows": null, "lists": null, "texts": ["", "가", "\u{1f600}", null, "a\nb\t\"'\\\u{1}"]}),
            json!({"id": 5, "empty": {"x": {"y": []}}, "rows": [{"a": 2, "b": [{"c": []}, {"c": [1]}, {}]}], "times": ["2026-01-02T03:04:05Z"]}),
        ];
        self.ingest("deep", &events, &[]);
    }

    fn partitions(&mut self) {
        let columns = "id int, i int, l bigint, s string, d date, ts timestamp, tz timestamp with time zone, b boolean, \
                       dec decimal(12,2), bin binary, f double, n struct<k:string,at:timestamp>";
        let (first, second) = (facts(1, 24), facts(41, 12));
        let mut statements = String::new();
        for (index, partition) in PARTITIONS.iter().enumerate() {
            let table = format!("parts.p{index}");
            statements += &format!("create table {table} ({columns}) partitioned by ({partition});");
            statements += &format!("insert into {table} {first}; insert into {table} {second};");
        }
        self.run("create database parts");
        self.run(&statements);
    }

    fn sorted(&self) {
        let mut dice = Dice(7);
        let events: Vec<Value> = (0..400)
            .map(|id| {
                let user = (dice.roll(9) > 0).then(|| format!("user{}", dice.roll(30)));
                json!({"id": id, "user": user, "n": dice.roll(50), "x": dice.roll(1000) as f64 / 8.0})
            })
            .collect();
        self.ingest("sorted_up", &events, &["--sort-by", "user, n desc"]);
        self.ingest(
            "sorted_down",
            &events,
            &["--sort-by", "x desc nulls last", "--partition-by", "truncate(5, user)"],
        );
    }

    fn names(&self) {
        let event = |n: i64| {
            json!({"Upper": n, "with space": n, "한글": format!("값{n}"), "a.b": n, "quote\"d": n, "da-sh": n, "\u{1f600}": n, "select": n,
                   "_x": n, "a/b": n, "%41": n, "a=b": n, "1st": n, "it's": n, "back`tick": n, "Ünï": n, "semi;colon": n,
                   "In": {"Ner": n, "with space": n, "x.y": {"한 글": n}, "list": [{"odd.name": n}]}})
        };
        let events: Vec<Value> = (0..20).map(event).collect();
        self.ingest("names", &events, &[]);
        self.ingest(
            "Odd.Names-2",
            &events,
            &["--partition-by", "\"with space\", truncate(1, \"한글\"), \"a/b\", \"%41\""],
        );
        let texts = [
            "a/b",
            "a=b",
            "%41",
            "..",
            "",
            " ",
            "가 나",
            "null",
            "__HIVE_DEFAULT_PARTITION__",
            "a\nb",
            "\u{1f600}",
            "it's",
        ];
        let events: Vec<Value> =
            texts.iter().enumerate().map(|(id, text)| json!({"id": id, "t": text})).collect();
        self.ingest("odd_partitions", &events, &["--partition-by", "t"]);
    }

    fn small_files(&mut self) {
        for n in 0..12 {
            let event =
                json!({"n": n, "at": format!("2026-02-{:02}T00:00:00Z", n + 1), "name": format!("파일 {n}")});
            self.ingest("small", &[event], &["--partition-by", "month(at)"]);
            if n % 4 == 1 {
                self.remember("default.small");
            }
        }
    }

    /// Files of several row groups and pages.
    fn row_groups(&self) {
        self.run(
            "create table row_groups (id bigint, s string, x double, at timestamp, tags array<string>) \
             tblproperties ('write.parquet.row-group-size-bytes' = '20000', 'write.parquet.page-size-bytes' = '2000')",
        );
        let event = |id: u64| {
            let tags: Vec<String> = (0..id % 4).map(|tag| format!("tag{tag}")).collect();
            json!({"id": id, "s": (!id.is_multiple_of(7)).then(|| format!("텍스트 {}", id / 100)), "x": id as f64 / 4.0,
                   "at": format!("2026-01-{:02}T00:00:00", 1 + id / 200), "tags": tags})
        };
        self.ingest("row_groups", &(0..5000).map(event).collect::<Vec<_>>(), &[]);
    }

    /// Tables whose files were replaced by others, and by nothing.
    fn overwritten(&mut self) {
        let event = |id: i64| json!({"id": id, "at": format!("2026-01-{:02}T00:00:00Z", 1 + id % 20), "text": format!("값 {id}")});
        let partitions = ["--partition-by", "day(at), bucket(3, id)"];
        for (table, partitions) in [("over.plain", &[][..]), ("over.parts", &partitions)] {
            for from in [0, 20, 40] {
                self.ingest(table, &(from..from + 20).map(event).collect::<Vec<_>>(), partitions);
            }
            self.remember(table);
            let by = format!("{table}_by");
            self.ingest(&by, &(100..130).map(event).collect::<Vec<_>>(), partitions);
            overwrite(&self.place, table, Some(&by));
            self.remember(table);
            self.ingest(table, &(200..205).map(event).collect::<Vec<_>>(), partitions);
            self.remember(table);
            let emptied = format!("{table}_emptied");
            self.ingest(&emptied, &(0..20).map(event).collect::<Vec<_>>(), partitions);
            self.remember(&emptied);
            overwrite(&self.place, &emptied, None);
        }
    }

    fn nothing(&self) {
        self.run("create table nothing (a int, b struct<c:array<string>>) partitioned by (bucket(4, a))");
    }
}

/// A SELECT of rows for tables of [`Lake::partitions`]: mostly values, some NULL, some far away.
pub fn facts(from: u64, count: u64) -> String {
    let mut dice = Dice(from);
    let rows: Vec<String> = (from..from + count)
        .map(|id| {
            let mut or_null = |text: String| if dice.roll(7) == 0 { "NULL".to_owned() } else { text };
            let day = format!(
                "{}-{:02}-{:02}",
                [1965, 1969, 1970, 2026][(id % 4) as usize],
                1 + id % 12,
                1 + id % 28
            );
            let second = format!("{day} {:02}:{:02}:59.{:06}", id % 24, id % 60, id * 37_717 % 1_000_000);
            let signed = if id.is_multiple_of(2) { id as i64 } else { -(id as i64) };
            let text = ["가나다", "가", "abc", "ab", "", "\u{1f600}\u{1f600}", "zz"][(id % 7) as usize];
            let values = [
                id.to_string(),
                or_null(signed.to_string()),
                or_null((signed * 3_000_000_000).to_string()),
                or_null(format!("'{text}'")),
                or_null(format!("DATE '{day}'")),
                or_null(format!("TIMESTAMP '{second}'")),
                or_null(format!("TIMESTAMP '{second}'")),
                or_null((id % 3 == 0).to_string()),
                or_null(format!("CAST({signed}.{:02} AS decimal(12,2))", id % 100)),
                or_null(format!("X'{:06x}'", id * 99_991 % 0xff_ffff)),
                or_null(format!("CAST('{}' AS double)", signed as f64 / 8.0)),
                or_null(format!("named_struct('k', '{text}', 'at', TIMESTAMP '{second}')")),
            ];
            format!("({})", values.join(", "))
        })
        .collect();
    format!("VALUES {}", rows.join(", "))
}
