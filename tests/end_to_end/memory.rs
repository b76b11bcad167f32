//! Peak memory of hostile input: each ingest and query stays near its limit, with input that would be many times as large if it
//! were held. `benches/memory.py` measures the same at full size.

use std::fs;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::{Place, Run};

const MIB: u64 = 1 << 20;

/// The smallest limit of an ingest, and the longest lines that it may have then.
pub const INGEST_MIB: u64 = 256;
const LINE_MIB: usize = 5;

/// What the process may have beyond its limit. An unbounded ingest of the input below takes several times the limit.
const MARGIN_MIB: u64 = 32;

/// A lake with small limits.
pub fn place() -> Place {
    let place = Place::new();
    place.write(
        "hosu.toml",
        format!(
            "[ingest]\nmemory = \"{INGEST_MIB}MiB\"\nline_max = \"{LINE_MIB}MiB\"\n[query]\nmemory = \"128MiB\"\nspill = \"spilled\"\n"
        ),
    );
    place
}

/// The most that a process ever had so far, by the system's count.
fn peak_bytes(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// Runs a command, and looks at its peak until it ends.
fn measured(mut command: Command) -> (Run, u64) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let read = |mut from: Box<dyn Read + Send>| {
        thread::spawn(move || {
            let mut text = String::new();
            from.read_to_string(&mut text).unwrap();
            text
        })
    };
    let stdout = read(Box::new(child.stdout.take().unwrap()));
    let stderr = read(Box::new(child.stderr.take().unwrap()));
    let mut peak = 0;
    let status = loop {
        // The peak only grows: what is looked at last counts.
        peak = peak_bytes(child.id()).unwrap_or_default().max(peak);
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        thread::sleep(Duration::from_millis(2));
    };
    let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
    (Run { code: status.code().unwrap_or(-1), stdout, stderr }, peak)
}

/// What the program takes by itself: a debug build takes more than a release.
fn base_bytes(place: &Place) -> u64 {
    let (run, peak) = measured(place.command(&["sql", "-c", "select 1"]));
    run.ok();
    peak
}

/// Ingests, and asserts that the peak was near the limit.
#[track_caller]
pub fn within(place: &Place, what: &str, arguments: &[&str]) -> serde_json::Value {
    let line: Vec<&str> = ["ingest", "--output", "json"].iter().chain(arguments).copied().collect();
    let (run, peak) = measured(place.command(&line));
    let allowed = INGEST_MIB * MIB + base_bytes(place) + MARGIN_MIB * MIB;
    assert!(peak < allowed, "{what}: {} MiB of {} MiB", peak / MIB, allowed / MIB);
    run.ok().json()
}

#[test]
fn many_partitions() {
    let place = place();
    let row = |n: u32| {
        let columns: Vec<String> = (0..12).map(|column| format!("\"c{column}\":\"{n} {column}\"")).collect();
        format!("{{\"p\":{},{}}}\n", n * 7_919 % 1_000, columns.join(","))
    };
    place.write("in.json", (0..20_000).map(row).collect::<String>());
    let report = within(&place, "partitions", &["t", "in.json", "--partition-by", "p"]);
    assert_eq!((&report["rows"], &report["data_files"]), (&json!(20_000), &json!(1_000)));
}

#[test]
fn many_columns() {
    let place = place();
    let names = |n: u32| {
        (0..1_000).map(|column| format!("\"c{column}\":{}", n + column)).collect::<Vec<_>>().join(",")
    };
    let wide = (0..200).map(|n| format!("{{{}}}\n", names(n))).collect::<String>();
    place.write("in.json", wide + &"{}\n".repeat(100_000));
    let report = within(&place, "columns", &["t", "in.json"]);
    assert_eq!(report["rows"], 100_200);
}

#[test]
fn long_lines() {
    let place = place();
    let body = "0123456789abcdef".repeat((LINE_MIB << 16) - 2);
    let mut file = fs::File::create(place.path("in.json")).unwrap();
    for id in 0..36 {
        writeln!(file, "{{\"id\":{id},\"body\":\"{body}\"}}").unwrap();
    }
    let report = within(&place, "long lines", &["t", "in.json"]);
    assert_eq!((&report["rows"], &report["rejected"]), (&json!(36), &json!(0)));
    assert_eq!(place.rows("select count(*), min(length(body)) from t"), json!([[36, body.len()]]));
}

#[test]
fn a_line_without_end_in_a_gzip() {
    let place = place();
    let file = fs::File::create(place.path("in.json.gz")).unwrap();
    let mut text = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    text.write_all(b"{\"a\":1}\n{\"a\":\"").unwrap();
    let block = vec![b'x'; 1 << 20];
    (0..600).for_each(|_| text.write_all(&block).unwrap());
    text.finish().unwrap();
    let report = within(&place, "a line without end", &["t", "in.json.gz"]);
    assert_eq!((&report["rows"], &report["rejected"]), (&json!(1), &json!(1)));
}

