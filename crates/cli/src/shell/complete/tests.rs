//! Each test is a line with a cursor `|` in it and what Tab offers there.

use std::sync::Arc;

use hosu_query::{FunctionInfo, FunctionKind};

use super::*;

fn column(name: &str, fields: &[&str]) -> Column {
    let fields = fields.iter().map(|name| column(name, &[])).collect();
    Column { name: name.to_owned(), fields }
}

fn names() -> Names {
    let mut names = Names::default();
    let tables = |tables: &[&str]| tables.iter().map(|table| (*table).to_owned()).collect::<Vec<_>>();
    names.databases.insert("default".into(), tables(&["events", "events_rejects", "Users", "odd-name"]));
    names.databases.insert("game".into(), tables(&["players"]));
    let key = |database: &str, table: &str| (database.to_owned(), table.to_owned());
    let events = vec![
        column("event_time", &[]),
        column("userId", &[]),
        column("geo", &["city", "country"]),
        column("order", &[]),
    ];
    names.columns.insert(key("default", "events"), Arc::new(events));
    names.columns.insert(key("default", "users"), Arc::new(vec![column("name", &[]), column("수도", &[])]));
    names.columns.insert(key("game", "players"), Arc::new(vec![column("level", &[])]));
    let function = |name: &str| FunctionInfo {
        name: name.to_owned(),
        kind: FunctionKind::Scalar,
        syntax: String::new(),
        description: String::new(),
    };
    names.functions = Arc::new(["count", "cosine", "upper", "->"].map(function).to_vec());
    names
}

/// What is offered at the `|`.
fn offered(line: &str) -> Vec<String> {
    let at = line.find('|').expect("a cursor");
    complete(Typed { text: &line.replacen('|', "", 1), at, database: "default" }, &names()).candidates
}

/// The line with the only candidate.
#[track_caller]
fn completed(line: &str) -> String {
    let at = line.find('|').expect("a cursor");
    let text = line.replacen('|', "", 1);
    let completion = complete(Typed { text: &text, at, database: "default" }, &names());
    let [only] = completion.candidates.as_slice() else { panic!("{line}: {:?}", completion.candidates) };
    format!("{}{only}{}", &text[..completion.start], &text[at..])
}

#[test]
fn a_statement_begins_with_a_keyword() {
    assert_eq!(completed("sel|"), "select");
    assert_eq!(completed("SEL|"), "SELECT");
    assert_eq!(completed("select 1; sho|"), "select 1; show");
    assert_eq!(offered("|"), keywords::FIRST);
}

#[test]
fn tables_and_databases_where_a_table_is_wanted() {
    assert_eq!(offered("select * from ev|"), ["events", "events_rejects"]);
    assert_eq!(
        offered("select * from |"),
        ["events", "events_rejects", "Users", "\"odd-name\"", "default", "game"]
    );
    assert_eq!(completed("select * from US|"), "select * from Users");
    assert_eq!(completed("select * from game.|"), "select * from game.players");
    assert_eq!(completed("select * from events e join use|"), "select * from events e join Users");
    assert_eq!(completed("select * from events, us|"), "select * from events, Users");
    assert_eq!(completed("insert into game.pl|"), "insert into game.players");
    assert_eq!(completed("describe us|"), "describe Users");
    assert_eq!(completed("show columns in us|"), "show columns in Users");
    assert_eq!(completed("show create table od|"), "show create table `odd-name`");
    assert_eq!(completed("select * from \"odd|"), "select * from \"odd-name\"");
    assert_eq!(completed("drop table if exists us|"), "drop table if exists Users");
    assert_eq!(
        completed("with recent as (select 1) select * from re|"),
        "with recent as (select 1) select * from recent"
    );
}

#[test]
fn databases_where_a_database_is_wanted() {
    assert_eq!(completed("use ga|"), "use game");
    assert_eq!(completed("show tables in g|"), "show tables in game");
    assert_eq!(completed("drop database g|"), "drop database game");
}

