//! The manners of the house, as tests: what CONTRIBUTING.md and ARCHITECTURE.md say of files is true of them.
//!
//! Each check is a function from text to complaints, so that the tests can also show that it complains.

mod arrows;
mod pages;
mod rust;
mod sources;

use std::path::{Path, PathBuf};

/// The folder of the whole project.
fn root() -> PathBuf {
    let cli = Path::new(env!("CARGO_MANIFEST_DIR"));
    cli.ancestors().nth(2).unwrap_or(cli).to_path_buf()
}

/// A text file of the project.
struct Page {
    /// From the project's folder, with `/` between names.
    path: String,
    text: String,
}

/// All files of the project with the extension given, those of builds, lakes and hidden folders left out.
fn files(extension: &str) -> Vec<Page> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the project") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let left_out =
                name.starts_with('.') || ["target", "lake", "__pycache__"].contains(&name.as_str());
            if path.is_dir() && !left_out {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                let text = std::fs::read_to_string(&path).expect("a text file");
                let relative = path.strip_prefix(&root).unwrap_or(&path);
                let names: Vec<_> = relative.iter().map(|name| name.to_string_lossy()).collect();
                found.push(Page { path: names.join("/"), text });
            }
        }
    }
    assert!(!found.is_empty(), "no *.{extension} below {}", root.display());
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Fails with all complaints at once.
fn none(complaints: impl IntoIterator<Item = String>) {
    let complaints: Vec<String> = complaints.into_iter().collect();
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}
