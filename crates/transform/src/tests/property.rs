//! Whatever happens to the inputs, in whatever order: a target is its SELECT over the whole input, at the cost of what is new.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hosu_catalog::{RunState, Table};
use hosu_host::{Host, Location, Meter};
use hosu_table::increment::Gap;
use iceberg::spec::{Operation, Snapshot};
use proptest::prelude::*;

use super::lake::Lake;
use crate::{Ended, Order, Refusal, RunError, Runner};

const INPUTS: [&str; 2] = ["raw.events", "raw.more"];

/// A job; its target is called as it is.
struct Known {
    name: &'static str,
    mode: &'static str,
    inputs: &'static [&'static str],
    select: &'static str,
}

/// In the order of their graph.
const JOBS: [Known; 4] = [
    Known {
        name: "picked",
        mode: "append",
        inputs: &["raw.events"],
        select: "select id, upper(kind) as kind, payload from raw.events where kind <> 'b'",
    },
    Known {
        name: "merged",
        mode: "append",
        inputs: &["raw.events", "raw.more"],
        select: "select id, kind from raw.events union all select -id, kind from raw.more where id % 4 <> 0",
    },
    Known {
        name: "tagged",
        mode: "append",
        inputs: &["picked"],
        select: "select kind, id * 2 as double_id from picked where id % 3 <> 0",
    },
    Known {
        name: "counted",
        mode: "full",
        inputs: &["tagged"],
        select: "select kind, count(*) as n, sum(double_id) as total from tagged group by kind",
    },
];

#[derive(Clone, Debug)]
enum Act {
    Ingest { input: usize, rows: usize, payload_chars: usize },
    Rewrite { input: usize },
    RollBack { input: usize, back: usize },
    Expire { input: usize, kept: usize },
    Run { job: usize },
    RunAnew { job: usize },
}

fn act() -> impl Strategy<Value = Act> {
    let (input, job) = (|| 0..INPUTS.len(), || 0..JOBS.len());
    prop_oneof![
        8 => (input(), 1..5_usize, 500..20_000_usize)
            .prop_map(|(input, rows, payload_chars)| Act::Ingest { input, rows, payload_chars }),
        2 => input().prop_map(|input| Act::Rewrite { input }),
        1 => (input(), 1..3_usize).prop_map(|(input, back)| Act::RollBack { input, back }),
        1 => (input(), 1..4_usize).prop_map(|(input, kept)| Act::Expire { input, kept }),
        8 => job().prop_map(|job| Act::Run { job }),
        1 => job().prop_map(|job| Act::RunAnew { job }),
    ]
}

/// What a snapshot did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Did {
    /// It added files of so many bytes.
    Append(u64),
    /// It replaced files by others with the same rows.
    Rewrite,
    Overwrite,
}

/// What happened to a table, told by who did it: nothing is forgotten here.
#[derive(Clone, Debug, Default)]
struct History {
    snapshots: BTreeMap<i64, (Option<i64>, Did)>,
    current: Option<i64>,
    expired: BTreeSet<i64>,
    rolled_back: bool,
}

/// What a run finds in an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    /// New rows, in files of so many bytes.
    New(u64),
    /// What is new cannot be told.
    Gap,
}

impl History {
    fn made(&mut self, snapshot_id: i64, did: Did) {
        self.snapshots.insert(snapshot_id, (self.current, did));
        self.current = Some(snapshot_id);
    }

    /// The snapshots from the current one back.
    fn chain(&self) -> Vec<i64> {
        let parent = |id: &i64| self.snapshots.get(id).and_then(|(parent, _)| *parent);
        std::iter::successors(self.current, parent).collect()
    }

    /// The snapshots after a position, newest first; none if it was left behind.
    fn after(&self, position: i64) -> Option<Vec<i64>> {
        let mut chain = self.chain();
        chain.truncate(chain.iter().position(|id| *id == position)?);
        Some(chain)
    }

