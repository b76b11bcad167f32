//! What pages lead to is there.

use std::path::Path;

use super::{Page, files, none, root};

/// How the paths begin that pages name: folders of the project, and crates by their own names.
const FOLDERS: [&str; 6] = ["crates/", "docs/", "tests/", "schemas/", "sample-data/", ".ci/"];

fn is_there(path: &str) -> bool {
    root().join(path).exists()
}

#[test]
fn links_lead_to_files() {
    none(files("md").iter().flat_map(|page| link_complaints(page, &is_there)));
}

#[test]
fn files_that_pages_name_exist() {
    let crates = std::fs::read_dir(root().join("crates")).expect("crates");
    let crates: Vec<String> =
        crates.map(|entry| entry.expect("a crate").file_name().to_string_lossy().into_owned()).collect();
    none(files("md").iter().flat_map(|page| name_complaints(page, &crates, &is_there)));
}

/// A program that reads the report finds each of its fields in the schema, and no others.
#[test]
fn the_report_of_ingest_has_the_fields_of_its_schema() {
    let sources = files("rs");
    let code = sources.iter().find(|page| page.path == "crates/collect/src/report.rs").expect("the report");
    let schemas = files("json");
    let schema =
        schemas.iter().find(|page| page.path == "schemas/ingest-report.schema.json").expect("its schema");
    let (of_code, of_schema) = (fields_of_code(&code.text, "Report"), fields_of_schema(&schema.text));
    assert!(of_code.len() > 10, "{of_code:?}");
    assert_eq!(of_code, of_schema);
}

/// The public fields of a struct, in the order of the text.
fn fields_of_code(text: &str, name: &str) -> Vec<String> {
    let body = text.split_once(&format!("pub struct {name} {{")).map_or("", |(_, rest)| rest);
    let body = body.split_once("\n}").map_or(body, |(body, _)| body);
    let fields = body.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(':'));
    fields.map(|(name, _)| name.to_owned()).collect()
}

/// The properties of the outermost object, by how far they are indented.
fn fields_of_schema(text: &str) -> Vec<String> {
    let properties = text.split_once("\n  \"properties\": {").map_or("", |(_, rest)| rest);
    let fields = properties.lines().filter_map(|line| line.strip_prefix("    \"")?.split_once('"'));
    fields.map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn fields_are_found() {
    let code = "pub struct Reports { pub x: u8 }\npub struct Report {\n    /// Of a.\n    pub a: u64,\n    pub b: u8,\n}\npub c: u8";
    assert_eq!(fields_of_code(code, "Report"), ["a", "b"]);
    let schema = "{\n  \"required\": [\n    \"z\"],\n  \"properties\": {\n    \"a\": {},\n    \"b\": {\n      \"c\": 1\n    }\n  }\n}";
    assert_eq!(fields_of_schema(schema), ["a", "b"]);
}

/// The text outside of code blocks.
fn prose(text: &str) -> String {
    let mut in_block = false;
    let lines = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        in_block ^= fence;
        !fence && !in_block
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn link_complaints(page: &Page, exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    let text = prose(&page.text);
    // What stands in backticks is shown, not linked.
    let shown: String = text.split('`').step_by(2).collect();
    let targets = shown.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    targets
        .filter(|target| {
            !target.contains("://") && !target.starts_with('#') && !target.starts_with("mailto:")
        })
        .map(|target| target.split('#').next().unwrap_or(target))
        .filter(|target| !exists(&resolved(&page.path, target)))
        .map(|target| format!("{} links to {target}, which is not there", page.path))
        .collect()
}

/// A link's path from the project's folder.
fn resolved(page: &str, target: &str) -> String {
    let mut names: Vec<&str> =
        Path::new(page).parent().and_then(Path::to_str).unwrap_or("").split('/').collect();
    for name in target.split('/') {
        match name {
            ".." => drop(names.pop()),
            "." => {}
            name => names.push(name),
        }
    }
    names.retain(|name| !name.is_empty());
    names.join("/")
}

fn name_complaints(page: &Page, crates: &[String], exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    let text = prose(&page.text);
    let shown = text.split('`').skip(1).step_by(2);
    shown
        .filter(|path| !path.contains(|c: char| c.is_whitespace() || "*<>{}…$'\"".contains(c)))
        .filter_map(|path| {
            let known = FOLDERS.iter().any(|folder| path.starts_with(folder));
            let of_a_crate =
                path.split_once("/src").is_some_and(|(name, _)| crates.iter().any(|c| c == name));
            let full = if of_a_crate { format!("crates/{path}") } else { path.to_owned() };
            // A module is named by its file or its folder.
            let there = exists(&full) || exists(&format!("{full}.rs"));
            ((known || of_a_crate) && !there)
                .then(|| format!("{} names `{path}`, which is not there", page.path))
        })
        .collect()
}

fn page(path: &str, text: &str) -> Page {
    Page { path: path.to_owned(), text: text.to_owned() }
}

#[test]
fn a_link_that_leads_nowhere_is_a_complaint() {
    let exists = |path: &str| ["docs/a.md", "LICENSE", "docs"].contains(&path);
    let links = |path: &str, text: &str| link_complaints(&page(path, text), &exists);
    for (path, text) in [
        ("README.md", "[a](docs/a.md) and [l](LICENSE), [web](https://x.y/z), [here](#top)"),
        ("docs/b.md", "[a](a.md#part) [l](../LICENSE) [d](../docs)"),
        ("README.md", "```\n[a](nothing.md)\n```\n`[b](nothing.md)`"),
    ] {
        assert_eq!(links(path, text), Vec::<String>::new(), "{text}");
    }
    assert_eq!(links("docs/b.md", "[a](docs/a.md)"), ["docs/b.md links to docs/a.md, which is not there"]);
    assert_eq!(links("README.md", "x\n[a](b.md) [c](LICENSE)").len(), 1);
}

#[test]
fn a_file_that_is_named_and_gone_is_a_complaint() {
    let exists =
        |path: &str| ["crates/host/src/store.rs", "docs/a.md", "crates/table/src/json"].contains(&path);
    let crates = ["host".to_owned(), "table".to_owned()];
    let names = |text: &str| name_complaints(&page("A.md", text), &crates, &exists);
    let fine = "`host/src/store.rs`, `docs/a.md`, `crates/host/src/store.rs`, `table/src/json`, `sample-data/*.ndjson`, \
                `other/src/x.rs`, `cargo test -p docs/x`, docs/gone.md\n```\n`docs/gone.md`\n```";
    assert_eq!(names(fine), Vec::<String>::new());
    assert_eq!(names("see `docs/gone.md`"), ["A.md names `docs/gone.md`, which is not there"]);
    assert_eq!(names("`host/src/gone.rs` and `crates/gone`").len(), 2);
}
