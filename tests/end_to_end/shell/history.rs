//! What was typed before: kept between runs, found again, shared by shells side by side.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{Terminal, lake};

#[test]
fn entries_are_there_in_the_next_shell_with_their_lines() {
    let place = lake();
    let Some(terminal) = Terminal::open(&place) else { return };
    terminal.enter("select 1 as one;");
    terminal.wait_for("(1 row, ");
    terminal.wait_for_prompt();
    terminal.enter("select 'two'");
    terminal.wait_for_line("hosu:default->");
    terminal.enter("  as lines;");
    terminal.wait("two answers", |screen| screen.matches("(1 row, ").count() == 2);
    terminal.wait_for_prompt();
    terminal.press(&["C-d"]);
    terminal.wait_for_end(0);
    let path = place.path(".local/state/hosu/history");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_to_string(&path).unwrap(), "select 1 as one;\nselect 'two'\\n  as lines;\n");

    terminal.again();
    terminal.press(&["Up"]);
    terminal.wait_for("hosu:default=> select 'two'\n  as lines;");
    terminal.press(&["Enter"]);
    terminal.wait_for("(1 row, ");
    terminal.wait_for_prompt();
    terminal.press(&["C-r"]);
    terminal.write("as one");
    terminal.wait_for_line("(reverse-i-search)`as one': select 1 as one;");
    terminal.press(&["Enter"]);
    terminal.wait("the found one", |screen| screen.matches("(1 row, ").count() == 2);
}

#[test]
fn up_finds_what_began_so() {
    let place = lake();
    let Some(terminal) = Terminal::open(&place) else { return };
    for line in ["select 1 as a;", "\\echo one", "select 2 as b;", "\\echo two"] {
        terminal.answer(line);
    }
    terminal.write("select");
    terminal.press(&["Up"]);
    terminal.wait_for_line("hosu:default=> select 2 as b;");
    terminal.press(&["Up"]);
    terminal.wait_for_line("hosu:default=> select 1 as a;");
    terminal.press(&["Down"]);
    terminal.wait_for_line("hosu:default=> select 2 as b;");
    terminal.forget_line();
    terminal.press(&["Up", "Up"]);
    terminal.wait_for_line("hosu:default=> select 2 as b;");
}

#[test]
fn shells_side_by_side_keep_each_others_entries() {
    let place = lake();
    let shared = place.text("shared");
    let variables = [("HOSU_HISTORY", shared.as_str())];
    let Some(first) = Terminal::open_with(&place, 100, "", &variables) else { return };
    // The second one has its own tmux: its place is another.
    let other = super::Place::new();
    let Some(second) = Terminal::open_with(&other, 100, "", &variables) else { return };
    first.answer("select 'first' as x;");
    second.answer("select 'second' as x;");
    first.answer("select 'third' as x;");
    let kept = fs::read_to_string(place.path("shared")).unwrap();
    assert_eq!(kept, "select 'first' as x;\nselect 'second' as x;\nselect 'third' as x;\n");
    assert!(!place.path(".local").exists(), "the history was told to lie elsewhere");
}
