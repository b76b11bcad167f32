//! What a job makes of what Spark does to its input and to its target.

use super::{Place, Spark, Value, json};

const JOB: &str = "/* hosu:job\ntarget = 'curated.big'\nmode = 'append'\n*/\nselect id, size from raw.events where size >= 0\n";

/// Files that Spark rewrites are nothing new; rows that it removes, snapshots that it rolls back or expires, and rows that it
/// writes into the target stop the job until all is made anew.
pub fn jobs(spark: &mut Spark, place: &Place) {
    place.write("jobs/big.sql", JOB);
    for batch in 0..4 {
        add(place, batch * 10, 10);
    }
    assert_eq!(run(place, &[])["rows_written"], 40);
    let rewrite = |table: &str| {
        format!(
            "CALL hosu.system.rewrite_data_files(table => '{table}', options => map('rewrite-all', 'true'))"
        )
    };
    spark.sql(place, &[&rewrite("raw.events")]);
    assert_eq!(last_operation(place, spark, "raw.events"), "replace");
    assert_eq!(run(place, &[])["state"], "nothing_new");
    add(place, 40, 10);
    spark.sql(place, &[&rewrite("raw.events"), &rewrite("curated.big")]);
    add(place, 50, 10);
    assert_eq!(run(place, &[])["rows_written"], 20, "each row once, whoever rewrote its file");
    same(place);

    spark.sql(place, &["DELETE FROM raw.events WHERE id = 7"]);
    stopped(place, "INPUT_CHANGED", "overwrite");
    let before = spark
        .sql(place, &["SELECT snapshot_id FROM raw.events.snapshots ORDER BY committed_at DESC LIMIT 2"]);
    let before = before[1][0].as_i64().unwrap();
    spark.sql(place, &[&format!("CALL hosu.system.rollback_to_snapshot('raw.events', {before})")]);
    stopped(place, "INPUT_CHANGED", "rolled back");
    add(place, 60, 10);
    add(place, 70, 10);
    spark.sql(place, &["CALL hosu.system.expire_snapshots(table => 'raw.events', older_than => current_timestamp(), retain_last => 1)"]);
    stopped(place, "INPUT_CHANGED", "expired");
    spark.sql(place, &["INSERT INTO curated.big VALUES (1000, 1)"]);
    stopped(place, "TARGET_CHANGED", "append");
    spark.compare(place, &["raw.events", "curated.big"], &[]);
}

fn add(place: &Place, first: i64, rows: i64) {
    let line = |id: i64| format!("{}\n", json!({ "id": id, "size": id * 3 }));
    let name = format!("events-{first}.ndjson");
    place.write(&name, (first..first + rows).map(line).collect::<String>());
    place.ingest(&["raw.events", &name]);
}

/// Runs the job, which must not fail.
#[track_caller]
fn run(place: &Place, more: &[&str]) -> Value {
    let command = [&["job", "run", "big", "--output", "json"], more].concat();
    place.hosu(&command).ok().json()["runs"][0].clone()
}

/// The job does not go on, and says why; made anew it is right.
#[track_caller]
fn stopped(place: &Place, code: &str, word: &str) {
    let before = rows(place, "curated.big");
    place.hosu(&["job", "run", "big", "--output", "json"]).fails(1, code, word);
    assert_eq!(rows(place, "curated.big"), before, "the target is as it was");
    assert_eq!(run(place, &["--full"])["state"], "succeeded");
    same(place);
    assert_eq!(run(place, &[])["state"], "nothing_new");
}

fn rows(place: &Place, table: &str) -> Value {
    place.rows(&format!("select id, size from {table} order by id"))
}

#[track_caller]
fn same(place: &Place) {
    assert_eq!(rows(place, "curated.big"), rows(place, "raw.events"));
}

fn last_operation(place: &Place, spark: &mut Spark, table: &str) -> Value {
    let last = format!("SELECT operation FROM {table}.snapshots ORDER BY committed_at DESC LIMIT 1");
    spark.sql(place, &[&last])[0][0].clone()
}
