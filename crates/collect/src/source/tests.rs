use std::fs;
use std::os::unix::fs::symlink;

use bytes::Bytes;
use futures::TryStreamExt;
use hosu_host::Location;
use tempfile::TempDir;

use super::*;
use crate::progress::NoProgress;

struct Folder {
    dir: TempDir,
    host: Host,
}

impl Folder {
    fn with(files: &[&str]) -> Self {
        let folder = Self { dir: tempfile::tempdir().unwrap(), host: Host::seeded(1) };
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "{}\n").unwrap();
        }
        folder
    }

    fn path(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    async fn find(&self, texts: &[&str]) -> Result<Found, CollectError> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        let progress: Arc<dyn Progress> = Arc::new(NoProgress);
        let own = Own::default();
        let wanted = Wanted {
            texts: &texts,
            folder: &self.path(),
            batch_id: None,
            after: None,
            progress: &progress,
            own: &own,
        };
        find(&self.host, wanted, None).await
    }

    /// The names below the folder.
    async fn names(&self, texts: &[&str]) -> Vec<String> {
        let found = self.find(texts).await.unwrap();
        let below = format!("{}/", self.path().display());
        found.sources.iter().map(|source| source.name.replace(&below, "")).collect()
    }
}

#[tokio::test]
async fn files_folders_and_globs_come_in_order_and_once() {
    let folder = Folder::with(&["b.json", "a/2.json", "a/10.json", "a/deep/x", "c.txt"]);
    assert_eq!(folder.names(&["."]).await, ["a/10.json", "a/2.json", "a/deep/x", "b.json", "c.txt"]);
    assert_eq!(folder.names(&["b.json", "*.json", "./a/../b.json"]).await, ["b.json"]);
    assert_eq!(folder.names(&["a/**/*"]).await, ["a/10.json", "a/2.json", "a/deep/x"]);
    assert_eq!(folder.names(&["**/*.json"]).await, ["a/10.json", "a/2.json", "b.json"]);
    assert_eq!(folder.names(&["[bc].*"]).await, ["b.json", "c.txt"]);
    assert_eq!(folder.names(&["{c.txt,a/{2,10}.json,none}"]).await, ["c.txt", "a/2.json", "a/10.json"]);
    let absolute = format!("{}/a/?.json", folder.path().display());
    assert_eq!(folder.names(&[&absolute]).await, ["a/2.json"]);
    let url = format!("file://{}/b.json", folder.path().display());
    assert_eq!(folder.names(&[&url]).await, ["b.json"]);
}

#[tokio::test]
async fn names_may_have_any_character() {
    let names = ["a b.json", "100%41.json", "한국어.json", "x#1.json", "q?.json", "[1].json", "a:b.json"];
    let folder = Folder::with(&names);
    for name in names {
        assert_eq!(folder.names(&[name]).await, [name]);
    }
    assert_eq!(folder.names(&["."]).await.len(), names.len());
}

#[tokio::test]
async fn hidden_names_and_links_to_folders_are_left_out_and_said() {
    let folder = Folder::with(&["a.json", ".hidden", "_SUCCESS", "_temporary/part", "real/x.json"]);
    symlink(folder.path().join("real"), folder.path().join("link")).unwrap();
    symlink(folder.path().join("a.json"), folder.path().join("latest.json")).unwrap();
    let found = folder.find(&["."]).await.unwrap();
    assert_eq!(folder.names(&["."]).await, ["a.json", "real/x.json"], "a link to a file is that file");
    let left_out: Vec<_> =
        found.left_out.iter().map(|left| (left.path.rsplit('/').next().unwrap(), left.reason)).collect();
    let expected =
        [(".hidden", HIDDEN), ("_SUCCESS", HIDDEN), ("_temporary", HIDDEN), ("link", LINKED_FOLDER)];
    assert_eq!(left_out, expected);
    // What is named itself is read.
    assert_eq!(folder.names(&["_SUCCESS"]).await, ["_SUCCESS"]);
    assert_eq!(folder.names(&["_S*"]).await, ["_SUCCESS"]);
    assert_eq!(folder.names(&["./*"]).await, ["a.json", "real/x.json"]);
    assert_eq!(folder.names(&["link/*"]).await, ["real/x.json"]);
    assert_eq!(folder.names(&["link"]).await, ["real/x.json"]);
    let found = folder.find(&[".", "_SUCCESS"]).await.unwrap();
    assert_eq!(found.left_out.len(), 3, "and not said to be left out");
}