    fn found(&self, position: i64) -> Found {
        let Some(new) = self.after(position) else { return Found::Gap };
        let mut found = Found::Nothing;
        for id in &new {
            match self.snapshots[id].1 {
                _ if self.expired.contains(id) => return Found::Gap,
                Did::Overwrite => return Found::Gap,
                Did::Rewrite => {}
                Did::Append(bytes) => {
                    found = Found::New(bytes + if let Found::New(sum) = found { sum } else { 0 });
                }
            }
        }
        found
    }

    /// Whether this may be said of the table.
    fn may_have(&self, gap: &Gap) -> bool {
        match gap {
            Gap::RolledBack => self.rolled_back,
            Gap::Expired => !self.expired.is_empty(),
            Gap::Overwritten { snapshot_id, .. } => self.snapshots[snapshot_id].1 == Did::Overwrite,
        }
    }
}

/// What a run has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// An input is not there yet.
    Missing,
    NothingNew,
    /// The SELECT over new rows, in files of so many bytes.
    Work(u64),
    Refused,
}

/// A lake and all that happened to it.
struct Story {
    lake: Lake,
    next_id: i64,
    tables: BTreeMap<&'static str, History>,
    /// Where the inputs of each job were when it last did something.
    taken: BTreeMap<&'static str, BTreeMap<&'static str, Option<i64>>>,
}

impl Story {
    async fn begin() -> Self {
        let mut lake = Lake::new();
        lake.sql("create database raw").await;
        let mut tables = BTreeMap::new();
        for input in INPUTS {
            let columns = "(id bigint, kind string, payload string)";
            lake.sql(&format!("create table {input} {columns} tblproperties ('table_type'='ICEBERG')")).await;
            tables.insert(input, History::default());
        }
        for job in &JOBS {
            lake.job(job.name, &format!("target = \"{}\"\nmode = \"{}\"", job.name, job.mode), job.select);
        }
        Self { lake, next_id: 0, tables, taken: BTreeMap::new() }
    }

    fn history(&mut self, table: &'static str) -> &mut History {
        self.tables.get_mut(table).unwrap()
    }

    async fn act(&mut self, act: &Act) {
        match *act {
            Act::Ingest { input, rows, payload_chars } => {
                self.ingest(INPUTS[input], rows, payload_chars).await;
            }
            Act::Rewrite { input } if self.tables[INPUTS[input]].current.is_some() => {
                let snapshot_id = self.lake.rewrite(INPUTS[input]).await;
                self.history(INPUTS[input]).made(snapshot_id, Did::Rewrite);
            }
            Act::Rewrite { .. } => {}
            Act::RollBack { input, back } => self.roll_back(INPUTS[input], back).await,
            Act::Expire { input, kept } => self.expire(INPUTS[input], kept).await,
            Act::Run { job } => self.run(&JOBS[job]).await,
            Act::RunAnew { job } => self.run_anew(&JOBS[job]).await,
        }
    }

    async fn ingest(&mut self, input: &'static str, rows: usize, payload_chars: usize) {
        let rows: Vec<String> = (self.next_id..)
            .take(rows)
            .map(|id| {
                let kind = ["a", "b", "c", "A"][(id % 4) as usize];
                format!("({id}, '{kind}', '{}')", payload(id as u64, payload_chars))
            })
            .collect();
        self.next_id += rows.len() as i64;
        self.lake.sql(&format!("insert into {input} values {}", rows.join(", "))).await;
        self.note(input).await;
    }

    /// Looks what a commit has made of a table.
    async fn note(&mut self, table: &'static str) {
        let found = self.lake.table(table).await;
        let history = self.tables.entry(table).or_default();
        let Some(snapshot) = found.snapshot().filter(|now| history.current != Some(now.snapshot_id())) else {
            return;
        };
        let did = match snapshot.summary().operation {
            Operation::Append => Did::Append(number(snapshot, "added-files-size")),
            _ => Did::Overwrite,
        };
        history.made(snapshot.snapshot_id(), did);
    }

    async fn roll_back(&mut self, input: &'static str, back: usize) {
        let history = self.history(input);
        let chain = history.chain();
        let Some(to) = chain.get(back).filter(|id| !history.expired.contains(id)) else { return };
        history.current = Some(*to);
        history.rolled_back = true;
        self.lake.roll_back(input, *to).await;
    }

