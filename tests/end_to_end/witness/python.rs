//! The Python of the witnesses: a virtual environment with fixed versions, made once and kept outside of the clone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// All of them in one environment. The extensions of DuckDB are files in packages: nothing is fetched when they are loaded.
const PACKAGES: [&str; 8] = [
    "pyiceberg[sql-sqlite,pyarrow,pyiceberg-core]==0.12.0",
    "pyiceberg-core==0.10.1",
    "pyarrow==26.0.1",
    "sqlalchemy==2.1.9",
    "duckdb==1.5.5",
    "duckdb-extension-iceberg==1.5.5",
    "duckdb-extension-avro==1.5.5",
    "polars==2.1.0",
];

/// Where what tests install is kept: `HOSU_TEST_CACHE`, else `~/.cache/hosu/witnesses`.
#[expect(clippy::disallowed_methods, reason = "a test has no configuration but the environment")]
pub fn cache() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/hosu/witnesses");
    std::env::var_os("HOSU_TEST_CACHE").map_or_else(home, PathBuf::from)
}

/// A script of `tests/python`.
pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python").join(name)
}

/// The Python that has the witnesses; says that `test` is skipped, and why, when there is none.
pub fn python(test: &str) -> Option<&'static Path> {
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match PYTHON.get_or_init(make) {
        Ok(python) => Some(python),
        Err(reason) => {
            crate::end_to_end::say(&format!("skipped {test}: no Python with the witnesses here ({reason})"));
            None
        }
    }
}

/// Runs a program and gives back what it printed.
#[track_caller]
pub fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let stdout = String::from_utf8(stdout).unwrap();
    assert!(status.success(), "{command:?}\n{stdout}\n{}", String::from_utf8_lossy(&stderr));
    stdout
}

fn make() -> Result<PathBuf, String> {
    let wanted = PACKAGES.join("\n");
    let folder = cache().join("python");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    // Two test runs at once: the second waits for the first.
    let lock = fs::File::create(folder.join("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    let (python, ready) = (folder.join("bin/python"), folder.join("ready"));
    if fs::read_to_string(&ready).is_ok_and(|made| made == wanted) {
        return Ok(python);
    }
    let environment = ["-m", "venv", folder.to_str().ok_or("a path that is no text")?];
    succeed(Path::new("python3"), &environment)?;
    succeed(
        &python,
        &[&["-m", "pip", "install", "--quiet", "--disable-pip-version-check"], &PACKAGES[..]].concat(),
    )?;
    fs::write(ready, wanted).map_err(|error| error.to_string())?;
    Ok(python)
}

fn succeed(program: &Path, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|error| format!("{}: {error}", program.display()))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let last = said.lines().last().unwrap_or_default();
    if output.status.success() { Ok(()) } else { Err(format!("{} {arguments:?}: {last}", program.display())) }
}
