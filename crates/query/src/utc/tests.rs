//! With the zone and without it the answers are the same.

use datafusion::arrow::array::{TimestampMicrosecondArray, TimestampNanosecondArray};
use datafusion::arrow::datatypes::Field;
use datafusion::functions::datetime;
use datafusion::scalar::ScalarValue;

use super::*;

/// 1969, a leap day, the year's last microsecond, NULL.
const MICROS: [Option<i64>; 5] =
    [Some(-1), Some(1_709_164_799_999_999), Some(1_767_225_599_999_999), None, Some(0)];

fn ask(function: Arc<ScalarUDF>, part: &str, times: ArrayRef) -> Result<ArrayRef> {
    let part = ScalarValue::from(part);
    let fields: Vec<FieldRef> = vec![
        Arc::new(Field::new("part", DataType::Utf8, false)),
        Arc::new(Field::new("time", times.data_type().clone(), true)),
    ];
    let scalars = [Some(&part), None];
    let return_field = function
        .return_field_from_args(ReturnFieldArgs { arg_fields: &fields, scalar_arguments: &scalars })?;
    let number_rows = times.len();
    let args = ScalarFunctionArgs {
        args: vec![ColumnarValue::Scalar(part), ColumnarValue::Array(times)],
        arg_fields: fields,
        number_rows,
        return_field,
        config_options: Arc::new(ConfigOptions::default()),
    };
    function.invoke_with_args(args)?.into_array(number_rows)
}

#[test]
fn parts_and_starts_of_times_in_utc_are_those_that_the_calendar_says() {
    for (function, parts) in [
        (
            datetime::date_trunc(),
            &["millisecond", "second", "minute", "hour", "day", "week", "month", "year"][..],
        ),
        (datetime::date_part(), &["hour", "day", "dow", "week", "month", "year", "epoch", "millisecond"][..]),
    ] {
        for (zone, part) in
            ["UTC", "+00:00"].into_iter().flat_map(|zone| parts.iter().map(move |part| (zone, *part)))
        {
            let times: [ArrayRef; 2] = [
                Arc::new(TimestampMicrosecondArray::from(MICROS.to_vec()).with_timezone(zone)),
                Arc::new(TimestampNanosecondArray::from(MICROS.to_vec()).with_timezone(zone)),
            ];
            for times in times {
                let expected = ask(function.clone(), part, times.clone()).unwrap();
                let fast = Arc::new(ScalarUDF::new_from_impl(InUtc { function: function.clone() }));
                let answer = ask(fast, part, times).unwrap();
                assert_eq!(&answer, &expected, "{} of {part} in {zone}", function.name());
            }
        }
    }
}

#[test]
fn other_zones_keep_their_offsets() {
    let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![0]).with_timezone("+09:00"));
    let fast = Arc::new(ScalarUDF::new_from_impl(InUtc { function: datetime::date_trunc() }));
    let expected: ArrayRef =
        Arc::new(TimestampMicrosecondArray::from(vec![-9 * 3_600_000_000]).with_timezone("+09:00"));
    assert_eq!(&ask(fast, "day", times).unwrap(), &expected);
}
