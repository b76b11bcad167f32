//! What Spark and we write in turns into the same tables: each scene has a lake of its own.

use super::{Place, Spark, Value, facts, json};

/// All scenes; a lake is examined after each.
pub const SCENES: [fn(&mut Spark, &Place); 8] =
    [partitions, nested, columns, partition_specs, created, replaced, row_level_deletes, at_once];

/// Tables by how they are partitioned; the first one is not.
const PARTITIONS: [&str; 10] = [
    "",
    "partitioned by (day(ts), bucket(3, s))",
    "partitioned by (b, truncate(2, s), year(tz))",
    "partitioned by (hour(n.at))",
    "partitioned by (bin)",
    "partitioned by (bucket(3, dec))",
    "partitioned by (truncate(50, dec))",
    "partitioned by (month(d))",
    "partitioned by (tz)",
    "partitioned by (truncate(7, l), bucket(2, bin))",
];

fn ingest(place: &Place, table: &str, events: &[Value]) -> Value {
    let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
    place.write("events.ndjson", lines);
    place.ingest(&[table, "events.ndjson", "--on-changed", "new"])
}

fn run(place: &Place, statements: &str) {
    place.hosu_with(&["sql", "--output", "json"], statements).ok();
}

fn count(place: &Place, table: &str) -> u64 {
    place.rows(&format!("select count(*) from {table}"))[0][0].as_u64().unwrap()
}

/// Spark copies each table's rows into one that is partitioned in another way, and we add more.
fn partitions(spark: &mut Spark, place: &Place) {
    let columns = "id int, i int, l bigint, s string, d date, ts timestamp, tz timestamp with time zone, b boolean, \
                   dec decimal(12,2), bin binary, f double, n struct<k:string,at:timestamp>";
    run(place, "create database w");
    let tables: Vec<String> = (0..PARTITIONS.len()).map(|index| format!("w.t{index}")).collect();
    let names: Vec<&str> = tables.iter().map(String::as_str).collect();
    let made: String = tables
        .iter()
        .zip(PARTITIONS)
        .map(|(table, partition)| {
            format!("create table {table} ({columns}) {partition}; insert into {table} {};", facts(1, 20))
        })
        .collect();
    run(place, &made);
    let copies: Vec<String> = (0..tables.len())
        .map(|index| {
            let from = &tables[(index + 1) % tables.len()];
            format!("INSERT INTO {} SELECT id + 1000, i, l, s, d, ts, tz, b, dec, bin, f, n FROM {from} WHERE id < 1000", tables[index])
        })
        .collect();
    spark.sql(place, &copies.iter().map(String::as_str).collect::<Vec<_>>());
    spark.compare(place, &names, &[]);
    let more: String = tables.iter().map(|table| format!("insert into {table} {};", facts(41, 10))).collect();
    run(place, &more);
    let event = json!({"id": 500, "s": "가나다", "ts": "1969-12-31T23:59:59.5", "n": {"k": "끝"}, "dec": 1.5, "새": [1]});
    for table in &tables {
        ingest(place, table, std::slice::from_ref(&event));
    }
    let compared = spark.compare(place, &names, &[]);
    assert!(compared["Spark: count"].as_u64() >= Some(60), "{compared}");
    assert!(tables.iter().all(|table| count(place, table) == 51));
}