#[tokio::test]
async fn what_names_nothing_is_an_error() {
    let folder = Folder::with(&["a.json", "only_hidden/.x"]);
    fs::create_dir(folder.path().join("empty")).unwrap();
    for (text, expected) in [
        ("nope.json", "nope.json does not exist"),
        ("a.json/b", "does not exist"),
        ("*.csv", "nothing matches `*.csv`"),
        ("empty", "holds no file to read"),
        ("only_hidden", "holds no file to read (1 left out)"),
        ("a***b", "is no pattern"),
        ("s3:///key", "it names no bucket"),
        ("https://example.com/a.json", "the scheme `https` is not one of"),
        ("memory:///nope", "memory:///nope does not exist"),
    ] {
        let error = folder.find(&[text]).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    assert!(matches!(folder.find(&[]).await, Err(CollectError::NoSources)));
    assert!(matches!(folder.find(&["-"]).await, Err(CollectError::SourceMissing { .. })));
}

#[tokio::test]
async fn standard_input_counts_once() {
    let folder = Folder::with(&["a.json"]);
    let texts = ["-".to_owned(), "a.json".to_owned(), "-".to_owned()];
    let stdin: Box<dyn Read + Send> = Box::new(&b"{}"[..]);
    let progress: Arc<dyn Progress> = Arc::new(NoProgress);
    let own = Own::default();
    let wanted = Wanted {
        texts: &texts,
        folder: &folder.path(),
        batch_id: None,
        after: None,
        progress: &progress,
        own: &own,
    };
    let found = find(&folder.host, wanted, Some(stdin)).await.unwrap();
    assert_eq!(found.sources.len(), 2);
    assert!(found.sources[0].is_stream() && found.sources[0].name == STDIN);
}

#[tokio::test]
async fn objects_are_found_by_key_prefix_and_glob() {
    let folder = Folder::with(&[]);
    for key in ["logs/b.json", "logs/a.json", "logs/deep/c.json", "logs/_SUCCESS", "logs2/x.json"] {
        let location = Location::parse(&format!("memory:///{key}")).unwrap();
        folder.host.store.put(&location, Bytes::from_static(b"{}\n")).await.unwrap();
    }
    let names = async |text: &str| {
        let found = folder.find(&[text]).await.unwrap();
        found.sources.iter().map(|source| source.name.replace("memory:///", "")).collect::<Vec<_>>()
    };
    let below = ["logs/a.json", "logs/b.json", "logs/deep/c.json"];
    assert_eq!(names("memory:///logs/").await, below);
    assert_eq!(names("memory:///logs").await, below);
    assert_eq!(names("memory:///logs/*.json").await, ["logs/a.json", "logs/b.json"]);
    assert_eq!(names("memory:///logs*/**/*.json").await.len(), 4);
    assert_eq!(names("memory:///logs/a.json").await, ["logs/a.json"]);
    let each = ["logs/b.json", "logs2/x.json"];
    assert_eq!(names("memory:///{logs/{b,none}.json,logs2/*,none*}").await, each);
    assert_eq!(names("memory:///logs/_*").await, ["logs/_SUCCESS"]);
    let found = folder.find(&["memory:///logs/"]).await.unwrap();
    assert_eq!(found.left_out.len(), 1);
    assert!(found.sources[0].etag().is_some_and(|etag| etag.starts_with("etag:")));
}

#[tokio::test]
async fn objects_of_the_lake_are_left_out_where_they_are_not_named() {
    let folder = Folder::with(&[]);
    for key in ["in/a.json", "lake/warehouse/t/data/x.parquet", "lake/warehouse/t/y.json"] {
        let location = Location::parse(&format!("memory:///{key}")).unwrap();
        folder.host.store.put(&location, Bytes::from_static(b"{}\n")).await.unwrap();
    }
    let own = Own::in_warehouse(Location::parse("memory:///lake/warehouse").unwrap());
    for (text, expected, left_out) in [
        ("memory:///", 1, 1),
        ("memory:///**/*.json", 1, 1),
        ("memory:///lake/", 0, 1),
        ("memory:///lake/w*/t/y.json", 0, 1),
        ("memory:///lake/warehouse/t/", 2, 0),
        ("memory:///lake/warehouse/*/y.json", 1, 0),
        ("memory:///lake/warehouse/t/y.json", 1, 0),
    ] {
        let mut found = folder.find(&[text]).await.unwrap();
        own.leave_out(text, &mut found);
        assert_eq!((found.sources.len(), found.left_out.len()), (expected, left_out), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_is_counted_and_hashed() {
    let folder = Folder::with(&[]);
    let text = vec![b'x'; 9 << 20];
    fs::write(folder.path().join("big"), &text).unwrap();
    let location = Location::parse("memory:///big").unwrap();
    folder.host.store.put(&location, text.clone().into()).await.unwrap();
    let expected = format!("blake3:{}", blake3::hash(&text).to_hex());
    let found = folder.find(&["big", "memory:///big"]).await.unwrap();
    for source in found.sources {
        let (store, runtime) = (folder.host.store.clone(), tokio::runtime::Handle::current());
        let (bytes, hash) = blocking(move || content_hash(&source, &store, &runtime)).await.unwrap();
        assert_eq!((bytes, &hash), (text.len() as u64, &expected));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_grows_while_it_is_read_is_told() {
    let folder = Folder::with(&["a.json"]);
    let source = folder.find(&["a.json"]).await.unwrap().sources.remove(0);
    let (store, runtime) = (folder.host.store.clone(), tokio::runtime::Handle::current());
    let (mut reader, watch) = RawReader::open(&source, &store, &runtime).unwrap();
    let mut text = Vec::new();
    reader.read_to_end(&mut text).unwrap();
    watch.check_unchanged().unwrap();
    fs::write(folder.path().join("a.json"), "{}\n{}\n").unwrap();
    assert!(matches!(watch.check_unchanged(), Err(CollectError::ChangedWhileRead { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_is_read_as_a_stream_and_again() {
    let folder = Folder::with(&[]);
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let source = folder.find(&["pipe"]).await.unwrap().sources.remove(0);
    assert_eq!(source.size_bytes(), None);
    let writer = std::thread::spawn(move || fs::write(pipe, "{}\n").unwrap());
    for _ in 0..2 {
        let (source, store, runtime) =
            (source.clone(), folder.host.store.clone(), tokio::runtime::Handle::current());
        let (bytes, _) = blocking(move || content_hash(&source, &store, &runtime)).await.unwrap();
        assert_eq!(bytes, 3);
    }
    writer.join().unwrap();
}

/// What a listing of everything, filtered by the pattern, comes to.
async fn by_brute_force(folder: &Folder, pattern: &str) -> Vec<String> {
    let root = Location::parse("memory:///").unwrap();
    let listed: Vec<_> = folder.host.store.list(&root).try_collect().await.unwrap();
    let matcher = glob::Pattern::new(pattern).unwrap();
    let matching = listed.iter().map(|(location, _)| location.key());
    let mut keys: Vec<String> =
        matching.filter(|key| matcher.matches_with(key, MATCH)).map(str::to_owned).collect();
    keys.sort();
    keys
}

#[tokio::test]
async fn patterns_followed_by_folder_find_what_a_whole_listing_finds() {
    let folder = Folder::with(&[]);
    let names = ["a", "b", "ab", "a-b", "a b"];
    let mut keys = Vec::new();
    for first in names {
        keys.push(format!("{first}.json"));
        for second in names {
            keys.push(format!("{first}/{second}.json"));
            keys.extend(names.map(|third| format!("{first}/{second}/{third}.json")));
        }
    }
    for key in &keys {
        let location = Location::parse(&format!("memory:///{key}")).unwrap();
        folder.host.store.put(&location, Bytes::from_static(b"{}\n")).await.unwrap();
    }
    for pattern in [
        "*",
        "*.json",
        "*/*",
        "*/*/*",
        "*/*/*/*",
        "**",
        "**/a.json",
        "a/**",
        "a/**/b.json",
        "a*/b*/*.json",
        "?/a/*",
        "*/a.json",
        "*/b/a.json",
        "[ab]/[!a]/?.json",
        "a b/*/**/a*",
        "**/b/*",
        "a/*/**",
        "*/**/a.json",
        "a*",
        "b/[a/b]*",
        "nope*/x",
    ] {
        let expected = by_brute_force(&folder, pattern).await;
        let found = folder.find(&[&format!("memory:///{pattern}")]).await;
        let found: Vec<String> = match found {
            Ok(found) => found.sources.iter().map(|one| one.name.replace("memory:///", "")).collect(),
            Err(CollectError::NothingMatches { .. }) => Vec::new(),
            Err(error) => panic!("{pattern}: {error}"),
        };
        assert_eq!(found, expected, "{pattern}");
    }
}

#[tokio::test]
async fn what_cannot_match_is_not_listed_and_large_folders_are_listed_in_parts() {
    use hosu_host::Operation;
    let folder = Folder::with(&[]);
    for day in 0..30 {
        for file in 0..100 {
            let location = Location::parse(&format!("memory:///logs/day-{day:02}/{file:03}.json")).unwrap();
            folder.host.store.put(&location, Bytes::from_static(b"{}\n")).await.unwrap();
        }
    }
    let requests = async |text: &str| {
        let before = folder.host.store.meter().snapshot().requests(Operation::List);
        let found = folder.find(&[text]).await.unwrap().sources.len();
        (found, folder.host.store.meter().snapshot().requests(Operation::List) - before)
    };
    // The folder of days, and the one day: 100 names of 3,000.
    assert_eq!(requests("memory:///logs/day-07/*.json").await, (100, 1));
    assert_eq!(requests("memory:///logs/*-07/*.json").await, (100, 2));
    assert_eq!(requests("memory:///logs/day-0[1-3]/**").await, (300, 4));
    // The first thousand, then the folders side by side.
    assert_eq!(requests("memory:///logs/").await, (3_000, 32));
}

#[tokio::test]
async fn markers_of_folders_are_no_sources() {
    let folder = Folder::with(&[]);
    for (key, content) in
        [("logs/sub", ""), ("logs/sub-x", "{}\n"), ("logs/sub/a.json", "{}\n"), ("logs/empty.json", "")]
    {
        let location = Location::parse(&format!("memory:///{key}")).unwrap();
        folder.host.store.put(&location, Bytes::from_static(content.as_bytes())).await.unwrap();
    }
    let found = folder.find(&["memory:///logs/"]).await.unwrap();
    let names: Vec<&str> = found.sources.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["memory:///logs/empty.json", "memory:///logs/sub-x", "memory:///logs/sub/a.json"]);
}

/// Names of objects in folders, some of them the beginnings of others.
const KEYS: [&str; 9] = [
    "a/1.json",
    "a/2.json",
    "a/b/1.json",
    "a/b/2.json",
    "a-b/1.json",
    "a/b.json",
    "b/1.json",
    "b/c/d/1.json",
    "b/한글.json",
];

#[tokio::test]
async fn what_comes_behind_a_name_is_the_same_wherever_it_is_left_out() {
    let host = Host::seeded(1);
    for key in KEYS {
        let location = Location::parse(&format!("memory:///in/{key}")).unwrap();
        host.store.put(&location, Bytes::from_static(b"{}\n")).await.unwrap();
    }
    let progress: Arc<dyn Progress> = Arc::new(NoProgress);
    let own = Own::default();
    let find_after = async |text: &str, after: Option<&After>| {
        let texts = [text.to_owned()];
        let wanted = Wanted {
            texts: &texts,
            folder: Path::new("/"),
            batch_id: None,
            after,
            progress: &progress,
            own: &own,
        };
        find(&host, wanted, None).await
    };
    let names = [
        "in/a",
        "in/a/",
        "in/a/b",
        "in/a/b/",
        "in/a/b/1.json",
        "in/a/1",
        "in/b/c/d/1.json",
        "in/b/c/d",
        "in/b/\u{ffff}",
    ];
    let odd = [
        "",
        "/",
        "in",
        "in/",
        "im",
        "io",
        "in/./a/1.json",
        "in//a",
        "in/../a",
        "in/a/b/1.json/",
        "z",
        "in/a/1.json\n",
    ];
    for text in [
        "memory:///in/",
        "memory:///in/**/*.json",
        "memory:///in/*/*",
        "memory:///in/a/b/",
        "memory:///in/b/c/*/1.json",
    ] {
        let all = find_after(text, None).await.unwrap();
        for name in names.iter().chain(&odd) {
            for after in [(*name).to_owned(), format!("memory:///{name}")].map(After::from) {
                let newer = Newer { since_ms: None, after: Some(after) };
                let found = find_after(text, newer.after.as_ref()).await.unwrap();
                let found = found.narrowed(&newer, Path::new("/")).await.unwrap();
                let expected = Found { sources: all.sources.clone(), ..Found::default() };
                let expected = expected.narrowed(&newer, Path::new("/")).await.unwrap();
                let names = |found: &Found| -> Vec<String> {
                    found.sources.iter().map(|source| source.name.clone()).collect()
                };
                assert_eq!(names(&found), names(&expected), "{text} behind {newer:?}");
            }
        }
    }
    // A folder that is not there is told all the same.
    let after = After::Name("in/b".to_owned());
    assert!(find_after("memory:///none/", Some(&after)).await.is_err());
}

#[test]
fn a_store_is_asked_from_a_name_only_where_that_leaves_out_nothing() {
    let folder = |text: &str| Location::parse(text).unwrap();
    let offset = |after: &str, below: &str| {
        After::from(after.to_owned()).offset(&folder(below)).map(|offset| offset.to_string())
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(offset("in/a/1", "s3://b/in/"), some("s3://b/in/a/1"));
    assert_eq!(offset("in/a/", "s3://b/in/"), some("s3://b/in/a"));
    assert_eq!(offset("S3A://b/in/a", "s3://b/"), some("s3://b/in/a"), "in any spelling");
    for (after, below) in [
        ("in/a", "s3://b/in/b"),
        ("s3://other/in/a", "s3://b/in"),
        ("in", "s3://b/in"),
        // `in/./a` is before `in/a`.
        ("in/./a", "s3://b/in"),
        ("in//a", "s3://b/in"),
        ("/in/a", "s3://b/in"),
        ("in/../a", "s3://b/"),
    ] {
        assert_eq!(offset(after, below), None, "{after}");
    }
    let is_behind = |after: &str, below: &str| After::from(after.to_owned()).is_behind(&folder(below));
    assert!(is_behind("in/b", "s3://b/in/a") && is_behind("in/a0", "s3://b/in/a"));
    assert!(!is_behind("in/a/x", "s3://b/in/a") && !is_behind("in/a", "s3://b/in/a"));
    assert!(!is_behind("in/a", "s3://b/in/b") && !is_behind("zz", "s3://b/"));
    assert!(is_behind("s3://b/in/b", "s3://b/in/a") && !is_behind("s3://a/in/b", "s3://b/in/a"));
}
