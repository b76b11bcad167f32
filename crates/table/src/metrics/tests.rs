use proptest::prelude::*;

use super::*;

const LENGTH_MAX: usize = 16;

fn truncated_lower(value: &Datum) -> Datum {
    super::truncated_lower(value, LENGTH_MAX)
}

fn truncated_upper(value: &Datum) -> Option<Datum> {
    super::truncated_upper(value, LENGTH_MAX)
}

fn string(datum: &Datum) -> &str {
    match datum.literal() {
        PrimitiveLiteral::String(text) => text,
        other => panic!("{other:?}"),
    }
}

fn facts(lower: Option<Datum>, upper: Option<Datum>) -> ColumnFacts {
    ColumnFacts::of_chunk(10, Some(1), 100, lower, upper)
}

#[test]
fn short_texts_are_kept() {
    let text = Datum::string("호수 호수 호수 호수 호수 호");
    assert_eq!(string(&text).chars().count(), 16);
    assert_eq!(truncated_lower(&text), text);
    assert_eq!(truncated_upper(&text), Some(text));
}

#[test]
fn long_texts_are_cut_by_characters_and_rounded_up() {
    let text = Datum::string("가".repeat(20));
    assert_eq!(string(&truncated_lower(&text)), "가".repeat(16));
    assert_eq!(truncated_upper(&text), Some(Datum::string(format!("{}각", "가".repeat(15)))));
}

#[test]
fn rounding_up_steps_over_surrogates_and_carries() {
    let before_gap = Datum::string(format!("{}\u{D7FF}z", "a".repeat(15)));
    assert_eq!(truncated_upper(&before_gap), Some(Datum::string(format!("{}\u{E000}", "a".repeat(15)))));
    let carry = Datum::string(format!("{}\u{10FFFF}\u{10FFFF}", "a".repeat(15)));
    assert_eq!(truncated_upper(&carry), Some(Datum::string(format!("{}b", "a".repeat(14)))));
    assert_eq!(truncated_upper(&Datum::string("\u{10FFFF}".repeat(17))), None);
}

#[test]
fn long_bytes_are_cut_and_rounded_up() {
    let bytes = Datum::binary([1; 20]);
    assert_eq!(truncated_lower(&bytes), Datum::binary([1; 16]));
    let mut up = [1; 16];
    up[15] = 2;
    assert_eq!(truncated_upper(&bytes), Some(Datum::binary(up)));
    let carry: Vec<u8> = [1].into_iter().chain([255; 19]).collect();
    assert_eq!(truncated_upper(&Datum::binary(carry)), Some(Datum::binary([2])));
    assert_eq!(truncated_upper(&Datum::binary([255; 17])), None);
}

#[test]
fn fixed_keeps_its_length() {
    let fixed = Datum::fixed([7; 40]);
    assert_eq!(truncated_lower(&fixed), fixed);
    assert_eq!(truncated_upper(&fixed), Some(fixed));
}

#[test]
fn zeros_reach_to_both_signs() {
    let bits = |datum: &Datum| match datum.literal() {
        PrimitiveLiteral::Double(number) => number.0.to_bits(),
        other => panic!("{other:?}"),
    };
    assert_eq!(bits(&truncated_lower(&Datum::double(0.0))), (-0.0_f64).to_bits());
    assert_eq!(bits(&truncated_upper(&Datum::double(-0.0)).unwrap()), 0.0_f64.to_bits());
}

#[test]
fn a_row_group_without_statistics_takes_the_bounds_away() {
    let known = facts(Some(Datum::long(1)), Some(Datum::long(9)));
    let merged = known.clone().merge(facts(None, Some(Datum::long(20))));
    assert_eq!(merged.lower, Bound::Unknown);
    assert_eq!(merged.upper, Bound::At(Datum::long(20)));
    let all_null = ColumnFacts::of_chunk(5, Some(5), 10, None, None);
    let merged = known.clone().merge(all_null.clone());
    assert_eq!((merged.lower, merged.nulls), (Bound::At(Datum::long(1)), Some(6)));
    assert_eq!(all_null.clone().merge(known).upper, Bound::At(Datum::long(9)));
    let metrics = FileMetrics::of_columns([(3, MetricsMode::Full, all_null)]);
    assert!(metrics.lower_bounds.is_empty() && metrics.upper_bounds.is_empty());
    assert_eq!(metrics.null_value_counts.get(&3), Some(&5));
}