/// Lists, rows and maps in each other, with NULLs in all places.
fn nested(spark: &mut Spark, place: &Place) {
    run(
        place,
        "create table nested (id int, m map<string,bigint>, mm map<int,array<string>>, \
         s struct<a:int,b:struct<c:string,d:array<struct<e:double,at:timestamp>>>>, l array<array<int>>, lm array<map<string,double>>)",
    );
    spark.sql(
        place,
        &["INSERT INTO default.nested VALUES
           (20, map('a', 1L, '나', null), map(1, array('x', null)), named_struct('a', 1, 'b', named_struct('c', '한', 'd',
            array(named_struct('e', 1.5D, 'at', timestamp_ntz '1969-01-02 03:04:05.000001'), null))),
            array(array(1, 2), null, array(), array(null)), array(map('k', 1.5D), null)),
           (21, null, null, null, null, null),
           (22, map(), map(3, null, 4, array()), named_struct('a', null, 'b', null), array(), array(map()))"],
    );
    spark.compare(place, &["default.nested"], &[]);
    let event = json!({"id": 30, "s": {"a": 5, "b": {"c": "x", "d": [{"e": 2.5}, null]}, "later": 1}, "l": [[1], [], null]});
    ingest(place, "nested", &[event]);
    spark.compare(place, &["default.nested"], &[]);
    assert_eq!(count(place, "nested"), 4);
}

/// Columns and fields that Spark adds, renames, widens, moves and drops, and a dropped name that comes back with another type.
fn columns(spark: &mut Spark, place: &Place) {
    run(
        place,
        "create table w (id int, f float, dec decimal(9,2), s string, gone string, r struct<a:int,b:string>, \
         l array<struct<x:int>>, m map<string,struct<v:int>>);
         insert into w (id, f, dec, s, gone, r, l) values
         (1, cast('1.5' as float), 1.25, '가', 'g', named_struct('a', 1, 'b', 'x'), [named_struct('x', 1)])",
    );
    let changes = [
        "ADD COLUMNS (extra string AFTER id, tail array<struct<k:string>>)",
        "ADD COLUMN r.c timestamp_ntz FIRST",
        "ADD COLUMN l.element.y string",
        "ADD COLUMN m.value.w double",
        "RENAME COLUMN s TO text",
        "RENAME COLUMN r.b TO bb",
        "ALTER COLUMN id TYPE bigint",
        "ALTER COLUMN f TYPE double",
        "ALTER COLUMN dec TYPE decimal(18,2)",
        "ALTER COLUMN r.a TYPE bigint",
        "ALTER COLUMN l.element.x TYPE bigint",
        "DROP COLUMN gone",
        "ALTER COLUMN tail FIRST",
        "ALTER COLUMN text COMMENT '글'",
    ];
    let changes = changes.map(|change| format!("ALTER TABLE default.w {change}"));
    spark.sql(place, &changes.each_ref().map(String::as_str));
    spark.compare(place, &["default.w"], &[]);
    spark.sql(
        place,
        &["INSERT INTO default.w (id, f, dec, text, r, l, m, extra, tail) VALUES
           (9000000000, 2.5D, 1234567890123456.25, '나', named_struct('c', timestamp_ntz '2026-01-01 00:00:00', 'a', 5000000000L, 'bb', 'y'),
            array(named_struct('x', 7000000000L, 'y', 'z'), null), map('k', named_struct('v', 1, 'w', 2.5D)), 'e', array(named_struct('k', 't')))"],
    );
    spark.compare(place, &["default.w"], &[]);
    let event = json!({"id": 3, "text": "다", "f": 0.1, "r": {"c": "2026-01-01T00:00:00", "a": 1, "bb": "q"},
                       "l": [{"x": 1, "y": "k"}], "gone": 5});
    assert_eq!(ingest(place, "w", &[event])["rescued"], 0);
    run(place, "insert into w (id, text) values (10, 'ins')");
    spark.compare(place, &["default.w"], &[]);
    let wanted = json!([
        [1, 1.5, "가", null],
        [3, 0.1, "다", 5],
        [10, null, "ins", null],
        [9_000_000_000_u64, 2.5, "나", null]
    ]);
    assert_eq!(place.rows("select id, f, text, gone from w order by id"), wanted);
}

/// Partition specs and sort orders that Spark changes under our rows.
fn partition_specs(spark: &mut Spark, place: &Place) {
    let event = |id: u64| json!({"id": id, "at": format!("2026-01-0{}T00:00:00Z", 1 + id % 3), "name": format!("이름{id}")});
    let lines: String = (0..6).map(|id| format!("{}\n", event(id))).collect();
    place.write("first.ndjson", lines);
    place.ingest(&["events", "first.ndjson", "--partition-by", "day(at)"]);
    let mut rows = 6;
    for changes in [
        ["ADD PARTITION FIELD bucket(3, id)", "WRITE ORDERED BY id DESC"],
        ["DROP PARTITION FIELD days(at)", "RENAME COLUMN id TO number"],
        ["REPLACE PARTITION FIELD bucket(3, number) WITH truncate(10, number)", "ADD COLUMN later string"],
        ["DROP PARTITION FIELD truncate(10, number)", "DROP COLUMN at"],
    ] {
        let changes = changes.map(|change| format!("ALTER TABLE default.events {change}"));
        let number = if rows == 6 { "id" } else { "number" };
        let number = if changes[1].contains("RENAME") { "number" } else { number };
        let insert = format!("INSERT INTO default.events ({number}, name) VALUES (100, '나'), (null, null)");
        spark.sql(place, &[&changes[0], &changes[1], &insert]);
        spark.compare(place, &["default.events"], &[]);
        ingest(
            place,
            "events",
            &[json!({number: 200 + rows, "at": "2026-05-05T00:00:00Z"}), json!({number: 201 + rows})],
        );
        spark.compare(place, &["default.events"], &[]);
        rows += 4;
    }
    assert_eq!(count(place, "events"), rows);
}

/// Tables that Spark makes, with codecs and places of its own choice; we ingest and insert into them.
fn created(spark: &mut Spark, place: &Place) {
    run(place, "create table seed (a int); insert into seed values (1), (2)");
    spark.sql(
        place,
        &[
            "CREATE NAMESPACE sp",
            "CREATE TABLE sp.made (id bigint NOT NULL, ts timestamp, nt timestamp_ntz, s string COMMENT '글', d decimal(20,3), sm smallint,
              by tinyint, ch varchar(10), day date, bin binary, f float, ok boolean, r struct<a:int,b:array<string>>, m map<string,array<int>>)
             USING iceberg PARTITIONED BY (days(ts), bucket(4, id), truncate(s, 2)) TBLPROPERTIES ('write.parquet.compression-codec'='gzip')",
            "CREATE TABLE sp.ctas USING iceberg PARTITIONED BY (k) AS SELECT a AS id, CASE WHEN a = 1 THEN 'one' END AS k,
              named_struct('x', array(named_struct('y', cast(a AS string))), 'z', map(a, map('가', cast(a AS double)))) AS n,
              array(array(a), null) AS l FROM default.seed",
            "CREATE TABLE sp.other USING iceberg PARTITIONED BY (a) TBLPROPERTIES ('write.metadata.compression-codec'='gzip',
              'write.object-storage.enabled'='true', 'write.parquet.compression-codec'='snappy') AS SELECT a FROM default.seed",
            "CREATE VIEW sp.seen AS SELECT * FROM default.seed",
        ],
    );
    spark.compare(place, &["sp.made", "sp.ctas", "sp.other"], &[]);
    let report = place.hosu(&["doctor", "--output", "json"]).ok().json();
    let left = report["tables"].as_array().unwrap().iter().find(|table| table["orphan_files"] != 0);
    assert!(left.is_none(), "{left:?}");
    spark.sql(
        place,
        &["INSERT INTO sp.made VALUES (1, timestamp '1969-12-31 23:59:59.5 UTC', timestamp_ntz '2026-01-01 00:00:00', '가나다', 1.5, 1, 2, 'ch',
           date '2026-01-01', X'00ff', 1.5, true, named_struct('a', 1, 'b', array('x', null)), map('k', array(1, null))),
           (2, null, null, null, null, null, null, null, null, null, null, null, null, null)"],
    );
    let events = [
        json!({"id": 3, "ts": "2026-05-05T01:02:03+09:00", "s": "라마바", "sm": 7, "r": {"a": 5, "b": ["z"]}, "new": {"x": 1}}),
        json!({"s": "without its required id"}),
    ];
    let report = ingest(place, "sp.made", &events);
    assert_eq!((&report["rows"], &report["rejected"]), (&json!(1), &json!(1)), "{report}");
    ingest(place, "sp.ctas", &[json!({"id": 5, "n": {"x": [{"y": "q", "w": 2}]}, "k": "two"})]);
    ingest(place, "sp.other", &[json!({"a": 3})]);
    run(
        place,
        "insert into sp.made (id, s) values (10, 'x'); insert into sp.ctas (id) values (6); insert into sp.other values (4)",
    );
    spark.sql(
        place,
        &[
            "ALTER TABLE sp.ctas RENAME TO sp.named",
            "ALTER TABLE sp.other CREATE BRANCH side",
            "INSERT INTO sp.other.branch_side VALUES (9)",
        ],
    );
    spark.compare(place, &["sp.made", "sp.made_rejects", "sp.named", "sp.other"], &[]);
    assert_eq!(place.rows("select count(*), sum(a) from sp.other"), json!([[4, 10]]));
    assert_eq!(place.rows("show tables in sp"), json!([["made"], ["made_rejects"], ["named"], ["other"]]));
    // What is not ours to write or read is refused, with its reason.
    spark.sql(
        place,
        &[
            "CREATE TABLE sp.v1 USING iceberg TBLPROPERTIES ('format-version'='1') AS SELECT 1 AS a",
            "CREATE TABLE sp.v3 USING iceberg TBLPROPERTIES ('format-version'='3') AS SELECT 1 AS a",
            "CREATE TABLE sp.orc USING iceberg TBLPROPERTIES ('write.format.default'='orc') AS SELECT 1 AS a",
        ],
    );
    spark.compare(place, &["sp.v1", "sp.v3"], &[]);
    let refused = |sql: &str, code: &str, names: &str| {
        place.hosu(&["sql", "--output", "json", "-c", sql]).fails(1, code, names);
    };
    refused("insert into sp.v1 values (2)", "NOT_SUPPORTED", "format version 1");
    spark.sql(place, &["ALTER TABLE sp.v1 SET TBLPROPERTIES ('format-version'='2')"]);
    run(place, "insert into sp.v1 values (2)");
    spark.compare(place, &["sp.v1"], &[]);
    refused("insert into sp.v3 values (2)", "NOT_SUPPORTED", "format version 3");
    refused("select * from sp.orc", "NOT_SUPPORTED", "only Parquet");
}

