//! `\d` and its kin: each is a statement that could be typed as well, or a list of our own.

use hosu_query::{FunctionInfo, FunctionKind};

/// `DESCRIBE table`.
pub fn describe(table: &str, more: bool) -> String {
    format!("DESCRIBE {}{}", if more { "EXTENDED " } else { "" }, path(table))
}

/// `SHOW CREATE TABLE table`.
pub fn show_create(table: &str) -> String {
    format!("SHOW CREATE TABLE {}", path(table))
}

/// `SHOW TABLES`, of another database with `game.*`.
pub fn show_tables(pattern: Option<&str>) -> String {
    match pattern.map(|pattern| {
        pattern.rsplit_once('.').map_or((None, pattern), |(database, pattern)| (Some(database), pattern))
    }) {
        None => "SHOW TABLES".to_owned(),
        Some((None, pattern)) => format!("SHOW TABLES {}", text(pattern)),
        Some((Some(database), "" | "*")) => format!("SHOW TABLES IN {}", path(database)),
        Some((Some(database), pattern)) => format!("SHOW TABLES IN {} {}", path(database), text(pattern)),
    }
}

/// `SHOW DATABASES`.
pub fn show_databases(pattern: Option<&str>) -> String {
    pattern.map_or_else(
        || "SHOW DATABASES".to_owned(),
        |pattern| format!("SHOW DATABASES LIKE {}", text(pattern)),
    )
}

/// `database.table` as one word, to names in Hive's quotes.
fn path(name: &str) -> String {
    let parts = name.split('.').map(|part| format!("`{}`", part.trim_matches(['`', '"']).replace('`', "``")));
    parts.collect::<Vec<_>>().join(".")
}

fn text(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A query for the functions that a pattern means; none when there are none.
pub fn functions(all: &[FunctionInfo], pattern: Option<&str>) -> Option<String> {
    let pattern = pattern.unwrap_or_default().to_lowercase();
    let rows =
        all.iter().filter(|function| is_meant(&function.name.to_lowercase(), &pattern)).map(|function| {
            let kind = match function.kind {
                FunctionKind::Scalar => "scalar",
                FunctionKind::Aggregate => "aggregate",
                FunctionKind::Window => "window",
                FunctionKind::Table => "table",
            };
            let cells = [&function.name, kind, &function.syntax, &function.description];
            format!("({})", cells.map(|cell| format!("'{}'", cell.replace('\'', "''"))).join(", "))
        });
    let rows: Vec<String> = rows.collect();
    let columns = "\"function\", \"kind\", \"call\", \"what it does\"";
    let rows = (!rows.is_empty()).then(|| rows.join(", "))?;
    Some(format!("SELECT * FROM (VALUES {rows}) AS functions ({columns})"))
}

/// `*` is any text; a pattern without one is meant anywhere in the name.
fn is_meant(name: &str, pattern: &str) -> bool {
    let parts: Vec<&str> = pattern.split('*').collect();
    let [first, middle @ .., last] = parts.as_slice() else { return name.contains(pattern) };
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_statements() {
        assert_eq!(describe("game.Events", false), "DESCRIBE `game`.`Events`");
        assert_eq!(describe("\"a`b\"", true), "DESCRIBE EXTENDED `a``b`");
        assert_eq!(show_tables(None), "SHOW TABLES");
        assert_eq!(show_tables(Some("ev*")), "SHOW TABLES 'ev*'");
        assert_eq!(show_tables(Some("game.*")), "SHOW TABLES IN `game`");
        assert_eq!(show_tables(Some("game.it's")), "SHOW TABLES IN `game` 'it\\'s'");
        assert_eq!(show_databases(Some("g*")), "SHOW DATABASES LIKE 'g*'");
        for statement in
            [describe("a.b", true), show_create("t"), show_tables(Some("a.b'\\*")), show_databases(Some("'"))]
        {
            assert!(hosu_dialect::parse(&statement).is_ok(), "{statement}");
        }
    }

    #[test]
    fn functions_are_found_by_a_part_or_a_pattern() {
        for (pattern, expected) in [
            ("", true),
            ("ount", true),
            ("count", true),
            ("c*t", true),
            ("c*", true),
            ("*t", true),
            ("t*", false),
            ("x", false),
            ("c*n*", true),
        ] {
            assert_eq!(is_meant("count", pattern), expected, "{pattern}");
        }
    }
}
