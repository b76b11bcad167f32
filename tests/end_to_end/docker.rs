//! The files in `docker/`, as far as a machine without Docker can tell: the compose file follows its specification, the images
//! copy what is there, and one version of MinIO is meant everywhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::say;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

#[test]
fn the_compose_file_follows_its_specification() {
    let names = ["tests/python/compose.py", "docker/compose.yaml", "tests/docker/compose-spec.json"];
    let output = match Command::new("python3").args(names.map(|name| root().join(name))).output() {
        Ok(output) => output,
        Err(error) => return say(&format!("skipped the check of docker/compose.yaml: python3: {error}")),
    };
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    match output.status.code() {
        Some(77) => say(&format!("skipped the check of docker/compose.yaml: {}", said.trim())),
        code => assert_eq!(code, Some(0), "{said}"),
    }
}

/// The paths that an image copies from the folder that it is built in.
fn copied(dockerfile: &str) -> Vec<&str> {
    let copies = dockerfile.lines().filter_map(|line| line.strip_prefix("COPY "));
    let copies = copies.filter(|line| !line.starts_with("--from"));
    copies.flat_map(|line| line.rsplit_once(' ').unwrap().0.split(' ')).collect()
}

#[test]
fn images_copy_what_is_there_and_not_ignored() {
    let ignore = read(".dockerignore");
    for file in ["docker/Dockerfile", "docker/minio.Dockerfile"] {
        let dockerfile = read(file);
        let copied = copied(&dockerfile);
        assert!(!copied.is_empty(), "{file}");
        for path in copied {
            assert!(root().join(path).exists(), "{file}: {path} is not there");
            assert!(ignore.lines().any(|line| line == format!("!{path}")), "{file}: {path} is ignored");
        }
        let mut users = dockerfile.lines().filter_map(|line| line.strip_prefix("USER "));
        assert!(
            users.next_back().is_some_and(|user| user.starts_with("1000")),
            "{file}: an ordinary user runs it"
        );
    }
}

#[test]
fn one_version_of_each_server_is_meant_everywhere() {
    let harness = read("tests/end_to_end/s3/process.rs");
    let versions: Vec<&str> = harness
        .lines()
        .filter(|line| line.contains("_VERSION: &str"))
        .map(|line| line.split('"').nth(1).unwrap())
        .collect();
    assert_eq!(versions.len(), 2, "{versions:?}");
    let ci = read(".ci/run");
    assert!(versions.iter().all(|version| ci.contains(version)), "{versions:?}");
    assert!(read("docker/minio.Dockerfile").contains(versions[0]), "{versions:?}");
}
