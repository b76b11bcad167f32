//! Percentiles that share their values, against those that do not.

use std::sync::Arc;

use datafusion::arrow::array::{Float64Array, Int64Array, RecordBatch};
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::datasource::MemTable;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use proptest::prelude::*;

use super::SharedPercentiles;

fn session(rows: &[(i64, Option<f64>)], ours: bool) -> SessionContext {
    let config = SessionConfig::new().with_target_partitions(2).with_batch_size(4);
    let mut state = SessionStateBuilder::new().with_config(config).with_default_features();
    if ours {
        state = state.with_optimizer_rule(Arc::new(SharedPercentiles));
    }
    let context = SessionContext::new_with_state(state.build());
    let batch = |rows: &[(i64, Option<f64>)]| {
        let keys = Int64Array::from_iter_values(rows.iter().map(|row| row.0));
        let values = Float64Array::from_iter(rows.iter().map(|row| row.1));
        RecordBatch::try_from_iter_with_nullable([
            ("k", Arc::new(keys) as _, true),
            ("v", Arc::new(values) as _, true),
        ])
    };
    let (left, right) = rows.split_at(rows.len() / 3);
    let parts = [left, right].map(|rows| vec![batch(rows).unwrap()]);
    let table = MemTable::try_new(parts[0][0].schema(), parts.to_vec()).unwrap();
    context.register_table("rows", Arc::new(table)).unwrap();
    context
}

async fn answer(context: &SessionContext, sql: &str) -> String {
    let answer = context.sql(sql).await.unwrap().collect().await.unwrap();
    pretty_format_batches(&answer).unwrap().to_string()
}

const CALLS: &str = "percentile_cont(0.5) within group (order by v) as a, count(*) as n, \
    percentile_cont(0.99) within group (order by v) as b, sum(k) as s, percentile_cont(0.3) within group (order by v desc) as c, \
    percentile_cont(0.25) within group (order by k) as d, percentile_cont(0.75) within group (order by k) as e, \
    percentile_cont(0.123456789) within group (order by v) filter (where v > 0) as f, \
    percentile_cont(0.9) within group (order by v) filter (where v > 0) as g, percentile_cont(0.0) within group (order by v) as h, \
    percentile_cont(0.7) within group (order by v + 1) as i";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn sharing_changes_no_answer(
        rows in prop::collection::vec(
            (0..4_i64, prop::option::of(prop_oneof![-1e3..1e3_f64, Just(f64::NAN), Just(-0.0), Just(0.0), Just(f64::INFINITY)])),
            0..40,
        )
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (ours, theirs) = (session(&rows, true), session(&rows, false));
            for sql in [format!("select k, {CALLS} from rows group by k order by k"), format!("select {CALLS} from rows")] {
                let plan = answer(&ours, &format!("explain {sql}")).await;
                assert!(plan.contains("percentiles("), "{plan}");
                assert_eq!(answer(&ours, &sql).await, answer(&theirs, &sql).await, "{sql}");
            }
        });
    }
}

#[tokio::test]
async fn one_percentile_is_left_as_it_is() {
    let ours = session(&[(1, Some(2.0))], true);
    for sql in [
        "select percentile_cont(0.5) within group (order by v), percentile_cont(0.6) within group (order by k) from rows",
        "select percentile_cont(distinct v, 0.5), percentile_cont(distinct v, 0.6) from rows",
    ] {
        let plan = answer(&ours, &format!("explain {sql}")).await;
        assert!(!plan.contains("percentiles("), "{plan}");
    }
}