    async fn expire(&mut self, input: &'static str, kept: usize) {
        let history = self.history(input);
        let chain = history.chain();
        let kept = chain.iter().take(kept).collect::<BTreeSet<_>>();
        let gone = history.snapshots.keys().filter(|id| !kept.contains(id) && !history.expired.contains(id));
        let gone: Vec<i64> = gone.copied().collect();
        history.expired.extend(&gone);
        self.lake.expire(input, &gone).await;
    }

    async fn expected(&self, job: &Known) -> Expected {
        if job.inputs.iter().any(|input| !self.tables.contains_key(input)) {
            return Expected::Missing;
        }
        let mut bytes = None;
        for input in job.inputs {
            let history = &self.tables[input];
            let position = self.taken.get(job.name).map(|taken| taken[input]);
            let found = match position {
                Some(position) if position == history.current => Found::Nothing,
                Some(Some(position)) => history.found(position),
                _ => Found::New(total_bytes(self.lake.table(input).await.as_ref())),
            };
            match found {
                Found::Nothing => {}
                Found::New(new) => bytes = Some(bytes.unwrap_or(0) + new),
                Found::Gap if job.mode == "full" => bytes = Some(0),
                Found::Gap => return Expected::Refused,
            }
        }
        bytes.map_or(Expected::NothingNew, Expected::Work)
    }

    async fn run(&mut self, job: &Known) {
        let expected = self.expected(job).await;
        let metadata = self.metadata_bytes(job).await;
        let before = self.rows(job).await;
        let (ended, bytes_read) = measured(&self.lake, job, false).await;
        let state = ended.run.state;
        match (expected, &ended.error) {
            (Expected::Missing, Some(RunError::InputMissing { .. })) => return,
            (Expected::NothingNew, None) => assert_eq!(state, RunState::NothingNew, "{}", job.name),
            (Expected::Work(_), None) => assert_eq!(state, RunState::Succeeded, "{}", job.name),
            (Expected::Refused, Some(RunError::Refused { refusal: Refusal::Input { input, gap }, .. })) => {
                let history = &self.tables[input.to_string().trim_start_matches("default.")];
                assert!(history.may_have(gap), "{}: {gap:?} of {history:?}", job.name);
                assert_eq!(self.rows(job).await, before, "a run that was refused changes nothing");
                return self.run_anew(job).await;
            }
            (expected, error) => panic!("{}: {expected:?} was expected, not {state}: {error:?}", job.name),
        }
        if job.mode == "append" {
            let new = if let Expected::Work(bytes) = expected { bytes } else { 0 };
            let allowed = 2 * new + metadata;
            assert!(bytes_read <= allowed, "{}: {bytes_read} bytes read, {allowed} allowed", job.name);
        }
        self.has_run(job).await;
    }

    async fn run_anew(&mut self, job: &Known) {
        let expected = self.expected(job).await;
        let (ended, _) = measured(&self.lake, job, true).await;
        match (expected, &ended.error) {
            (Expected::Missing, Some(RunError::InputMissing { .. })) => return,
            (_, None) => assert_eq!(ended.run.state, RunState::Succeeded, "{}", job.name),
            (expected, error) => panic!("{}: {expected:?} was expected: {error:?}", job.name),
        }
        self.has_run(job).await;
    }

    async fn has_run(&mut self, job: &Known) {
        let taken = job.inputs.iter().map(|input| (*input, self.tables[input].current));
        let taken = taken.collect();
        self.taken.insert(job.name, taken);
        self.note(job.name).await;
        let whole = sorted(self.lake.sql(job.select).await);
        assert_eq!(self.rows(job).await, whole, "{} is not its SELECT", job.name);
    }

    async fn rows(&mut self, job: &Known) -> Vec<String> {
        if !self.tables.contains_key(job.name) {
            return Vec::new();
        }
        sorted(self.lake.sql(&format!("select * from {}", job.name)).await)
    }

