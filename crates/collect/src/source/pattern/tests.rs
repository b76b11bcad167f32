//! Patterns stand for what a shell takes them for.

use super::*;

#[test]
fn braces_stand_for_each_of_their_parts() {
    for (text, expected) in [
        ("a.json", &["a.json"][..]),
        ("{a,b}.json", &["a.json", "b.json"]),
        (
            "x/{a,b{1,2},}/*.{json,log}",
            &[
                "x/a/*.json",
                "x/a/*.log",
                "x/b1/*.json",
                "x/b1/*.log",
                "x/b2/*.json",
                "x/b2/*.log",
                "x//*.json",
                "x//*.log",
            ],
        ),
        ("{a}{}{", &["{a}{}{"]),
        ("{a}{b,c}", &["{a}b", "{a}c"]),
        ("[{]a,b}", &["[{]a,b}"]),
        ("é{ü,ö}", &["éü", "éö"]),
    ] {
        assert_eq!(alternatives(text).unwrap(), expected, "{text}");
        assert_eq!(has_alternatives(text), expected.len() > 1, "{text}");
    }
    for text in ["{a,b}".repeat(10), "{a,b}".repeat(33), "{".repeat(100_000)] {
        assert!(matches!(alternatives(&text), Err(CollectError::BadPattern { .. })));
    }
}

#[test]
fn links_to_folders_are_followed_only_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("d/e")).unwrap();
    fs::create_dir_all(at(".h")).unwrap();
    for file in ["a.json", "d/b.json", "d/e/c.json", ".h/x.json", "d/.y.json"] {
        fs::write(at(file), "{}").unwrap();
    }
    // Two loops in one folder: 2^40 paths for whoever follows them.
    for link in ["d/up", "d/again", "d/e/top"] {
        std::os::unix::fs::symlink(folder.path(), at(link)).unwrap();
    }
    let matched = |pattern: &str| {
        let mut found = Found::default();
        let paths = matches(pattern, folder.path(), &Own::default(), &mut found).unwrap();
        let name = |path: &Path| path.strip_prefix(folder.path()).unwrap().to_string_lossy().into_owned();
        let left_out =
            found.left_out.iter().map(|left_out| name(Path::new(&left_out.path))).collect::<Vec<_>>();
        (paths.iter().map(|path| name(path)).collect::<Vec<_>>().join(" "), left_out.join(" "))
    };
    for (pattern, expected, left_out) in [
        ("**/*.json", "a.json d/.y.json d/b.json d/e/c.json", ".h d/again d/e/top d/up"),
        ("./d/*", "d/.y.json d/b.json d/e", "d/again d/up"),
        ("d/*/*.json", "d/e/c.json", "d/again d/up"),
        ("d/up/*.json", "d/up/a.json", ""),
        ("d/**/top/d/*.json", "d/e/top/d/.y.json d/e/top/d/b.json", "d/again d/e/top d/up"),
        (".h/*", ".h/x.json", ""),
        ("d/*/", "d/e", "d/again d/up"),
        ("d/**", "d", ""),
        ("nothing/*", "", ""),
        ("a.json/*", "", ""),
    ] {
        let (paths, mut passed) = matched(pattern);
        let mut sorted: Vec<&str> = passed.split(' ').collect();
        sorted.sort_unstable();
        passed = sorted.join(" ");
        assert_eq!((paths.as_str(), passed.as_str()), (expected, left_out), "{pattern}");
    }
    assert!(matches!(
        matches("a**b", folder.path(), &Own::default(), &mut Found::default()),
        Err(CollectError::BadPattern { .. })
    ));
}
