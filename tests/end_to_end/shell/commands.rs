//! Commands with a backslash, cancelling, leaving.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{Terminal, lake};

/// So many rows that no machine ends soon.
const ENDLESS: &str = "select count(*) from events a, events b, events c, events d, events e, events f, events g, events h, \
                       events i, events j, events k, events l, events m, events n, events o, events p, events q, \
                       events r, events s, events t where a.id + t.id = -1;";

#[test]
fn ctrl_c_cancels_the_query_and_not_the_shell() {
    let place = lake();
    let Some(terminal) = Terminal::open(&place) else { return };
    terminal.enter(ENDLESS);
    terminal.wait("the query runs", |screen| screen.contains("= -1;") && terminal.has_plain_modes());
    terminal.press(&["C-c"]);
    terminal.wait_for("cancelled");
    terminal.wait_for_prompt();
    assert!(terminal.answer("select 'still here' as x;").contains("still here"));
    // At the prompt it clears the line.
    terminal.write("select garbage");
    terminal.forget_line();
    terminal.press(&["C-d"]);
    terminal.wait_for_end(0);
}

#[test]
fn tables_databases_and_functions_are_described() {
    let place = lake();
    let Some(terminal) = Terminal::open(&place) else { return };
    assert!(terminal.answer("\\d").contains("events"));
    assert!(terminal.answer("\\dt ev*").contains("events"));
    let columns = terminal.answer("\\d events");
    assert!(columns.contains("geo") && columns.contains("struct<city:string,country:string>"), "{columns}");
    assert!(terminal.answer("\\l").contains("default"));
    let functions = terminal.answer("\\df date_tr");
    assert!(functions.contains("date_trunc(") && !functions.contains("upper"), "{functions}");
    let wrong = terminal.answer("\\d evnts");
    assert!(wrong.contains("default.events") && wrong.contains("DESCRIBE"), "{wrong}");
    assert_eq!(
        terminal.answer("\\timin"),
        "there is no command \\timin: did you mean \\timing? (\\? lists all)\nhosu:default=>\n"
    );
    assert!(terminal.answer("help").contains("\\watch"));
    assert!(terminal.answer("\\h insert").contains("INSERT INTO"));
    assert!(terminal.answer(".tables").contains("events"));
}

#[test]
fn a_list_that_is_wider_than_the_screen_is_not_turned() {
    let place = lake();
    let Some(terminal) = Terminal::open_with(&place, 40, "", &[]) else { return };
    let columns = terminal.answer("\\d events");
    assert!(columns.contains("struct<city:string") && !columns.contains("row 1"), "{columns}");
    let rows = terminal.answer("select * from events;");
    assert!(rows.contains("row 1"), "{rows}");
}

#[test]
fn the_database_is_changed_and_shown() {
    let place = lake();
    let Some(terminal) = Terminal::open(&place) else { return };
    terminal.answer("create database game;");
    terminal.enter("\\c GAME");
    terminal.wait_for_line("hosu:game=>");
    terminal.enter("use nowhere;");
    terminal.wait_for("error: ");
    terminal.wait_for_line("hosu:game=>");
    terminal.enter("use default;");
    terminal.wait_for_prompt();
}

#[test]
fn rows_are_shown_as_they_are_wished() {
    let place = lake();
    let Some(terminal) = Terminal::open_with(&place, 100, "--format csv", &[]) else { return };
    assert!(terminal.answer("select 1 as a, 'x' as b;").starts_with("a,b\n1,x\n"));
    terminal.answer("\\format table");
    assert!(terminal.answer("\\x on").contains("expanded on"));
    let vertical = terminal.answer("select 1 as a, 'x' as b;");
    assert!(vertical.contains("a | 1\nb | x\n"), "{vertical}");
    terminal.answer("\\x off");
    assert!(terminal.answer("select 1 as a, 'x' as b \\gx").contains("a | 1\nb | x\n"));
    terminal.answer("\\pset null '(none)'");
    assert!(terminal.answer("select name from events where id = 4;").contains("(none)"));
    terminal.answer("\\timing off");
    assert!(!terminal.answer("select 1 as a;").contains("(1 row"));
}

#[test]
fn rows_go_to_files_and_statements_come_from_them() {
    let place = lake();
    let Some(terminal) = Terminal::open(&place) else { return };
    terminal.answer("\\format csv");
    terminal.answer("\\o out.csv");
    let shown = terminal.answer("select id from events order by id;");
    assert!(!shown.contains("\n4\n"), "{shown}");
    terminal.answer("\\o");
    assert_eq!(fs::read_to_string(place.path("out.csv")).unwrap(), "id\n1\n2\n3\n4\n");
    terminal.answer("select 5 as five \\g five.csv");
    assert_eq!(fs::read_to_string(place.path("five.csv")).unwrap(), "five\n5\n");
    place.write("report.sql", "\\echo begin\nselect 'from a file' as x;\nselect 'no semicolon' as y");
    let report = terminal.answer("\\i report.sql");
    assert!(
        report.contains("begin") && report.contains("from a file") && report.contains("no semicolon"),
        "{report}"
    );
    place.write("bad.sql", "select 1 as x;\nselect nope from events;\nselect 'too far' as y;");
    let bad = terminal.answer("\\i bad.sql");
    assert!(bad.contains("error: ") && !bad.contains("too far"), "{bad}");
    place.write("again.sql", "\\i again.sql\n");
    assert!(terminal.answer("\\i again.sql").contains("read each other"));
    assert!(terminal.answer("\\i nothing.sql").contains("cannot read"));
}

#[test]
fn an_editor_changes_the_statement() {
    let place = lake();
    let editor = place.write("editor", "#!/bin/sh\nsed -i \"s/1/'edited'/\" \"$1\"\n");
    fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).unwrap();
    let editor = editor.display().to_string();
    let Some(terminal) = Terminal::open_with(&place, 100, "", &[("EDITOR", &editor)]) else { return };
    terminal.enter("select 1");
    terminal.wait_for_line("hosu:default->");
    terminal.enter("as x \\e");
    // Unfinished, it stands on the line.
    terminal.wait_for("select 'edited'\nas x");
    terminal.write(";");
    terminal.press(&["Enter"]);
    terminal.wait_for("(1 row, ");
    terminal.wait_for_prompt();
    assert!(terminal.answer("\\p").contains("select 'edited'\nas x"));
    assert!(terminal.answer("\\r").contains("forgotten"));
}

#[test]
fn a_statement_is_watched_until_ctrl_c() {
    let place = lake();
    let Some(terminal) = Terminal::open(&place) else { return };
    terminal.enter("select count(*) as n from events \\watch 0.1");
    terminal.wait("runs", |screen| screen.matches("(1 row, ").count() >= 3);
    terminal.forget_line();
    assert!(terminal.answer("select 'done' as x;").contains("done"));
}

#[test]
fn a_startup_file_is_read() {
    let place = lake();
    place.write(".hosurc", "\\pset null none\n\\timing off\n");
    let Some(terminal) = Terminal::open(&place) else { return };
    let answer = terminal.answer("select name from events where id = 4;");
    assert!(answer.contains("none") && !answer.contains("(1 row"), "{answer}");
}

#[test]
fn every_way_out_works() {
    let place = lake();
    for way in ["\\q", "quit", "exit;", ".exit"] {
        let Some(terminal) = Terminal::open(&place) else { return };
        terminal.enter(way);
        terminal.wait_for_end(0);
    }
    let Some(terminal) = Terminal::open(&place) else { return };
    // The shell's process is the parent of what it starts.
    terminal.enter("\\! kill $PPID");
    terminal.wait_for_end(130);
}
