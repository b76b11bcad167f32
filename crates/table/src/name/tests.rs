//! What people type as a table's name, good and bad.

use super::*;
use proptest::prelude::*;

fn name(database: &str, table: &str) -> TableName {
    TableName::stored(database, table)
}

#[test]
fn names_with_and_without_a_database() {
    assert_eq!(TableName::parse("events"), Ok(name("default", "events")));
    assert_eq!(TableName::parse("Games.Login-Events_2"), Ok(name("games", "login-events_2")));
    assert_eq!(TableName::parse("게임.로그"), Ok(name("게임", "로그")));
    assert_eq!(TableName::parse_in("events", "games"), Ok(name("games", "events")));
    assert_eq!("a.b".parse(), Ok(name("a", "b")));
    assert_eq!(name("a", "b").to_string(), "a.b");
    assert_eq!(parse_database("Games"), Ok("games".to_owned()));
}

#[test]
fn each_bad_name_is_told_what_is_wrong() {
    let message = |text: &str| TableName::parse(text).unwrap_err().to_string();
    assert_eq!(message("a.b.c"), "`a.b.c` has 2 dots: a table is named `table` or `database.table`");
    assert!(message("").contains("empty"));
    assert!(message(".events").contains("empty"));
    assert!(message("events.").contains("empty"));
    assert!(message("..").contains("2 dots"));
    assert!(message("../etc").contains("'/'"));
    assert!(message("a/b").contains("'/'"));
    assert!(message("\"a\"").contains("'\"'"));
    assert!(message("it's").contains("which names cannot have"));
    assert!(message("a\nb").contains("'\\n'"));
    assert!(message("a b").contains("' '"));
    assert!(message("a\u{0}").contains("'\\0'"));
    assert!(message("a\u{202e}b").contains("which names cannot have"));
    assert!(message(&"x".repeat(300)).contains("300 characters"));
    assert!(TableName::parse(&"가".repeat(128)).is_ok());
    assert!(parse_database("a.b").is_err());
    assert!(parse_database("..").is_err());
}

#[test]
fn events_are_not_loaded_among_rejects() {
    let events = name("default", "events");
    assert_eq!(events.rejects(), name("default", "events_rejects"));
    assert!(events.rejects().is_rejects() && !events.is_rejects());
    assert_eq!(events.check_ingest_target(), Ok(()));
    assert!(events.rejects().check_ingest_target().unwrap_err().to_string().contains("`events` rejects"));
    assert_eq!(name("default", "_rejects").check_ingest_target(), Ok(()));
    assert!(name("default", &"x".repeat(121)).check_ingest_target().is_err());
    assert!(TableName::parse("events_rejects").is_ok(), "rejects can be asked for");
}

#[test]
fn the_nearest_name_is_the_one_meant() {
    let columns = ["event_id", "event_time", "user_id", "amount"];
    assert_eq!(nearest("event_tmie", columns), Some("event_time"));
    assert_eq!(nearest("USERID", columns), Some("user_id"));
    assert_eq!(nearest("ammount", columns), Some("amount"));
    assert_eq!(nearest("country", columns), None);
    assert_eq!(nearest("x", []), None);
    assert_eq!(nearest(&"x".repeat(10_000), columns), None);
}

proptest! {
    #[test]
    fn a_parsed_name_reads_back_as_itself(text in "\\PC{0,40}") {
        if let Ok(parsed) = TableName::parse(&text) {
            prop_assert_eq!(TableName::parse(&parsed.to_string()), Ok(parsed));
        }
    }

    #[test]
    fn distance_is_symmetric(a in "[abc]{0,8}", b in "[abc]{0,8}") {
        let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
        prop_assert_eq!(edit_distance(&a, &b), edit_distance(&b, &a));
        prop_assert_eq!(edit_distance(&a, &a), 0);
    }
}
