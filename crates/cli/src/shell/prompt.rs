//! What stands before the cursor: the database, and what the statement waits for.

use super::pending::Open;

/// A database's name in the prompt is cut behind this many characters.
const NAME_CHARS_MAX: usize = 24;

/// The prompt, like psql's: `hosu:game=> `, and with `-`, `(`, `'`, `"` or `*` for `=` while something is open.
pub fn prompt(database: &str, open: Open) -> String {
    let sign = match open {
        Open::Nothing => '=',
        Open::Statement => '-',
        Open::Parenthesis => '(',
        Open::Text => '\'',
        Open::Name => '"',
        Open::Comment => '*',
    };
    let name: String = database.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect();
    format!("hosu:{name}{sign}> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_the_database_and_what_is_open() {
        assert_eq!(prompt("default", Open::Nothing), "hosu:default=> ");
        assert_eq!(prompt("게임", Open::Text), "hosu:게임'> ");
        assert_eq!(prompt("game", Open::Parenthesis), "hosu:game(> ");
        assert!(prompt(&"x".repeat(500), Open::Nothing).len() < 40);
    }
}
