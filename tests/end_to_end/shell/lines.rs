//! Lines: statements over several of them, colours, completion, keys, what is pasted.

use super::{Terminal, lake};

#[test]
fn statements_run_and_their_rows_and_figures_are_shown() {
    let place = lake();
    let Some(terminal) = Terminal::open(&place) else { return };
    let screen = terminal.wait_for("\\? for help");
    assert!(screen.starts_with("Hosu ") && screen.contains("catalog.db"), "{screen}");
    let answer = terminal.answer("select count(*) as n, max(name) as last from events;");
    assert!(answer.contains("4 | 한국어"), "{answer}");
    assert!(answer.contains("(1 row, "), "{answer}");
    let two = terminal.answer("select 'one' as a; select 'two' as b;");
    assert!(two.find("one") < two.find("two") && two.contains("two"), "{two}");
}

#[test]
fn a_statement_has_lines_and_the_prompt_tells_what_is_open() {
    let place = lake();
    let Some(terminal) = Terminal::open(&place) else { return };
    for (line, prompt) in [
        ("select 'a", "hosu:default'>"),
        ("b' as x, \"q", "hosu:default\">"),
        ("\" /* why", "hosu:default*>"),
        ("*/ from (", "hosu:default(>"),
        ("select 1 as \"q", "hosu:default\">"),
        ("\") -- ;", "hosu:default->"),
    ] {
        terminal.enter(line);
        terminal.wait_for_line(prompt);
    }
    terminal.enter(";");
    terminal.wait_for("(1 row, ");
    terminal.wait_for_prompt();
    terminal.enter("select 'unclosed");
    terminal.wait_for_line("hosu:default'>");
    terminal.forget_line();
    assert!(terminal.answer("select 7 as seven;").contains("seven"));
}

#[test]
fn words_are_coloured_unless_nobody_wants_it() {
    let place = lake();
    let Some(terminal) = Terminal::open(&place) else { return };
    terminal.write("select count(*), 'text' from events");
    terminal.wait_for("from events");
    terminal.wait("colours", |_| terminal.coloured().contains("\u{1b}[32m'text'"));
    assert!(terminal.coloured().contains("34m"), "{}", terminal.coloured());
    drop(terminal);
    let Some(terminal) = Terminal::open_with(&place, 100, "", &[("NO_COLOR", "1")]) else { return };
    terminal.write("select count(*), 'text' from events");
    terminal.wait_for("from events");
    assert!(!terminal.coloured().contains("32m"), "{}", terminal.coloured());
}

#[test]
fn tab_completes_words_tables_columns_and_fields() {
    let place = lake();
    let Some(terminal) = Terminal::open(&place) else { return };
    terminal.write("sel");
    terminal.press(&["Tab"]);
    terminal.wait_for_line("hosu:default=> select");
    terminal.write(" e. from events e");
    for _ in 0.." from events e".len() {
        terminal.press(&["Left"]);
    }
    terminal.write("ge");
    // The names are read behind the prompt: they may not be there at the first Tab.
    terminal.wait("a column", |screen| {
        terminal.press(&["Tab"]);
        screen.contains("e.geo from")
    });
    terminal.write(".cou");
    terminal.press(&["Tab"]);
    terminal.wait_for("select e.geo.country from events e");
    terminal.forget_line();
    terminal.write("select * from ev");
    terminal.press(&["Tab"]);
    terminal.wait_for_line("hosu:default=> select * from events");
    terminal.forget_line();
    terminal.write("\\tim");
    terminal.press(&["Tab"]);
    terminal.wait_for_line("hosu:default=> \\timing");
    terminal.forget_line();
    terminal.write("select * from events where ");
    terminal.press(&["Tab"]);
    let listed = terminal.wait_for("name");
    assert!(listed.contains("geo") && listed.contains("id"), "{listed}");
}

#[test]
fn a_table_that_was_made_is_completed() {
    let place = lake();
    let Some(terminal) = Terminal::open(&place) else { return };
    terminal.answer("create table quarterly (revenue bigint) tblproperties ('table_type'='ICEBERG');");
    terminal.wait("the new table", |_| {
        terminal.press(&["C-u"]);
        terminal.write("select * from quart");
        terminal.press(&["Tab"]);
        terminal.last_line().ends_with("from quarterly")
    });
}

#[test]
fn pasted_lines_are_one_text_with_marks_and_lines_without() {
    let place = lake();
    let Some(terminal) = Terminal::open(&place) else { return };
    let text = "select 'first'\n  as\tx;\nselect 'second' as y;\n";
    terminal.paste(text, true);
    terminal.wait_for("as y;");
    terminal.press(&["Enter"]);
    let screen = terminal.wait("both", |screen| screen.matches("(1 row, ").count() == 2);
    assert!(screen.contains(" first\n") && screen.contains(" second\n"), "{screen}");
    terminal.paste(text, false);
    terminal.wait("both again", |screen| screen.matches("(1 row, ").count() == 4);
    terminal.wait_for_prompt();
}

#[test]
fn what_stands_behind_an_error_is_not_run() {
    let place = lake();
    let Some(terminal) = Terminal::open(&place) else { return };
    let answer = terminal.answer("select idd from events; select 'later' as x;");
    assert!(answer.contains("line 1: select idd from events\n                 ^^^\n"), "{answer}");
    assert!(answer.contains("did you mean 'id'") && answer.contains("is not run"), "{answer}");
    assert!(!answer.contains("(1 row"), "{answer}");
    assert!(terminal.answer("select 'later' as x;").contains("later"));
}

#[test]
fn a_terminal_of_five_columns_works() {
    let place = lake();
    let Some(terminal) = Terminal::open_with(&place, 5, "", &[]) else { return };
    terminal.enter("select 12345678 as x;");
    terminal.wait_for("(1 row, ");
    terminal.write("select * from ev");
    terminal.press(&["Tab"]);
    terminal.forget_line();
    terminal.enter("select 'end' as y;");
    terminal.wait("rows", |screen| screen.matches("(1 row, ").count() == 2);
}
