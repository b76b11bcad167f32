//! Which crate may use which: the table in ARCHITECTURE.md, held against the manifests.

use super::{Page, files, none};

/// A row of the table.
#[derive(Debug, PartialEq)]
struct Row {
    /// None for `dev`, which nothing may use.
    layer: Option<u32>,
    name: String,
    may_use: String,
}

/// What the manifests of crates say.
struct Manifest {
    name: String,
    uses: Vec<String>,
}

#[test]
fn manifests_follow_the_table_in_architecture_md() {
    let page = files("md").into_iter().find(|page| page.path == "ARCHITECTURE.md").expect("ARCHITECTURE.md");
    let rows = rows(&page.text);
    let manifests: Vec<Manifest> = files("toml").iter().filter_map(manifest).collect();
    assert!(manifests.len() > 5, "only {} manifests of crates", manifests.len());
    none(complaints(&rows, &manifests));
}

fn rows(page: &str) -> Vec<Row> {
    page.lines()
        .filter_map(|line| {
            let cells: Vec<&str> =
                line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
            let [layer, name, _, may_use] = cells.as_slice() else { return None };
            let name = name.strip_prefix('`')?.strip_suffix('`')?;
            Some(Row { layer: layer.parse().ok(), name: name.to_owned(), may_use: (*may_use).to_owned() })
        })
        .collect()
}

/// The crate's own name and the crates of the house that it is built with. What only its tests use does not count.
fn manifest(page: &Page) -> Option<Manifest> {
    let name = page.path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")?;
    let mut section = "";
    let mut uses = Vec::new();
    for line in page.text.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']');
            // [dependencies.hosu-table]
            uses.extend(of_the_house(section.strip_prefix("dependencies.").unwrap_or("")));
        } else if section == "dependencies" || section == "build-dependencies" {
            uses.extend(of_the_house(line));
        }
    }
    Some(Manifest { name: name.to_owned(), uses })
}

fn of_the_house(line: &str) -> Option<String> {
    let rest = line.trim_matches('"').strip_prefix("hosu-")?;
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len());
    rest.get(..end).map(str::to_owned)
}

fn complaints(rows: &[Row], manifests: &[Manifest]) -> Vec<String> {
    let mut found = Vec::new();
    for row in rows {
        if !manifests.iter().any(|manifest| manifest.name == row.name) {
            found.push(format!("ARCHITECTURE.md has `{}`, which is no crate", row.name));
        }
    }
    for manifest in manifests {
        let Some(row) = rows.iter().find(|row| row.name == manifest.name) else {
            found.push(format!("crates/{} has no row in ARCHITECTURE.md", manifest.name));
            continue;
        };
        for used in &manifest.uses {
            let target = rows.iter().find(|row| row.name == *used);
            if !target.is_some_and(|target| may_use(row, target)) {
                found.push(format!("crates/{} may not use `{used}`", manifest.name));
            }
        }
    }
    found
}

/// Whether the row's last cell allows the target: crates by name, layers by number (`2`, `1–3`), `all below`, `all`.
fn may_use(row: &Row, target: &Row) -> bool {
    // What is for development only is built into nothing.
    let Some(layer) = target.layer else { return false };
    let below = row.layer.is_none_or(|own| layer < own);
    let allowed = row.may_use.split(',').map(str::trim).any(|part| {
        let range = part.split_once(['–', '-']).and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        match (part, range) {
            ("all below" | "all", _) => true,
            (_, Some((first, last))) => (first..=last).contains(&layer),
            (part, None) => part.trim_matches('`') == target.name || part.parse() == Ok(layer),
        }
    });
    below && allowed
}

const TABLE: &str = "\
| layer | crate | what it is | may use |
|---|---|---|---|
| 1 | `host` | the machine | – |
| 1 | `table` | rules | – |
| 2 | `catalog` | tables | `host`, `table` |
| 3 | `collect` | in | `table`, 2 |
| 4 | `change` | rows | 1–3 |
| 8 | `cli` | the binary | all below |
| dev | `simulation` | a play | all |
";

fn house(extra: &[(&str, &str)]) -> Vec<Manifest> {
    let names = ["host", "table", "catalog", "collect", "change", "cli", "simulation"];
    let with_extra = |name: &&str| {
        let uses =
            extra.iter().filter(|(user, _)| user == name).map(|(_, used)| (*used).to_owned()).collect();
        Manifest { name: (*name).to_owned(), uses }
    };
    names.iter().map(with_extra).collect()
}

#[test]
fn arrows_that_go_down_the_table_are_fine() {
    let rows = rows(TABLE);
    assert_eq!(rows.len(), 7);
    let uses = [
        ("catalog", "host"),
        ("collect", "catalog"),
        ("change", "collect"),
        ("cli", "change"),
        ("simulation", "cli"),
    ];
    none(complaints(&rows, &house(&uses)));
}

#[test]
fn all_other_arrows_are_complaints() {
    let rows = rows(TABLE);
    for arrow in [
        ("table", "host"),
        ("host", "catalog"),
        ("catalog", "catalog"),
        ("catalog", "collect"),
        ("collect", "host"),
        ("change", "cli"),
        ("cli", "simulation"),
        ("cli", "unknown"),
    ] {
        assert_eq!(
            complaints(&rows, &house(&[arrow])),
            [format!("crates/{} may not use `{}`", arrow.0, arrow.1)]
        );
    }
    let mut less = house(&[]);
    less.pop();
    assert_eq!(complaints(&rows, &less), ["ARCHITECTURE.md has `simulation`, which is no crate"]);
    let mut more = house(&[]);
    more.push(Manifest { name: "common".to_owned(), uses: Vec::new() });
    assert_eq!(complaints(&rows, &more), ["crates/common has no row in ARCHITECTURE.md"]);
}

#[test]
fn dependencies_are_found_however_they_are_written() {
    let text = "[package]\nname = \"hosu-x\"\n[dependencies]\nhosu-a.workspace = true\nhosu-b = { path = \"../b\" }\n\
                serde = \"1\"\n[dev-dependencies]\nhosu-c = \"1\"\n[dependencies.hosu-d]\npath = \"../d\"\n\
                [build-dependencies]\nhosu-e = \"1\"\n";
    let page = Page { path: "crates/x/Cargo.toml".to_owned(), text: text.to_owned() };
    let manifest = manifest(&page).expect("a manifest");
    assert_eq!(
        (manifest.name.as_str(), manifest.uses),
        ("x", ["a", "b", "d", "e"].map(str::to_owned).to_vec())
    );
}