#[test]
fn a_mode_says_what_is_kept() {
    let text = facts(Some(Datum::string("abcdef")), Some(Datum::string("uvwxyz")));
    let of = |mode| FileMetrics::of_columns([(3, mode, text.clone())]);
    let none = of(MetricsMode::None);
    assert_eq!((none.column_sizes.len(), none.value_counts.len(), none.null_value_counts.len()), (1, 0, 0));
    let counts = of(MetricsMode::Counts);
    assert_eq!((counts.value_counts.len(), counts.lower_bounds.len()), (1, 0));
    let cut = of(MetricsMode::Truncate(2));
    assert_eq!(cut.lower_bounds.get(&3), Some(&Datum::string("ab")));
    assert_eq!(cut.upper_bounds.get(&3), Some(&Datum::string("uw")));
    assert_eq!(of(MetricsMode::Full).upper_bounds.get(&3), Some(&Datum::string("uvwxyz")));
}

#[test]
fn nan_is_no_bound_and_an_unknown_count_stays_unknown() {
    let nan = facts(Some(Datum::double(f64::NAN)), Some(Datum::double(1.0)));
    assert_eq!(nan.lower, Bound::Unknown);
    let counted = ColumnFacts { nans: Some(2), ..facts(Some(Datum::double(0.5)), Some(Datum::double(1.0))) };
    assert_eq!(counted.clone().merge(counted.clone()).nans, Some(4));
    assert_eq!(counted.merge(nan).nans, None);
}

#[test]
fn bounds_of_two_types_are_unknown() {
    let merged = facts(Some(Datum::long(1)), Some(Datum::long(2)))
        .merge(facts(Some(Datum::int(1)), Some(Datum::int(2))));
    assert_eq!((merged.lower, merged.upper), (Bound::Unknown, Bound::Unknown));
}

proptest! {
    #[test]
    fn cut_bounds_enclose_texts(text in "(\\PC|[\u{D7F0}-\u{D7FF}\u{10FFF0}-\u{10FFFF}]){0,40}") {
        let datum = Datum::string(&text);
        let lower = truncated_lower(&datum);
        prop_assert!(string(&lower) <= text.as_str() && string(&lower).chars().count() <= LENGTH_MAX);
        if let Some(upper) = truncated_upper(&datum) {
            prop_assert!(string(&upper) >= text.as_str());
            prop_assert!(string(&upper).chars().count() <= LENGTH_MAX);
        }
    }

    #[test]
    fn cut_bounds_enclose_bytes(bytes in prop::collection::vec(prop_oneof![Just(255_u8), any::<u8>()], 0..40)) {
        if let Some(upper) = upper_bytes(&bytes, LENGTH_MAX) {
            prop_assert!(upper >= bytes && upper.len() <= LENGTH_MAX);
        }
    }

    #[test]
    fn merged_bounds_enclose_all(chunks in prop::collection::vec((any::<i64>(), any::<i64>()), 1..8)) {
        let of = |&(a, b): &(i64, i64)| facts(Some(Datum::long(a.min(b))), Some(Datum::long(a.max(b))));
        let merged = chunks.iter().map(of).reduce(ColumnFacts::merge).unwrap();
        let least = chunks.iter().map(|(a, b)| *a.min(b)).min().unwrap();
        let greatest = chunks.iter().map(|(a, b)| *a.max(b)).max().unwrap();
        prop_assert_eq!(merged.lower, Bound::At(Datum::long(least)));
        prop_assert_eq!(merged.upper, Bound::At(Datum::long(greatest)));
        prop_assert_eq!(merged.values, 10 * chunks.len() as u64);
    }
}
