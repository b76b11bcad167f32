//! What a newcomer does first: the demo, with no configuration and nothing installed.

use std::fs;

use super::Place;

#[test]
fn the_demo_answers_three_questions_and_leaves_nothing() {
    let place = Place::new();
    let temporary = place.path("tmp");
    fs::create_dir(&temporary).unwrap();
    let output = place.command(&["demo"]).env("TMPDIR", &temporary).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(text.matches("hosu> select").count(), 3, "{text}");
    for expected in [
        "raw.events: 3,000 events",
        "default.cloudtrail: 1,000 events",
        " match ",
        "AccessDenied",
        "logins: 759 rows added to curated.logins",
        "logins: nothing new",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
    assert!(!place.path("lake").exists());
}

#[test]
fn the_lake_of_the_demo_can_be_kept() {
    let place = Place::new();
    let temporary = place.path("tmp");
    fs::create_dir(&temporary).unwrap();
    let output = place.command(&["demo", "--keep"]).env("TMPDIR", &temporary).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lake = text.lines().find_map(|line| line.trim().strip_prefix("hosu --lake ")).unwrap();
    let lake = lake.split_whitespace().next().unwrap();
    let run =
        place.hosu(&["--lake", lake, "sql", "--format", "csv", "-c", "select count(*) as n from raw.events"]);
    assert_eq!(run.ok().stdout, "n\n3000\n");
    place.hosu(&["--lake", lake, "doctor"]).ok();
}
