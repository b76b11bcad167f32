//! When a learned filter is asked, and what it says when it is not.

use datafusion::arrow::array::Int64Array;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::datasource::physical_plan::parquet::can_expr_be_pushed_down_with_schemas;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, DynamicFilterPhysicalExpr, lit};
use datafusion::physical_expr_common::physical_expr::snapshot_physical_expr;

use super::*;

/// `v < bound`.
fn below(bound: i64) -> Arc<dyn PhysicalExpr> {
    Arc::new(BinaryExpr::new(Arc::new(Column::new("v", 0)), Operator::Lt, lit(bound)))
}

fn learned(bound: i64) -> (Arc<DynamicFilterPhysicalExpr>, Arc<dyn PhysicalExpr>) {
    let dynamic = Arc::new(DynamicFilterPhysicalExpr::new(vec![Arc::new(Column::new("v", 0))], lit(true)));
    dynamic.update(below(bound)).unwrap();
    (dynamic.clone(), SampledFilter::of(dynamic))
}

/// The numbers below 100, over and over, in batches of 10,000.
fn kept(filter: &Arc<dyn PhysicalExpr>) -> usize {
    let schema = Arc::new(Schema::new(vec![Field::new("v", DataType::Int64, false)]));
    let values = Int64Array::from_iter_values((0..10_000).map(|v| v % 100));
    let batch = RecordBatch::try_new(schema, vec![Arc::new(values)]).unwrap();
    let answers = filter.evaluate(&batch).unwrap().into_array(batch.num_rows()).unwrap();
    as_boolean_array(&answers).unwrap().true_count()
}

#[test]
fn a_filter_that_drops_most_rows_is_asked_to_the_end() {
    let (_, filter) = learned(2);
    for _ in 0..10 {
        assert_eq!(kept(&filter), 200);
    }
}

#[test]
fn a_filter_that_many_rows_pass_is_asked_for_a_sample_only_until_it_learns_more() {
    let (dynamic, filter) = learned(60);
    let answers: Vec<usize> = (0..6).map(|_| kept(&filter)).collect();
    assert_eq!(answers, [6_000, 6_000, 6_000, 6_000, 10_000, 10_000]);

    dynamic.update(below(1)).unwrap();
    let answers: Vec<usize> = (0..6).map(|_| kept(&filter)).collect();
    assert_eq!(answers, [100; 6]);
}

#[test]
fn files_share_a_sample() {
    let (_, filter) = learned(60);
    let children = filter.children().into_iter().cloned().collect();
    let of_other_file = filter.clone().with_new_children(children).unwrap();
    for _ in 0..4 {
        assert_eq!(kept(&filter), 6_000);
    }
    assert_eq!(kept(&of_other_file), 10_000);
}

#[test]
fn what_does_not_pay_only_prunes_the_files_that_follow() {
    let (dynamic, filter) = learned(60);
    let sampled = filter.downcast_ref::<SampledFilter>().unwrap();
    assert!(sampled.not_worth_asking().is_none(), "nothing is known yet");
    for _ in 0..4 {
        kept(&filter);
    }
    let file = Schema::new(vec![Field::new("v", DataType::Int64, false)]);
    let only = PruningOnly::of(sampled.not_worth_asking().unwrap().clone(), &file);
    assert!(!can_expr_be_pushed_down_with_schemas(&only, &file));
    assert!(can_expr_be_pushed_down_with_schemas(&filter, &file));
    assert_eq!(snapshot_physical_expr(only.clone()).unwrap().to_string(), below(60).to_string());
    assert_eq!(kept(&only), 6_000);

    dynamic.update(below(1)).unwrap();
    assert!(sampled.not_worth_asking().is_none(), "it knows more");
    assert_eq!(snapshot_physical_expr(only).unwrap().to_string(), below(1).to_string());
}

#[test]
fn conditions_do_not_change() {
    assert!(is_learned(&learned(1).1));
    assert!(!is_learned(&below(60)) && !is_learned(&SampledFilter::of(below(60))));
}

#[test]
fn what_prunes_is_what_was_learned() {
    let (_, filter) = learned(60);
    for _ in 0..5 {
        kept(&filter);
    }
    assert_eq!(snapshot_physical_expr(filter).unwrap().to_string(), below(60).to_string());
}