    /// The bytes of the metadata of what a job reads and writes: of its newest snapshots and of those that the job has not taken.
    async fn metadata_bytes(&self, job: &Known) -> u64 {
        let mut sum = 0;
        for name in job.inputs.iter().copied().chain([job.name]) {
            let Some(history) = self.tables.get(name) else { continue };
            let table = self.lake.table(name).await;
            sum += self.size(&table.metadata_location).await;
            let position = self.taken.get(job.name).and_then(|taken| taken.get(name).copied().flatten());
            let new = position.and_then(|position| history.after(position)).unwrap_or_default();
            let wanted: BTreeSet<i64> = new.into_iter().chain(history.current).collect();
            for snapshot in wanted.iter().filter_map(|id| table.metadata.snapshot_by_id(*id)) {
                sum += self.size(snapshot.manifest_list()).await;
                let manifests = self.lake.catalog.manifests(&table, snapshot).await.unwrap();
                sum += manifests.iter().map(|manifest| manifest.manifest_length as u64).sum::<u64>();
            }
        }
        sum
    }

    async fn size(&self, file: &str) -> u64 {
        let place = Location::parse(file).unwrap();
        self.lake.catalog.host().store.get(&place).await.unwrap().len() as u64
    }
}

/// Runs a job, and tells the bytes that it read.
async fn measured(lake: &Lake, job: &Known, anew: bool) -> (Ended, u64) {
    let meter = Arc::<Meter>::default();
    let host = lake.catalog.host().clone();
    let host = Host { store: host.store.metered(meter.clone()), ..host };
    let runner = Runner { catalog: lake.catalog.on_host(host), ..lake.runner.clone() };
    let project = lake.project().await;
    assert!(project.faults.is_empty(), "{:?}", project.faults);
    let order = Order { anew, ..Order::default() };
    let ended = runner.run(&project, project.job(job.name).unwrap(), &order).await;
    (ended, meter.snapshot().bytes_read())
}

fn number(snapshot: &Snapshot, key: &str) -> u64 {
    snapshot.summary().additional_properties[key].parse().unwrap()
}

/// The bytes of the files that a table has.
fn total_bytes(table: &Table) -> u64 {
    let Some(snapshot) = table.snapshot() else { return 0 };
    match snapshot.summary().additional_properties.get("total-files-size") {
        Some(bytes) => bytes.parse().unwrap(),
        None => 0,
    }
}

fn sorted(mut rows: Vec<String>) -> Vec<String> {
    rows.sort();
    rows
}

/// A text that does not become smaller in a file.
fn payload(id: u64, chars: usize) -> String {
    let mut state = id.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let char = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'0' + (state >> 58) as u8)
    };
    (0..chars).map(char).collect::<String>().replace(['\\', ';'], "_")
}

async fn tell(acts: Vec<Act>) {
    let mut story = Story::begin().await;
    let end = (0..JOBS.len()).map(|job| Act::Run { job });
    for act in acts.into_iter().chain(end) {
        story.act(&act).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn a_target_is_its_select_over_the_whole_input_at_the_cost_of_what_is_new(
        acts in prop::collection::vec(act(), 0..24)
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(tell(acts));
    }
}

#[tokio::test]
async fn a_run_that_always_made_everything_would_be_found() {
    let mut story = Story::begin().await;
    let job = &JOBS[0];
    for _ in 0..12 {
        story.ingest("raw.events", 3, 20_000).await;
    }
    story.run(job).await;
    story.ingest("raw.events", 3, 20_000).await;
    let Expected::Work(new) = story.expected(job).await else { panic!("there are new rows") };
    let allowed = 2 * new + story.metadata_bytes(job).await;
    let (ended, bytes_read) = measured(&story.lake, job, true).await;
    assert!(ended.error.is_none());
    assert!(bytes_read > 2 * allowed, "{bytes_read} bytes read, {allowed} allowed");
    story.has_run(job).await;
    story.ingest("raw.events", 3, 20_000).await;
    story.run(job).await;
}

#[tokio::test]
async fn rows_that_were_only_rewritten_since_nothing_was_there_are_new() {
    let mut story = Story::begin().await;
    let job = &JOBS[0];
    story.run(job).await;
    story.ingest("raw.events", 3, 500).await;
    story.act(&Act::Rewrite { input: 0 }).await;
    story.act(&Act::Expire { input: 0, kept: 1 }).await;
    story.run(job).await;
}
