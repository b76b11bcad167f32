//! What is true of each Rust file.

use super::rust::{code_only, has_word, without_tests};
use super::{Page, files, none};

/// A file beyond this is two files.
const LINES_MAX: usize = 700;

/// The crates that never await: rules that are pure.
const PURE: [&str; 2] = ["crates/table/src/", "crates/dialect/src/"];

#[test]
fn each_file_says_why_it_exists() {
    none(files("rs").iter().filter(|page| !is_test(&page.path)).filter_map(header_complaint));
}

#[test]
fn files_are_no_longer_than_one_can_read() {
    none(files("rs").iter().filter(|page| !is_test(&page.path)).filter_map(length_complaint));
}

#[test]
fn table_and_dialect_never_await() {
    let pages = files("rs");
    let pure: Vec<&Page> =
        pages.iter().filter(|page| PURE.iter().any(|folder| page.path.starts_with(folder))).collect();
    assert!(pure.len() > PURE.len(), "the folders are not where they were");
    none(pure.into_iter().filter_map(async_complaint));
}

#[test]
fn no_unwrap_outside_of_tests() {
    let pages = files("rs");
    let code = pages.iter().filter(|page| page.path.starts_with("crates/") && !is_test(&page.path));
    none(code.flat_map(unwrap_complaints));
}

/// Test code by its place: `tests.rs`, `tests/`, `examples/`.
fn is_test(path: &str) -> bool {
    path.split('/').any(|name| matches!(name, "tests" | "tests.rs" | "examples" | "benches"))
}

fn header_complaint(page: &Page) -> Option<String> {
    let fine = page.text.starts_with("//! ");
    (!fine).then(|| format!("{} does not begin with `//!` and why it exists", page.path))
}

fn length_complaint(page: &Page) -> Option<String> {
    let lines = page.text.lines().count();
    (lines > LINES_MAX).then(|| format!("{} has {lines} lines, at most {LINES_MAX} are good", page.path))
}

fn async_complaint(page: &Page) -> Option<String> {
    let code = code_only(&page.text);
    let word = ["async", "await"].into_iter().find(|word| has_word(&code, word))?;
    Some(format!("{} has `{word}`: rules are pure", page.path))
}

fn unwrap_complaints(page: &Page) -> Vec<String> {
    let code = without_tests(&code_only(&page.text));
    let lines = code.lines().enumerate().filter(|(_, line)| line.contains(".unwrap()"));
    lines.map(|(at, _)| format!("{}:{} unwraps: give the error a type", page.path, at + 1)).collect()
}

fn page(text: &str) -> Page {
    Page { path: "crates/x/src/a.rs".to_owned(), text: text.to_owned() }
}

#[test]
fn each_check_can_fail() {
    assert_eq!(header_complaint(&page("//! Why.\n")), None);
    assert!(header_complaint(&page("use std;\n")).is_some());
    assert!(header_complaint(&page("/// Of a thing.\n")).is_some());
    assert_eq!(length_complaint(&page(&"\n".repeat(LINES_MAX))), None);
    assert!(length_complaint(&page(&"\n".repeat(LINES_MAX + 1))).is_some());
    assert_eq!(async_complaint(&page("// async\nlet is_async = \"async\";")), None);
    assert!(async_complaint(&page("pub async fn a() {}")).is_some());
    assert!(async_complaint(&page("x.await")).is_some());
    assert_eq!(unwrap_complaints(&page("a.unwrap_or(1); // b.unwrap()\n")), Vec::<String>::new());
    assert_eq!(unwrap_complaints(&page("#[cfg(test)]\nmod tests { a.unwrap() }")), Vec::<String>::new());
    let found = unwrap_complaints(&page("#[cfg(test)]\nmod tests {}\nfn f() { a.unwrap() }"));
    assert_eq!(found, ["crates/x/src/a.rs:3 unwraps: give the error a type"]);
}

#[test]
fn tests_are_known_by_their_place() {
    for path in [
        "crates/x/src/a/tests.rs",
        "tests/tidy/mod.rs",
        "crates/x/src/a/tests/more.rs",
        "crates/x/examples/y.rs",
    ] {
        assert!(is_test(path), "{path}");
    }
    assert!(!is_test("crates/x/src/tests_of.rs"));
}
