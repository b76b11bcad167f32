//! Whatever is typed or pasted: an error or a limit, and the shell goes on.

use super::{Terminal, lake};

/// The shell is there and answers.
fn goes_on(terminal: &Terminal<'_>) {
    terminal.wait_for_prompt();
    assert!(terminal.answer("select 'goes on' as x;").contains("goes on"));
}

#[test]
fn ten_thousand_parentheses_are_an_error() {
    let place = lake();
    let Some(terminal) = Terminal::open(&place) else { return };
    let text = format!("select {}1{};", "(".repeat(10_000), ")".repeat(10_000));
    terminal.paste(&text, true);
    terminal.press(&["Enter"]);
    terminal.wait_for("error: ");
    goes_on(&terminal);
}

#[test]
fn a_hundred_thousand_values_are_run() {
    let place = lake();
    let Some(terminal) = Terminal::open(&place) else { return };
    // Without marks each line is one that was typed.
    for (values, marks) in [(100_000, true), (1_000, false)] {
        let mut text = "select count(*) as n from events where id in (0".to_owned();
        (1..=values).for_each(|value| text.push_str(&format!(",\n{value}")));
        text.push_str(");\n");
        terminal.paste(&text, marks);
        terminal.wait("an answer", |screen| screen.contains(" 4\n") && screen.contains("(1 row, "));
        goes_on(&terminal);
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let place = lake();
    let Some(terminal) = Terminal::open(&place) else { return };
    terminal.write("select 1 ");
    terminal.press(&["-H", "ff", "fe", "0d"]);
    terminal.wait_for("no UTF-8");
    goes_on(&terminal);
}

#[test]
fn open_quotes_and_comments_wait_until_ctrl_c() {
    let place = lake();
    let Some(terminal) = Terminal::open(&place) else { return };
    for (open, prompt) in
        [("select '", "'>"), ("select \"", "\">"), ("select /*", "*>"), ("describe `", "\">")]
    {
        terminal.enter(&format!("{open}{}", "x".repeat(300)));
        let prompt = format!("hosu:default{prompt}");
        terminal.wait_for_line(&prompt);
        terminal.enter("more; \\q");
        terminal.wait("both lines", |screen| {
            screen.contains("more; \\q")
                && screen.lines().last().is_some_and(|last| last.trim_end() == prompt)
        });
        terminal.forget_line();
        goes_on(&terminal);
    }
}
