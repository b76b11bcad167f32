use arrow::array::{AsArray, Int64Array};
use arrow::datatypes::Int64Type;
use iceberg::spec::PrimitiveType;
use proptest::prelude::*;

use super::*;
use crate::tests::{Bench, optional, schema};

fn sorter(bench: &Bench, memory_bytes: usize) -> (Sorter, Arc<Budget>) {
    let budget = Budget::new(memory_bytes);
    (Sorter::new(&bench.target, bench.host.scratch.clone(), &budget, false).unwrap(), budget)
}

fn rows(sorter: Sorter) -> Vec<(PartitionId, i64)> {
    let mut found = Vec::new();
    let drained = sorter.drain(|sorted| {
        let numbers = sorted.batch.column(0).as_primitive::<Int64Type>().values().to_vec();
        let ids = sorted.partitions.iter().flat_map(|(id, rows)| std::iter::repeat_n(*id, *rows));
        found.extend(ids.zip(numbers));
        true
    });
    drained.unwrap();
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn runs_and_memory_give_the_same(
        parts in prop::collection::vec(prop::collection::vec(0_u32..5, 1..40), 1..24),
        spills in prop::collection::vec(any::<bool>(), 24),
    ) {
        let bench = Bench::new(schema([optional(1, "n", PrimitiveType::Long)]));
        let (mut within, _) = sorter(&bench, 1 << 30);
        // So small that only a few runs are merged at a time.
        let (mut spilled, _) = sorter(&bench, 1 << 10);
        let mut expected = Vec::new();
        let mut next = 0_i64;
        for (ids, spill) in parts.iter().zip(spills) {
            let numbers = Int64Array::from_iter_values(next..next + ids.len() as i64);
            expected.extend(ids.iter().copied().zip(next..));
            next += ids.len() as i64;
            let batch = bench.batch(vec![Arc::new(numbers)]);
            within.add(batch.clone(), ids).unwrap();
            spilled.add(batch, ids).unwrap();
            if spill {
                spilled.spill().unwrap();
            }
        }
        expected.sort_by_key(|(id, _)| *id);
        prop_assert_eq!(&rows(within), &expected);
        prop_assert_eq!(&rows(spilled), &expected);
    }
}

#[test]
fn memory_is_given_back() {
    let bench = Bench::new(schema([optional(1, "n", PrimitiveType::Long)]));
    let (mut sorter, budget) = sorter(&bench, 1 << 20);
    for _ in 0..100 {
        let batch = bench.batch(vec![Arc::new(Int64Array::from_iter_values(0..1_000))]);
        sorter.add(batch, &[1; 1_000]).unwrap();
    }
    assert!(budget.peak() < 1 << 19, "{}", budget.peak());
    let mut rows = 0;
    sorter
        .drain(|sorted| {
            rows += sorted.batch.num_rows();
            true
        })
        .unwrap();
    assert_eq!(rows, 100_000);
    assert!(!budget.would_exceed(1 << 20));
}