#[test]
fn columns_of_the_tables_in_from_come_first() {
    assert_eq!(completed("select event_| from events"), "select event_time from events");
    assert_eq!(completed("select * from events where USER|"), "select * from events where userId");
    assert_eq!(offered("select | from events"), ["event_time", "userId", "geo", "\"order\"", "events"]);
    assert_eq!(offered("select * from events where u|")[0], "userId");
    assert_eq!(completed("select lev| from game.players"), "select level from game.players");
    assert_eq!(completed("select event_|"), "select event_time", "before FROM is there");
    assert_eq!(completed("select * from users where 수|"), "select * from users where 수도");
    assert_eq!(
        completed("select ord| from events where \"or|".replacen('|', "", 1).as_str()),
        "select ord from events where \"order\""
    );
}

#[test]
fn behind_a_dot_are_columns_and_fields() {
    assert_eq!(completed("select e.us| from events e"), "select e.userId from events e");
    assert_eq!(completed("select e.us| from events as e"), "select e.userId from events as e");
    assert_eq!(completed("select events.geo.ci| from events"), "select events.geo.city from events");
    assert_eq!(offered("select geo.| from events"), ["city", "country"]);
    assert_eq!(offered("select e.geo.c| from events e"), ["city", "country"]);
    assert_eq!(completed("select geo[1].cit| from events"), "select geo[1].city from events");
    assert_eq!(
        completed("select p.le| from events e, game.players p"),
        "select p.level from events e, game.players p"
    );
    assert_eq!(
        completed("select * from events join users u on u.na|"),
        "select * from events join users u on u.name"
    );
    assert_eq!(
        completed("select default.events.user| from default.events"),
        "select default.events.userId from default.events"
    );
    assert!(offered("select x.| from events e").is_empty());
}

#[test]
fn functions_and_keywords_elsewhere() {
    assert_eq!(offered("select co|"), ["column", "columns", "comment", "count(", "cosine("]);
    assert_eq!(completed("select cosi|"), "select cosine(");
    assert_eq!(offered("select 1 whe|"), ["when", "where"]);
}

#[test]
fn nothing_in_texts_numbers_and_comments() {
    for line in [
        "select 'ev|",
        "select 'ev|' from events",
        "select 12|",
        "select 1 -- ev|",
        "select 1 /* ev| */",
        "-- |",
    ] {
        assert!(offered(line).is_empty(), "{line}: {:?}", offered(line));
    }
    assert!(!offered("/* a */ sel|").is_empty());
    assert!(!offered("-- a\nsel|").is_empty());
}

#[test]
fn hostile_texts_are_completed_at_once() {
    for text in [
        "(".repeat(100_000),
        "from a,".repeat(30_000),
        "a.".repeat(100_000),
        "with ".repeat(50_000),
        "]".repeat(100_000) + ".",
    ] {
        let typed = Typed { text: &text, at: text.len(), database: "default" };
        let _ = (complete(typed, &names()), tables_in_scope(typed));
    }
    let _ = complete(Typed { text: "텍", at: 1, database: "" }, &names());
    let _ = complete(Typed { text: "a", at: 7, database: "" }, &names());
}

#[test]
fn commands_complete_names_and_arguments() {
    let offered = |line: &str| match command(line, line.len(), "default", &names()) {
        CommandCompletion::Words(completion) => completion.candidates,
        CommandCompletion::File => vec!["(file)".to_owned()],
    };
    assert_eq!(offered("\\wa"), ["\\watch"]);
    assert_eq!(offered("\\d ev"), ["events", "events_rejects"]);
    assert_eq!(offered("\\d game."), ["players"]);
    assert_eq!(offered("\\c "), ["default", "game"]);
    assert_eq!(offered("\\x a"), ["auto"]);
    assert_eq!(offered("\\pset fo"), ["format"]);
    assert_eq!(offered("\\pset format nd"), ["ndjson"]);
    assert_eq!(offered("\\df cou"), ["count"]);
    assert_eq!(offered("\\i "), ["(file)"]);
    assert!(offered("\\zzz a").is_empty());
}
