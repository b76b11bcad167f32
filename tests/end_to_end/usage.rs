//! The command line itself: help that teaches, wrong usage, verbs of later versions, the configuration.

use super::Place;

#[test]
fn help_teaches_by_examples() {
    let place = Place::new();
    let help = place.hosu(&["--help"]).ok().stdout;
    for expected in ["hosu demo", "hosu ingest events", "hosu sql -c", "hosu doctor", "Exit codes"] {
        assert!(help.contains(expected), "{expected}\n{help}");
    }
    for verb in ["ingest", "sql", "job", "schedule", "doctor", "demo"] {
        let help = place.hosu(&[verb, "--help"]).ok().stdout;
        assert!(help.contains("Examples:") && help.contains(&format!("hosu {verb}")), "{help}");
    }
    assert!(place.hosu(&["--version"]).ok().stdout.starts_with("hosu "));
}

#[test]
fn wrong_usage_exits_with_2() {
    let place = Place::new();
    for line in [
        &["--output", "json"][..],
        &["--output", "json", "swim"],
        &["--output=json", "ingest", "events"],
        &["ingest", "events", "x", "--on-changed", "maybe", "--output", "json"],
        &["--output", "json", "sql", "-c", "select 1", "-f", "x.sql"],
        &["--output", "json", "sql", "-c", "select 1", "--format", "xml"],
    ] {
        place.hosu(line).fails(2, "USAGE", "");
    }
    let people = place.hosu(&["swim"]);
    assert_eq!((people.code, people.stdout.as_str()), (2, ""));
    assert!(people.stderr.contains("swim") && people.stderr.contains("--help"), "{people:?}");
}

#[test]
fn verbs_of_later_versions_say_so() {
    let place = Place::new();
    for line in [&["maintain", "events"][..], &["table", "register", "x"]] {
        let line: Vec<&str> = ["--output", "json"].iter().chain(line).copied().collect();
        place.hosu(&line).fails(1, "NOT_SUPPORTED", line[2]);
    }
}

#[test]
fn a_misspelt_key_of_the_configuration_is_an_error_with_its_line() {
    let place = Place::new();
    place.write("hosu.toml", "[lake]\nwharehouse = 'x'\n");
    let error = place.hosu(&["doctor", "--output", "json"]).fails(1, "CONFIG_INVALID", "wharehouse");
    assert_eq!(error["line"], 2);
    let missing = place.hosu(&["doctor", "--output", "json", "--config", "none.toml"]);
    missing.fails(1, "CONFIG_UNREADABLE", "none.toml");
}

#[test]
fn reading_commands_make_nothing() {
    let place = Place::new();
    let run = place.hosu(&["doctor", "--output", "json"]).ok();
    assert_eq!(run.json()["tables"].as_array().map(Vec::len), Some(0));
    assert!(!place.path("lake").exists());
}
