//! Spellings of the same place, and texts that are no place.

use super::*;

fn parse(text: &str) -> Location {
    Location::parse(text).unwrap()
}

#[test]
fn other_spellings_are_the_same_place() {
    for text in
        ["/a/b", "file:/a/b", "file:///a/b", "FILE:///a/b/", "file://localhost/a/b", "/a//b", "/a/./b/"]
    {
        assert_eq!(parse(text).as_str(), "file:///a/b", "{text}");
    }
    for text in ["s3://bucket/a/b", "s3a://bucket/a/b", "s3n://bucket/a/b/"] {
        assert_eq!(parse(text).as_str(), "s3://bucket/a/b", "{text}");
    }
    assert_eq!(parse("memory:/k").as_str(), "memory:///k");
}

#[test]
fn texts_that_are_no_place() {
    let bad = [
        "",
        "a/b",
        "./a",
        "file://a/b",
        "file:a",
        "s3://",
        "s3:///k",
        "s3:/bucket/k",
        "s3://b/a//b",
        "s3://u:p@b/k",
        "/a/../b",
        "s3://b/..",
        "http://x/y",
        "gs://x/y",
        "/a\nb",
        "a/b:c",
    ];
    for text in bad {
        assert!(Location::parse(text).is_err(), "{text}");
    }
    let error = Location::parse("gs://x/y").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`gs://x/y` is not a location: the scheme `gs` is not one of file, s3, s3a, s3n, memory"
    );
}

#[test]
fn parts_of_a_place() {
    let file = parse("/lake/t/data/day=2024-01-01%2000/x.parquet");
    assert_eq!((file.root(), file.key()), ("file://", "lake/t/data/day=2024-01-01%2000/x.parquet"));
    assert_eq!(file.local_path().unwrap().to_str(), Some("/lake/t/data/day=2024-01-01%2000/x.parquet"));
    assert_eq!(file.file_name(), "x.parquet");
    assert_eq!(file.parent().unwrap().as_str(), "file:///lake/t/data/day=2024-01-01%2000");

    let object = parse("s3://b/k");
    assert_eq!((object.root(), object.key(), object.file_name()), ("s3://b", "k", "k"));
    assert_eq!(object.local_path(), None);
    assert_eq!(object.parent().unwrap().as_str(), "s3://b");
    assert_eq!(object.parent().unwrap().parent(), None);
    assert_eq!(parse("/a").parent().unwrap(), parse("/"));
    assert_eq!(parse("/").as_str(), "file:///");
}

#[test]
fn joining_never_leaves_the_folder() {
    assert_eq!(parse("/a").join("b/c").as_str(), "file:///a/b/c");
    assert_eq!(parse("/a").join("/../../b//").as_str(), "file:///a/b");
    assert_eq!(parse("/").join("b").as_str(), "file:///b");
    assert_eq!(parse("s3://b").join("k").as_str(), "s3://b/k");
    assert_eq!(parse("s3://b").join(""), parse("s3://b"));
}

#[test]
fn a_prefix_is_whole_segments() {
    assert!(parse("/a/b/c").starts_with(&parse("/a/b")));
    assert!(parse("/a/b").starts_with(&parse("/a/b")));
    assert!(parse("/a/b").starts_with(&parse("/")));
    assert!(!parse("/a/bc").starts_with(&parse("/a/b")));
    assert!(!parse("s3://b/a").starts_with(&parse("/")));
    assert!(!parse("s3://bc/a").starts_with(&parse("s3://b")));
}

#[test]
fn object_paths_and_back() {
    for text in ["/a/b c/%20=x", "s3://b/k", "memory:///k", "file:///", "s3://b"] {
        let location = parse(text);
        let path = location.object_path().unwrap();
        assert_eq!(Location::from_object_path(location.root(), &path), location);
    }
    assert!(parse("/a").join("b\u{7}").object_path().is_err());
}