/// Rows that Spark deletes, updates and merges by writing files anew, and its upkeep.
fn replaced(spark: &mut Spark, place: &Place) {
    let event = |id: u64| json!({"id": id, "at": format!("2026-01-0{}T00:00:00Z", 1 + id % 4), "n": {"a": id, "b": "가"}});
    let lines: String = (0..40).map(|id| format!("{}\n", event(id))).collect();
    place.write("first.ndjson", lines);
    place.ingest(&["t", "first.ndjson", "--partition-by", "day(at)"]);
    let statements = [
        "DELETE FROM default.t WHERE id % 3 = 0",
        "UPDATE default.t SET n.b = '나', id = id + 1000 WHERE id % 2 = 0",
        "MERGE INTO default.t USING (SELECT 1004 AS i, 'm' AS b UNION ALL SELECT 1, 'k' UNION ALL SELECT 9999, 'new') ON id = i
           WHEN MATCHED AND i = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET n.b = b
           WHEN NOT MATCHED THEN INSERT (id, n) VALUES (i, named_struct('a', 0L, 'b', b))",
        "DELETE FROM default.t WHERE at >= timestamp '2026-01-04 00:00:00 UTC'",
        "INSERT OVERWRITE default.t SELECT * FROM default.t WHERE id <> 5",
    ];
    for (index, statement) in statements.iter().enumerate() {
        spark.sql(place, &[statement]);
        ingest(place, "t", &[json!({"id": 100 + index, "at": "2026-01-02T00:00:00Z"})]);
        spark.compare(place, &["default.t"], &[]);
    }
    let now: Vec<u64> = (0..40).filter(|id| id % 3 != 0 && id % 4 != 3 && ![1, 5].contains(id)).collect();
    // The MERGE's new row has no time, and so the DELETE by time leaves it.
    assert_eq!(count(place, "t"), now.len() as u64 + 1 + statements.len() as u64);
    assert_eq!(
        place.rows("select id, n.b from t where id in (1, 5, 10, 1004, 9999) order by id"),
        json!([[1004, "m"], [9999, "new"]])
    );
    let upkeep = [
        "CALL hosu.system.rewrite_data_files(table => 'default.t', options => map('rewrite-all', 'true'))",
        "CALL hosu.system.rewrite_manifests('default.t')",
        "CALL hosu.system.compute_table_stats('default.t')",
        "CALL hosu.system.expire_snapshots(table => 'default.t', older_than => timestamp '2999-01-01 00:00:00', retain_last => 1)",
    ];
    for statement in upkeep {
        spark.sql(place, &[statement]);
        spark.compare(place, &["default.t"], &[]);
        place.check_sound();
    }
    ingest(place, "t", &[json!({"id": 78, "at": "2026-01-02T00:00:00Z"})]);
    spark.compare(place, &["default.t"], &[]);
    spark.sql(place, &["TRUNCATE TABLE default.t"]);
    spark.compare(place, &["default.t"], &[]);
    assert_eq!(count(place, "t"), 0);
}

