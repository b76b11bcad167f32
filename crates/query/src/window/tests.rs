//! Ours against DataFusion's own operators: the same statements over the same rows, with the rule and without it.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::datasource::MemTable;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::physical_plan::{ExecutionPlan, collect, displayable};
use datafusion::prelude::{SessionConfig, SessionContext};
use proptest::prelude::*;

use super::physical_rules;

/// A row: text key, whole key, fraction, time, and value; the row's number is its `id`.
type Row = (Option<u8>, Option<i64>, Option<f64>, Option<i64>, Option<i64>);

fn batch(first: usize, rows: &[Row]) -> RecordBatch {
    let texts = ["", "a", "abcdefgh", "abcdefghi", "호수"];
    let text = |row: &Row| row.0.map(|at| texts[usize::from(at) % texts.len()]);
    let ids = (first..first + rows.len()).map(|id| id as i64);
    let columns: [(&str, ArrayRef); 6] = [
        ("t", Arc::new(StringArray::from_iter(rows.iter().map(text)))),
        ("k", Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.1)))),
        ("f", Arc::new(Float64Array::from_iter(rows.iter().map(|row| row.2)))),
        (
            "at",
            Arc::new(TimestampMicrosecondArray::from_iter(rows.iter().map(|row| row.3)).with_timezone("UTC")),
        ),
        ("v", Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.4)))),
        ("id", Arc::new(Int64Array::from_iter_values(ids))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
}

/// A session over the rows, in batches of `batch_rows` in two partitions.
fn session(rows: &[Row], batch_rows: usize, ours: bool, memory: usize) -> SessionContext {
    let config = SessionConfig::new().with_target_partitions(3).with_batch_size(batch_rows);
    let mut config = config.set_bool("datafusion.optimizer.repartition_file_scans", false);
    config.options_mut().execution.sort_spill_reservation_bytes = 16 << 10;
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(FairSpillPool::new(memory)));
    let mut state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime.build_arc().unwrap())
        .with_default_features();
    if ours {
        state = state.with_physical_optimizer_rules(physical_rules());
    }
    let context = SessionContext::new_with_state(state.build());
    let starts = (0..rows.len().max(1)).step_by(batch_rows);
    let batches: Vec<_> = starts.map(|at| batch(at, &rows[at..rows.len().min(at + batch_rows)])).collect();
    let schema = batches[0].schema();
    let half = batches.len() / 2;
    let parts = vec![batches[..half].to_vec(), batches[half..].to_vec()];
    context.register_table("rows", Arc::new(MemTable::try_new(schema, parts).unwrap())).unwrap();
    context
}

async fn plan(context: &SessionContext, sql: &str) -> Arc<dyn ExecutionPlan> {
    context.sql(sql).await.unwrap().create_physical_plan().await.unwrap()
}

/// The rows of an answer as sorted lines.
async fn lines(context: &SessionContext, plan: Arc<dyn ExecutionPlan>) -> Vec<String> {
    let options = FormatOptions::new().with_null("null");
    let mut lines = Vec::new();
    for batch in collect(plan, context.task_ctx()).await.unwrap() {
        let columns: Vec<_> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
        for row in 0..batch.num_rows() {
            lines.push(
                columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("|"),
            );
        }
    }
    lines.sort();
    lines
}

fn shown(plan: &Arc<dyn ExecutionPlan>) -> String {
    displayable(plan.as_ref()).indent(false).to_string()
}

async fn same(rows: &[Row], batch_rows: usize, sql: &str) {
    let (ours, theirs) =
        (session(rows, batch_rows, true, 1 << 30), session(rows, batch_rows, false, 1 << 30));
    let plan_of_ours = plan(&ours, sql).await;
    assert!(shown(&plan_of_ours).contains("GroupWindowExec"), "{sql}: {}", shown(&plan_of_ours));
    let found = lines(&ours, plan_of_ours).await;
    assert_eq!(found, lines(&theirs, plan(&theirs, sql).await).await, "{sql}");
}

fn row() -> impl Strategy<Value = Row> {
    let fraction = prop_oneof![
        Just(0.0),
        Just(-0.0),
        Just(f64::NAN),
        Just(-f64::NAN),
        Just(f64::INFINITY),
        Just(1.5),
        Just(-1.5),
    ];
    let time = prop_oneof![0..4_i64, Just(i64::MIN), Just(i64::MAX)];
    (
        prop::option::of(0..5_u8),
        prop::option::of(prop_oneof![0..3_i64, Just(i64::MAX)]),
        prop::option::of(fraction),
        prop::option::of(time),
        prop::option::of(-3..3_i64),
    )
}

const KEYS: [&str; 5] = ["k", "t", "k, t", "t, k, v % 2", "at"];
const ORDERS: [&str; 6] = ["f", "at", "v", "t", "f, at", "v, t, f"];

