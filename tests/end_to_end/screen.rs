//! Answers on a terminal: the pager, wide rows, the progress line; and answers into pipes and files that end badly. The
//! terminal is made by `script` of util-linux.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use super::{Place, Run, say};

/// More rows than anybody waits for.
const ENDLESS: &str = "select a.id from events a, events b, events c, events d, events e, events f";
/// A count that takes as long.
const SLOW: &str = "select count(*) from events a, events b, events c, events d, events e, events f \
                    where a.id + b.id + c.id + d.id + e.id + f.id = 7";
const ROWS: usize = 200;

fn lake() -> Place {
    let place = Place::new();
    let row = |id: usize| format!("{{\"id\":{id},\"name\":\"이름 {id}\",\"geo\":{{\"city\":\"서울\"}}}}\n");
    place.write("events.ndjson", (0..ROWS).map(row).collect::<String>());
    place.ingest(&["events", "events.ndjson"]);
    place
}

/// `hosu sql` with these arguments in a terminal of 40 columns and 10 lines; none where no terminal can be made.
fn in_terminal(place: &Place, variables: &[(&str, &str)], arguments: &[&str]) -> Option<Command> {
    if !Path::new("/usr/bin/script").exists() {
        say("skipped: there is no /usr/bin/script to make a terminal with");
        return None;
    }
    let quoted: Vec<String> =
        arguments.iter().map(|argument| format!("'{}'", argument.replace('\'', "'\\''"))).collect();
    let line = format!("exec {} sql {}", env!("CARGO_BIN_EXE_hosu"), quoted.join(" "));
    let mut command = Command::new("/usr/bin/script");
    command.args(["-q", "-e", "-c", &line, "/dev/null"]).current_dir(place.path(".")).env_clear();
    command.envs([("PATH", "/usr/bin:/bin"), ("TERM", "xterm"), ("COLUMNS", "40"), ("LINES", "10")]);
    command.env("SHELL", "/bin/sh").env("HOME", place.path(".")).envs(variables.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Some(command)
}

/// What the terminal showed in the end.
fn shown(place: &Place, variables: &[(&str, &str)], arguments: &[&str]) -> Option<Run> {
    let run: Run = in_terminal(place, variables, arguments)?.output().unwrap().into();
    Some(Run { stdout: run.stdout.replace("\r\n", "\n"), ..run })
}

/// Reads until a text has come.
fn wait_for(text: &str, out: &mut ChildStdout) -> String {
    let mut seen = Vec::new();
    let mut chunk = [0; 1024];
    loop {
        let read = out.read(&mut chunk).unwrap();
        seen.extend_from_slice(&chunk[..read]);
        let so_far = String::from_utf8_lossy(&seen);
        if so_far.contains(text) {
            return so_far.into_owned();
        }
        assert!(read > 0, "`{text}` never came: {so_far}");
    }
}

fn started(mut command: Command) -> Child {
    command.stdin(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_long_answer_goes_into_the_pager_and_a_short_one_does_not() {
    let place = lake();
    let pager = [("PAGER", "cat > paged.txt")];
    let Some(long) = shown(&place, &pager, &["-c", "select id from events order by id"]) else { return };
    let paged = fs::read_to_string(place.path("paged.txt")).unwrap();
    assert_eq!(paged.lines().count(), ROWS + 2, "{paged}");
    assert!(paged.starts_with("  id\n-----\n   0\n"), "{paged}");
    assert!(long.ok().stdout.starts_with("(200 rows, "));
    fs::remove_file(place.path("paged.txt")).unwrap();
    let short = shown(&place, &pager, &["-c", "select id from events order by id limit 6"]).unwrap();
    assert!(short.ok().stdout.starts_with(" id\n----\n  0\n"));
    assert!(!place.path("paged.txt").exists());
    for none in [[("PAGER", "")], [("PAGER", "cat")]] {
        let run = shown(&place, &none, &["-c", "select id from events order by id"]).unwrap().ok();
        assert_eq!(run.stdout.lines().count(), ROWS + 3);
    }
    let own = [("PAGER", "cat > paged.txt"), ("HOSU_PAGER", "cat > own.txt")];
    shown(&place, &own, &["-c", "select id from events"]).unwrap().ok();
    assert!(place.path("own.txt").exists() && !place.path("paged.txt").exists());
}

#[test]
fn who_quits_the_pager_ends_the_query() {
    let place = lake();
    let pager = [("PAGER", "head -n 3 > paged.txt")];
    let Some(run) = shown(&place, &pager, &["-c", ENDLESS]) else { return };
    assert!(run.ok().stdout.starts_with("(stopped after "));
    assert_eq!(fs::read_to_string(place.path("paged.txt")).unwrap().lines().count(), 3);
    let missing = shown(&place, &[("PAGER", "no-such-pager")], &["-c", ENDLESS]).unwrap();
    assert!(missing.ok().stdout.contains("no-such-pager"));
}

#[test]
fn ctrl_c_in_the_pager_is_the_pagers() {
    let place = lake();
    // It reads nothing before it was interrupted.
    let pager = "trap 'touch interrupted' INT; echo waits >&2; \
                 while [ ! -e interrupted ]; do sleep 0.1; done; cat > paged.txt";
    let statement = "select a.id, a.name, a.geo from events a, events b order by 1";
    let Some(command) = in_terminal(&place, &[("PAGER", pager)], &["-c", statement]) else { return };
    let mut child = started(command);
    let mut out = child.stdout.take().unwrap();
    wait_for("waits", &mut out);
    let mut keyboard = child.stdin.take().unwrap();
    keyboard.write_all(b"\x03").unwrap();
    let end = wait_for(" rows, ", &mut out);
    assert!(end.contains("(40,000 rows, "), "{end}");
    assert!(child.wait().unwrap().success());
    assert_eq!(fs::read_to_string(place.path("paged.txt")).unwrap().lines().count(), ROWS * ROWS + 2);
}

#[test]
fn a_slow_statement_tells_how_far_it_is_and_leaves_no_trace() {
    let place = lake();
    for statement in
        [SLOW.to_owned(), format!("explain analyze {SLOW}"), format!("insert into events (id) {SLOW}")]
    {
        let Some(command) = in_terminal(&place, &[("COLUMNS", "200")], &["-c", &statement]) else { return };
        let mut child = started(command);
        let mut out = child.stdout.take().unwrap();
        wait_for(" rows, ", &mut out);
        child.stdin.as_mut().unwrap().write_all(b"\x03").unwrap();
        let end = wait_for("error: interrupted", &mut out);
        // The line is cleared, and the error stands in its place; `^C` is the terminal's own.
        assert!(end.contains("\r\u{1b}[2Kerror: interrupted"), "{end:?}");
        assert_eq!(child.wait().unwrap().code(), Some(130));
    }
    place.check_sound();
}

#[test]
fn wide_rows_are_turned_and_null_is_dim() {
    let place = lake();
    let statement = "select id, name, geo, cast(null as varchar) as nothing from events where id = 1";
    let Some(wide) = shown(&place, &[("COLUMNS", "30")], &["-c", statement]) else { return };
    let turned = "-[ row 1 ]-\nid      | 1\nname    | 이름 1\ngeo     | {city=서울}\nnothing | \u{1b}[2mNULL\u{1b}[0m\n";
    assert!(wide.ok().stdout.starts_with(turned));
    let broad = shown(&place, &[("COLUMNS", "80"), ("NO_COLOR", "1")], &["-c", statement]).unwrap().ok();
    assert!(broad.stdout.starts_with(" id | name   | geo         | nothing\n"), "{broad:?}");
    assert!(broad.stdout.contains("\n  1 | 이름 1 | {city=서울} | NULL\n"), "{broad:?}");
    for columns in ["1", "5"] {
        let narrow = [("COLUMNS", columns), ("LINES", "3"), ("PAGER", "cat")];
        let run = shown(&place, &narrow, &["-c", statement]).unwrap().ok();
        assert!(run.stdout.starts_with("-[ row 1 ]-\nid      | 1\n"), "{run:?}");
    }
    let piped = place.hosu(&["sql", "-c", statement]).ok();
    assert!(piped.stdout.starts_with(" id | name "), "{piped:?}");
    let expanded = place.hosu(&["sql", "-x", "-c", statement]).ok();
    assert!(expanded.stdout.starts_with("-[ row 1 ]-\nid      | 1\n"), "{expanded:?}");
}

#[test]
fn a_reader_that_goes_away_ends_the_query_quietly() {
    let place = lake();
    for format in ["table", "csv", "ndjson"] {
        let mut child = place.start(&["sql", "--format", format, "-c", ENDLESS]);
        let mut first = [0; 10];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        drop(child.stdin.take());
        let run: Run = child.wait_with_output().unwrap().into();
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{format}");
    }
}

#[test]
fn a_query_into_a_pipe_that_nobody_reads_can_be_interrupted() {
    let place = lake();
    let mut child = place.start(&["sql", "--format", "csv", "-c", ENDLESS]);
    let mut out = child.stdout.take().unwrap();
    let mut first = [0; 10];
    out.read_exact(&mut first).unwrap();
    let pid = child.id().to_string();
    Command::new("kill").args(["-INT", &pid]).status().unwrap();
    let mut left = Vec::new();
    let mut wait = Duration::ZERO;
    // Nobody reads until it has ended.
    while child.try_wait().unwrap().is_none() && wait < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(50));
        wait += Duration::from_millis(50);
    }
    assert_eq!(child.try_wait().unwrap().and_then(|status| status.code()), Some(130));
    out.read_to_end(&mut left).unwrap();
}

#[test]
fn a_full_disk_is_one_clear_error() {
    let place = lake();
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else {
        say("skipped: there is no /dev/full to write to");
        return;
    };
    for arguments in
        [&["sql", "-c", "select 1"][..], &["sql", "--format", "csv", "-c", "select * from events"]]
    {
        let mut command = place.command(arguments);
        let run: Run =
            command.stdout(full.try_clone().unwrap()).stderr(Stdio::piped()).output().unwrap().into();
        assert_eq!(run.code, 1, "{run:?}");
        assert!(run.stderr.starts_with("error: cannot write the output: no space is left\n"), "{run:?}");
        assert_eq!(run.stderr.matches("error").count(), 1, "{run:?}");
    }
    let run = place.hosu(&["sql", "-c", "select 1", "-o", "/dev/full"]);
    assert!(run.code == 1 && run.stderr.starts_with("error: cannot write the output"), "{run:?}");
}

#[test]
fn rows_go_into_a_file_and_figures_do_not() {
    let place = lake();
    let run =
        place.hosu(&["sql", "--format", "csv", "-o", "rows.csv", "-c", "select 1 as a; select 2 as b"]).ok();
    assert_eq!((run.stdout.as_str(), run.stderr.lines().count()), ("", 2));
    assert_eq!(fs::read_to_string(place.path("rows.csv")).unwrap(), "a\n1\nb\n2\n");
    let error = place.hosu(&["--output", "json", "sql", "-o", "no/rows.csv", "-c", "select 1"]);
    error.fails(1, "FILE_UNWRITABLE", "rows.csv");
}

#[test]
fn answers_of_strange_shapes() {
    let place = lake();
    let columns: Vec<String> = (0..10_000).map(|at| format!("{at} as c")).collect();
    place.write("wide.sql", format!("select {}", columns.join(", ")));
    let wide = place.hosu(&["sql", "--format", "csv", "-f", "wide.sql"]).ok();
    assert_eq!(wide.stdout.lines().map(|line| line.split(',').count()).collect::<Vec<_>>(), [10_000, 10_000]);
    for (format, megabytes) in [("table", 60), ("csv", 10), ("ndjson", 10), ("vertical", 10)] {
        let large = format!("select repeat('0123456789', {megabytes}00000) as a, 1 as b");
        let (run, bytes) =
            (place.hosu(&["sql", "--format", format, "-c", &large]).ok(), megabytes * 1_000_000);
        assert!((bytes..bytes + 10_000).contains(&run.stdout.len()), "{format}: {}", run.stdout.len());
    }
    let empty = place.hosu(&["sql", "-c", "select id as a, id as a from events where id < 0"]).ok();
    assert_eq!(empty.stdout, " a | a\n---+---\n");
    assert!(empty.stderr.starts_with("(0 rows, "), "{empty:?}");
}