#[test]
fn bad_lines_only() {
    let place = place();
    place.write("in.json", (String::from("no JSON at all, ") + &"!".repeat(83) + "\n").repeat(1_000_000));
    let report = within(&place, "bad lines", &["t", "in.json"]);
    assert_eq!((&report["rows"], &report["rejected"]), (&json!(0), &json!(1_000_000)));
}

#[test]
fn many_small_files() {
    let place = place();
    for n in 0..3_000 {
        place.write(&format!("in/{n}.json"), format!("{{\"n\":{n}}}\n"));
    }
    let report = within(&place, "small files", &["t", "in"]);
    assert_eq!((&report["rows"], &report["sources"]), (&json!(3_000), &json!(3_000)));
}

#[test]
fn a_limit_that_is_too_small_is_refused() {
    let place = Place::new();
    place.write("hosu.toml", "[ingest]\nmemory = \"511MiB\"\n");
    place.write("in.json", "{\"a\":1}\n");
    let run = place.hosu(&["--output", "json", "ingest", "t", "in.json"]);
    run.fails(1, "CONFIG_INVALID", "512MiB");
}

/// Runs a statement, and asserts that the peak was near the limit.
#[track_caller]
fn query_within(place: &Place, sql: &str) -> Run {
    let (run, peak) = measured(place.command(&["sql", "--output", "json", "-c", sql]));
    // What the system counts is looked at now and then, and an operator that was caught ends when it looks up.
    let allowed = (128 + 256) * MIB + base_bytes(place) + 128 * MIB;
    assert!(peak < allowed, "{sql}: {} MiB of {} MiB", peak / MIB, allowed / MIB);
    assert!(place.names("spilled").is_empty(), "{sql} left files behind");
    run
}

#[test]
fn functions_that_make_too_much_are_refused() {
    let place = place();
    for sql in [
        "select repeat('x', 2000000000)",
        "select lpad('x', 2000000000), rpad('x', 2000000000, 'ab')",
        "select length(concat(a, a)) from (select repeat('x', 40000000) as a) t",
        "select replace(repeat('x', 1000000), 'x', repeat('y', 1000))",
        "select range(1, 1000000000)",
        "select generate_series(1, 1000000000)",
        "select array_repeat('abc', 1000000000)",
        "select repeat('x', 60000 + value * 0) from generate_series(1, 100000) t",
    ] {
        query_within(&place, sql).fails(1, "INVALID_FUNCTION_ARGUMENT", "are allowed");
    }
}

#[test]
fn queries_that_gather_too_much_fail_and_say_where_the_limit_is() {
    let place = place();
    let series = "generate_series(1, 10000)";
    for sql in [
        "select array_agg(value) from generate_series(1, 100000000) t",
        "select string_agg(cast(value as varchar), ',') from generate_series(1, 100000000) t",
        "select count(*) from generate_series(1, 30000000) a join generate_series(1, 30000000) b on a.value = b.value",
        "select array_agg(repeat('x', 5000 + value * 0)) from generate_series(1, 200000) t",
    ] {
        query_within(&place, sql).fails(1, "EXCEEDED_LOCAL_MEMORY_LIMIT", "query.memory");
    }
    let crossed = format!(
        "select a.value + b.value as v from {series} a cross join {series} b order by v desc limit 1"
    );
    assert_eq!(query_within(&place, &crossed).ok().json()["rows"], json!([[20000]]));
}

#[test]
fn a_sort_beyond_the_limit_spills_and_leaves_nothing() {
    let place = place();
    let rows = "select value, repeat('x', 150 + value * 0) as x from generate_series(1, 1000000) t";
    let sql = format!(
        "select max(r), sum(length(x)) from (select x, row_number() over (order by value % 1000, x) as r from ({rows}) u) t"
    );
    assert_eq!(query_within(&place, &sql).ok().json()["rows"], json!([[1_000_000, 150_000_000]]));
}

#[test]
fn a_query_that_is_stopped_leaves_nothing() {
    let place = place();
    let sql = "select * from (select value, repeat('x', 200 + value * 0) as x from generate_series(1, 100000000) t) order by value % 1000, x";
    let mut child = place.start(&["sql", "-c", sql]);
    // It has spilled once there is something.
    while place.names("spilled").is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it spilled");
        thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    assert!(place.names("spilled").is_empty(), "{:?}", place.names("spilled"));
    assert_eq!(fs::read_dir(place.path("spilled")).unwrap().count(), 0);
}