/// A direction for each column of an order.
fn directed(order: &str, direction: usize) -> String {
    let ways = ["asc nulls last", "asc nulls first", "desc nulls last", "desc nulls first"];
    let columns = order.split(", ").enumerate();
    columns
        .map(|(at, column)| format!("{column} {}", ways[(direction + at) % 4]))
        .collect::<Vec<_>>()
        .join(", ")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn windows_say_the_same(
        rows in prop::collection::vec(row(), 0..60),
        (batch_rows, key, order, direction) in (1..9_usize, 0..KEYS.len(), 0..ORDERS.len(), 0..4_usize),
        (first, back) in (1..5_i64, 1..4_i64),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (keys, order) = (KEYS[key], directed(ORDERS[order], direction));
            // Only a rank is the same for rows that are equal.
            let (ranked, numbered) = (
                format!("(partition by {keys} order by {order})"),
                format!("(partition by {keys} order by {order}, id)"),
            );
            let all = format!(
                "select *, rank() over {ranked} as r, dense_rank() over {ranked} as d, row_number() over {numbered} as n, \
                 lag(v) over {numbered} as a, lead(t, {back}) over {numbered} as b, lag(v + 1, {back}, 7) over {numbered} as c \
                 from rows"
            );
            same(&rows, batch_rows, &all).await;
            for filter in [format!("n <= {first}"), format!("n < {first} and v = 1"), format!("{first} = n")] {
                let top = format!("select * from (select *, row_number() over {numbered} as n from rows) where {filter}");
                same(&rows, batch_rows, &top).await;
            }
            // Which of equal rows is the first is anybody's choice, but not what makes them equal.
            let first = ORDERS.iter().position(|columns| order.starts_with(columns.split(", ").next().unwrap()));
            let columns = ORDERS[first.unwrap()];
            let top = format!(
                "select {columns} from (select {columns}, row_number() over (partition by {keys} order by {}) as n from rows) \
                 where n = 1",
                directed(columns, direction)
            );
            same(&rows, batch_rows, &top).await;
        });
    }
}

fn many() -> Vec<Row> {
    let row = |at: i64| {
        let mixed = at.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as i64) >> 17;
        (
            Some((mixed & 3) as u8),
            Some(mixed % 997),
            Some((mixed % 31) as f64),
            Some(mixed % 10_007),
            Some(at % 89),
        )
    };
    (0..40_000).map(row).collect()
}

const NUMBERED: &str = "select *, lag(v) over (partition by k order by at, id) as a from rows";
const TOP: &str = "select * from (select *, row_number() over (partition by k order by at desc, id) as n from rows) where n <= 3";

/// Sums that two answers have in common only if their rows are the same, in little memory.
fn summed((sql, computed): (&str, &str)) -> String {
    format!("select k % 10, count(*), sum(id), sum(v), max(t), sum({computed}) from ({sql}) group by 1")
}

#[tokio::test]
async fn datafusion_goes_on_when_memory_ends() {
    let rows = many();
    for sql in [(NUMBERED, "a"), (TOP, "n")].map(summed) {
        let theirs = session(&rows, 512, false, 1 << 30);
        let expected = lines(&theirs, plan(&theirs, &sql).await).await;
        let mut went_on = 0;
        for memory in [2 << 20, 3 << 20, 4 << 20, 1 << 30] {
            let ours = session(&rows, 512, true, memory);
            let planned = plan(&ours, &sql).await;
            assert_eq!(lines(&ours, planned.clone()).await, expected, "{memory} {sql}");
            went_on += sorted_by_datafusion(&planned);
        }
        assert!(went_on > 0 || sql.contains("row_number"), "{sql}");
    }
}

fn sorted_by_datafusion(plan: &Arc<dyn ExecutionPlan>) -> usize {
    let own = plan.metrics().and_then(|metrics| metrics.sum_by_name("partitions_sorted_by_datafusion"));
    own.map_or(0, |value| value.as_usize())
        + plan.children().into_iter().map(sorted_by_datafusion).sum::<usize>()
}

#[tokio::test]
async fn first_rows_of_many_groups_are_found() {
    let rows = many();
    same(&rows, 512, TOP).await;
    // Nearly every row is the first of its group.
    same(&rows, 512, &TOP.replace("partition by k", "partition by id / 2")).await;
    same(&rows, 512, &TOP.replace("partition by k", "partition by id % 2")).await;
}

#[tokio::test]
async fn what_ours_cannot_do_is_left_to_datafusion() {
    let context = session(&many()[..100], 16, true, 1 << 30);
    let windows = [
        "lag(v) ignore nulls over (partition by k order by id)",
        "lag(v, 0) over (partition by k order by id)",
        "sum(v) over (partition by k order by id)",
        "row_number() over (order by id)",
        "row_number() over (partition by f order by id)",
        "row_number() over (partition by k order by [v])",
        "ntile(3) over (partition by k order by id)",
    ];
    for window in windows {
        let planned = plan(&context, &format!("select {window} as w from rows")).await;
        assert!(!shown(&planned).contains("GroupWindowExec"), "{window}");
    }
    let limited = format!("{NUMBERED} limit 5");
    assert!(!shown(&plan(&context, &limited).await).contains("GroupWindowExec"));
    for filter in ["n >= 3", "n = 0", "n <= 1000", "n <> 1", "v = 1", "n <= v"] {
        let sql = TOP.replace("n <= 3", filter);
        assert!(!shown(&plan(&context, &sql).await).contains("TopRowsExec"), "{filter}");
    }
    assert!(shown(&plan(&context, TOP).await).contains("TopRowsExec: rows=3, partition=[k@1]"));
}