/// Delete files are refused and never ignored; rows are still added, and read again once Spark has applied the deletes.
fn row_level_deletes(spark: &mut Spark, place: &Place) {
    let events: Vec<Value> = (0..40).map(|id| json!({"id": id})).collect();
    ingest(place, "t", &events);
    spark.sql(
        place,
        &[
            "ALTER TABLE default.t SET TBLPROPERTIES ('write.delete.mode'='merge-on-read', 'write.update.mode'='merge-on-read')",
            "DELETE FROM default.t WHERE id % 3 = 0",
            "UPDATE default.t SET id = 1000 WHERE id = 1",
        ],
    );
    for statement in [
        "select * from t",
        "select count(*) from t",
        "select max(id) from t",
        "select id from t where id = 2 limit 1",
    ] {
        place.hosu(&["sql", "--output", "json", "-c", statement]).fails(1, "NOT_SUPPORTED", "delete files");
    }
    place.check_sound();
    ingest(place, "t", &[json!({"id": 100})]);
    run(place, "insert into t (id) values (101)");
    assert_eq!(spark.sql(place, &["SELECT count(*), max(id) FROM default.t"]), json!([[28, 1000]]));
    spark.sql(
        place,
        &["CALL hosu.system.rewrite_data_files(table => 'default.t', options => map('delete-file-threshold', '1', 'remove-dangling-deletes', 'true'))"],
    );
    spark.compare(place, &["default.t"], &[]);
    assert_eq!(place.rows("select count(*), max(id) from t"), json!([[28, 1000]]));
}

/// Spark and we add rows at the same time: whoever comes second tries again, and no row is lost.
fn at_once(spark: &mut Spark, place: &Place) {
    ingest(place, "t", &[json!({"id": 0, "who": "first"})]);
    // Spark gives up after four conflicts, which is a matter of speed.
    spark.sql(place, &["ALTER TABLE default.t SET TBLPROPERTIES ('commit.retry.num-retries'='100')"]);
    let inserts: Vec<String> =
        (0..12).map(|id| format!("INSERT INTO default.t (id, who) VALUES ({id}, 'Spark')")).collect();
    spark.command(place, &json!({"sql": inserts}));
    for turn in 0..12 {
        let events: Vec<Value> = (0..10).map(|id| json!({"id": 10 * turn + id, "who": "hosu"})).collect();
        ingest(place, "t", &events);
    }
    spark.answer();
    let wanted = json!([["Spark", 12, 12], ["first", 1, 1], ["hosu", 120, 120]]);
    assert_eq!(place.rows("select who, count(*), count(distinct id) from t group by 1 order by 1"), wanted);
    spark.compare(place, &["default.t"], &[]);
}
