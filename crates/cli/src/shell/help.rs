//! The pages of `\?` and `\h`.

use super::commands::COMMANDS;

/// What `\?` prints.
pub fn commands() -> String {
    let mut page = String::new();
    for (names, arguments, what) in COMMANDS {
        match names.first() {
            None => page.push_str(&format!("{}{what}\n", if page.is_empty() { "" } else { "\n" })),
            Some(name) => page.push_str(&format!("  {:<22} {what}\n", format!("\\{name} {arguments}"))),
        }
    }
    page.push_str(KEYS);
    page
}

const KEYS: &str = "
Keys
  Tab                    complete: keywords, functions, databases, tables, columns, fields
  Up, Down               what was typed before; behind a few letters, what began with them
  Ctrl-R                 search in what was typed before
  Alt-Enter              a new line without running anything
  Ctrl-C                 forget the line, or cancel the query; the shell stays
  Ctrl-D                 leave

A statement ends with `;` and may have many lines. The prompt shows what is open: -> statement, (> parenthesis, '> text,
\"> name, *> comment. `use DATABASE`, `help`, `quit` and `exit` work without a backslash.
";

/// Statements and how they are written.
const STATEMENTS: &[(&str, &str)] = &[
    (
        "select",
        "[WITH name AS (SELECT ..)]\nSELECT [DISTINCT] expression [AS name], ..\nFROM table [AS alias] [[LEFT | RIGHT | FULL | CROSS] JOIN table ON condition]\n\
         [WHERE condition] [GROUP BY expression, ..] [HAVING condition]\n[ORDER BY expression [DESC], ..] [OFFSET n] [LIMIT n]",
    ),
    ("insert", "INSERT INTO [database.]table [(column, ..)] SELECT .. | VALUES (..), .."),
    (
        "create table",
        "CREATE TABLE [IF NOT EXISTS] [database.]table (column type [COMMENT 'text'], ..)\n[PARTITIONED BY (column | year(c) | month(c) | day(c) | hour(c) | bucket(n, c) | truncate(n, c), ..)]\n\
         [LOCATION 'folder'] [TBLPROPERTIES ('name' = 'value', ..)]",
    ),
    (
        "create database",
        "CREATE DATABASE [IF NOT EXISTS] name [COMMENT 'text'] [WITH DBPROPERTIES ('name' = 'value', ..)]",
    ),
    ("drop table", "DROP TABLE [IF EXISTS] [database.]table"),
    ("drop database", "DROP DATABASE [IF EXISTS] name [CASCADE]"),
    (
        "alter table",
        "ALTER TABLE table SET TBLPROPERTIES ('name' = 'value', ..)\nALTER TABLE table UNSET TBLPROPERTIES ('name', ..)",
    ),
    (
        "show",
        "SHOW DATABASES [LIKE 'pattern']\nSHOW TABLES [IN database] ['pattern']\nSHOW COLUMNS IN table\nSHOW CREATE TABLE table\nSHOW TBLPROPERTIES table [('name')]",
    ),
    ("describe", "DESCRIBE [EXTENDED | FORMATTED] table"),
    (
        "explain",
        "EXPLAIN [(TYPE LOGICAL | DISTRIBUTED | VALIDATE)] SELECT ..\nEXPLAIN ANALYZE [VERBOSE] SELECT ..",
    ),
    ("use", "USE database          (of this shell, like \\c)"),
];

/// What `\h` can tell about.
pub fn statements() -> impl Iterator<Item = String> {
    STATEMENTS.iter().map(|(name, _)| (*name).to_owned())
}

/// What `\h` prints: the form of a statement, or all names.
pub fn sql(name: &str) -> String {
    let lower = name.trim().to_lowercase();
    let found: Vec<&(&str, &str)> =
        STATEMENTS.iter().filter(|(name, _)| !lower.is_empty() && name.starts_with(&lower)).collect();
    if found.is_empty() {
        let names: Vec<&str> = STATEMENTS.iter().map(|(name, _)| *name).collect();
        return format!("\\h STATEMENT tells how it is written: {}\n", names.join(", "));
    }
    found.iter().map(|(_, form)| format!("{form}\n")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_fit_a_terminal_and_name_everything() {
        let page = commands();
        for (names, ..) in COMMANDS {
            assert!(names.iter().take(1).all(|name| page.contains(&format!("  \\{name} "))), "{names:?}");
        }
        assert!(page.lines().all(|line| line.chars().count() <= 120), "{page}");
        assert!(sql("select").contains("FROM table") && sql("SHOW").contains("SHOW TABLES"));
        assert!(sql("create").contains("CREATE TABLE") && sql("create").contains("CREATE DATABASE"));
        assert!(sql("").contains("insert") && sql("frobnicate").contains("insert"));
    }
}
