//! What is read from where, and which mistakes are named.

use std::fs;

use clap::Parser;

use super::*;

fn load(folder: &Path, line: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let arguments = Arguments::try_parse_from(line.split(' ')).unwrap();
    Config::load(&arguments, &Environment::made_up(folder, variables.iter().copied()))
}

fn folder_with(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("hosu.toml"), text).unwrap();
    folder
}

#[test]
fn everything_has_a_default() {
    let folder = tempfile::tempdir().unwrap();
    let config = load(folder.path(), "hosu doctor", &[]).unwrap();
    let lake = folder.path().join("lake");
    assert_eq!(config.lake.name, "hosu");
    assert_eq!(config.lake.catalog, lake.join("catalog.db"));
    assert_eq!(config.lake.warehouse.local_path(), Some(lake.join("warehouse")));
    assert_eq!(config.lake.folder, Some(lake));
    let ingest = IngestConfig {
        memory_bytes: 512 << 20,
        target_file_bytes: 128 << 20,
        compression_level: 1,
        decompressed_bytes_max: None,
        line_bytes_max: 16 << 20,
    };
    assert_eq!(config.ingest, ingest);
    assert_eq!((config.query.max_scan_bytes, config.query.price_per_tib), (None, 5.0));
    let jobs = config.jobs;
    assert_eq!((jobs.folder, jobs.on_failure), (folder.path().join("jobs"), None));
    assert_eq!((jobs.lease, jobs.grace), (Duration::from_secs(30), Duration::from_secs(60)));
    assert!((1..=4).contains(&jobs.parallel));
}

#[test]
fn every_key_of_the_page_is_read() {
    let page = include_str!("../../../../docs/configuration.md");
    let text = page.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let folder = folder_with(text);
    let config = load(folder.path(), "hosu doctor", &[]).unwrap();
    assert_eq!(config.lake.catalog, folder.path().join("lake/catalog.db"));
    assert_eq!(config.s3.endpoint.as_deref(), Some("http://127.0.0.1:9000"));
    assert_eq!(config.s3.path_style, Some(true));
    assert_eq!(config.ingest.decompressed_bytes_max, Some(100_000_000_000));
    assert_eq!(config.query.max_scan_bytes, Some(1_000_000_000_000));
    assert_eq!(config.query.spill, Some(PathBuf::from("/tmp")));
    assert_eq!((config.jobs.parallel, config.jobs.folder), (2, folder.path().join("jobs")));
    assert!(config.jobs.on_failure.is_some_and(|command| command.contains("$HOSU_JOB")));
}

#[test]
fn the_folder_of_jobs_counts_from_the_file_and_a_flag_from_where_it_is_typed() {
    let folder = folder_with("[jobs]\nfolder = 'sql/jobs'\ngrace = '0s'\n");
    let below = folder.path().join("a");
    fs::create_dir_all(&below).unwrap();
    let jobs = load(&below, "hosu job list", &[]).unwrap().jobs;
    assert_eq!((jobs.folder, jobs.grace), (folder.path().join("sql/jobs"), Duration::ZERO));
    for line in ["hosu job list --jobs b", "hosu job --jobs b list", "hosu schedule --jobs b"] {
        assert_eq!(load(&below, line, &[]).unwrap().jobs.folder, below.join("b"), "{line}");
    }
}

#[test]
fn the_file_is_found_upward_and_its_paths_count_from_it() {
    let folder = folder_with("[lake]\ncatalog = 'sqlite:db/c.db'\nwarehouse = '../w'\n");
    let below = folder.path().join("a/b");
    fs::create_dir_all(&below).unwrap();
    let config = load(&below, "hosu doctor", &[]).unwrap();
    assert_eq!(config.lake.catalog, folder.path().join("db/c.db"));
    let parent = folder.path().canonicalize().unwrap().parent().unwrap().join("w");
    assert_eq!(config.lake.warehouse.local_path(), Some(parent));
    assert_eq!(config.lake.folder, None);
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let folder =
        folder_with("[lake]\nname = 'mine'\ncatalog = 'sqlite:/file/c.db'\nwarehouse = 's3://file/w'\n");
    let lake_of = |line: &str, variables: &[(&str, &str)]| load(folder.path(), line, variables).unwrap().lake;
    let by_file = lake_of("hosu doctor", &[]);
    assert_eq!((by_file.name.as_str(), by_file.warehouse.as_str()), ("mine", "s3://file/w"));
    let variables = [(env::HOSU_LAKE, "/env"), (env::HOSU_WAREHOUSE, "s3://env/w")];
    let by_environment = lake_of("hosu doctor", &variables);
    assert_eq!(by_environment.catalog, PathBuf::from("/env/catalog.db"));
    assert_eq!(by_environment.warehouse.as_str(), "s3://env/w");
    let by_flag = lake_of("hosu doctor --lake /flag", &variables);
    assert_eq!(by_flag.catalog, PathBuf::from("/flag/catalog.db"));
    assert_eq!(by_flag.warehouse.as_str(), "file:///flag/warehouse");
    assert_eq!(by_flag.name, "mine");
}

#[test]
fn a_mistake_is_named_with_its_place() {
    let cases = [
        ("[lake]\ncatalogue = 'x'\n", "line 2: unknown field `catalogue`"),
        ("[lakes]\n", "line 1: unknown field `lakes`"),
        ("[ingest]\nmemory = 'lots'\n", "`ingest.memory` in "),
        ("[ingest]\ntarget_file_size = '50%'\n", "a share makes no sense"),
        ("[ingest]\ncompression_level = 23\n", "1 to 22"),
        ("[ingest]\nline_max = '1GiB'\n", "from 64KiB to 64MiB"),
        ("[ingest]\nmemory = '256MiB'\n", "512MiB is the least"),
        ("[ingest]\nmemory = '255MiB'\nline_max = '1MiB'\n", "256MiB is the least"),
        ("[ingest]\nline_max = '17MiB'\n", "536MiB is the least"),
        ("[query]\nprice_per_tib = -1.0\n", "is no price"),
        ("[lake]\nwarehouse = 'gs://x/y'\n", "the scheme `gs`"),
        ("[lake]\ncatalog = 'sqlite:'\n", "it names no file"),
        ("[s3]\nsecret_access_key = 'no'\n", "unknown field `secret_access_key`"),
        ("[jobs]\nparallel = 0\n", "a number from 1 to 256"),
        ("[jobs]\nlease = '10ms'\n", "1 s is the least"),
        ("[jobs]\ngrace = 'soon'\n", "`soon` is no time"),
        ("[lake\n", "line 1"),
    ];
    for (text, expected) in cases {
        let folder = folder_with(text);
        let error = load(folder.path(), "hosu doctor", &[]).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("hosu.toml"), "{text}: {error}");
    }
}

#[test]
fn a_catalog_of_a_later_version_is_refused_without_its_password() {
    let folder = folder_with("[lake]\ncatalog = 'postgres://me:secret@db/lake'\n");
    let error = load(folder.path(), "hosu doctor", &[]).unwrap_err();
    assert!(matches!(error, ConfigError::CatalogKind { .. }));
    assert!(error.to_string().contains("postgres:") && !error.to_string().contains("secret"));
}

#[test]
fn a_named_file_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let error = load(folder.path(), "hosu doctor --config none.toml", &[]).unwrap_err();
    assert!(error.to_string().contains("none.toml"), "{error}");
    let error = load(folder.path(), "hosu doctor", &[(env::HOSU_CONFIG, "other.toml")]).unwrap_err();
    assert!(error.to_string().contains("other.toml"), "{error}");
}
