//! Which types may fill which column: Trino's implicit conversions, none of which loses anything but the digits that a `double`
//! cannot hold, and a little more for constants.

use arrow::datatypes::{DataType, Fields};

/// Whether values of a type may fill a column of another. Of constants the value is checked when it is converted.
pub fn fits(given: &DataType, wanted: &DataType, constant: bool) -> bool {
    if given == wanted || *given == DataType::Null {
        return true;
    }
    match (given, wanted) {
        (DataType::Dictionary(_, values), _) => fits(values, wanted, constant),
        (_, DataType::Struct(wanted)) => match given {
            DataType::Struct(given) => fields_fit(given, wanted, constant),
            _ => false,
        },
        (_, DataType::List(wanted)) => {
            element(given).is_some_and(|given| fits(given, wanted.data_type(), constant))
        }
        (DataType::Map(given, _), DataType::Map(wanted, _)) => {
            match (given.data_type(), wanted.data_type()) {
                (DataType::Struct(given), DataType::Struct(wanted)) => {
                    let mut pairs = given.iter().zip(wanted);
                    pairs.all(|(given, wanted)| fits(given.data_type(), wanted.data_type(), constant))
                }
                _ => false,
            }
        }
        _ => scalar_fits(given, wanted, constant),
    }
}

/// The fields pair up, and each fits.
fn fields_fit(given: &Fields, wanted: &Fields, constant: bool) -> bool {
    pairs(given, wanted).is_some_and(|pairs| {
        pairs.into_iter().zip(wanted).all(|(from, wanted)| {
            given.get(from).is_some_and(|given| fits(given.data_type(), wanted.data_type(), constant))
        })
    })
}

/// For each field that is wanted, which of the given it is: of the same name, case aside, when all have one; else, when the
/// given have no names of their own, by position.
pub(crate) fn pairs(given: &Fields, wanted: &Fields) -> Option<Vec<usize>> {
    if given.len() != wanted.len() {
        return None;
    }
    let named =
        |name: &str| given.iter().position(|field| field.name().to_lowercase() == name.to_lowercase());
    let by_name: Option<Vec<usize>> = wanted.iter().map(|field| named(field.name())).collect();
    let unnamed = given.iter().enumerate().all(|(at, field)| *field.name() == format!("c{at}"));
    by_name.or_else(|| unnamed.then(|| (0..wanted.len()).collect()))
}

pub(crate) fn element(list: &DataType) -> Option<&DataType> {
    match list {
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::FixedSizeList(element, _)
        | DataType::ListView(element)
        | DataType::LargeListView(element) => Some(element.data_type()),
        _ => None,
    }
}

fn scalar_fits(given: &DataType, wanted: &DataType, constant: bool) -> bool {
    if let (Some(given), Some(wanted)) = (integer_bits(given), integer_bits(wanted)) {
        return constant || given <= wanted;
    }
    match wanted {
        DataType::Float32 => {
            integer_bits(given).is_some()
                || is_decimal(given)
                || *given == DataType::Float16
                || (constant && *given == DataType::Float64)
        }
        DataType::Float64 => {
            integer_bits(given).is_some()
                || is_decimal(given)
                || matches!(given, DataType::Float16 | DataType::Float32)
        }
        DataType::Decimal128(precision, scale) => decimal_fits(given, *precision, *scale, constant),
        DataType::Utf8 => matches!(given, DataType::LargeUtf8 | DataType::Utf8View),
        DataType::Binary => {
            matches!(given, DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_))
        }
        // A value of another length is refused as it is converted.
        DataType::FixedSizeBinary(_) => {
            matches!(given, DataType::Binary | DataType::LargeBinary | DataType::BinaryView)
        }
        DataType::Date32 => *given == DataType::Date64,
        DataType::Time64(_) => matches!(given, DataType::Time32(_) | DataType::Time64(_)),
        DataType::Timestamp(_, None) => is_date(given) || matches!(given, DataType::Timestamp(_, None)),
        DataType::Timestamp(_, Some(_)) => is_date(given) || matches!(given, DataType::Timestamp(..)),
        _ => false,
    }
}

/// Of an unsigned integer those of the type that Trino has for it.
fn integer_bits(data_type: &DataType) -> Option<u8> {
    Some(match data_type {
        DataType::Int8 => 8,
        DataType::Int16 | DataType::UInt8 => 16,
        DataType::Int32 | DataType::UInt16 => 32,
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => 64,
        _ => return None,
    })
}

/// The digits before the point and behind it that a number may have.
fn digits(data_type: &DataType) -> Option<(i16, i16)> {
    let (precision, scale) = match data_type {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => (*precision, *scale),
        other => match integer_bits(other)? {
            8 => (3, 0),
            16 => (5, 0),
            32 => (10, 0),
            _ => (19, 0),
        },
    };
    Some((i16::from(precision) - i16::from(scale), i16::from(scale)))
}

fn decimal_fits(given: &DataType, precision: u8, scale: i8, constant: bool) -> bool {
    let (before, behind) = (i16::from(precision) - i16::from(scale), i16::from(scale));
    match digits(given) {
        Some((given_before, given_behind)) => given_behind <= behind && (constant || given_before <= before),
        // Without an exponent Trino's `1.5` is a decimal; the engine's is a double.
        None => constant && *given == DataType::Float64,
    }
}

fn is_decimal(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Decimal32(..)
            | DataType::Decimal64(..)
            | DataType::Decimal128(..)
            | DataType::Decimal256(..)
    )
}

fn is_date(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date32 | DataType::Date64)
}

#[cfg(test)]
mod tests {
    use super::{fits, pairs};
    use arrow::datatypes::{DataType, Field, Fields, TimeUnit};
    use std::sync::Arc;

    fn fields(names: &[&str], data_type: &DataType) -> Fields {
        names.iter().map(|name| Field::new(*name, data_type.clone(), true)).collect()
    }

    #[test]
    fn what_loses_nothing_fits() {
        let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        for (given, wanted) in [
            (DataType::Null, DataType::Date32),
            (DataType::Int32, DataType::Int64),
            (DataType::UInt64, DataType::Int64),
            (DataType::Int64, DataType::Float64),
            (DataType::Int64, DataType::Decimal128(21, 2)),
            (DataType::Decimal128(10, 2), DataType::Decimal128(12, 4)),
            (DataType::Decimal128(10, 2), DataType::Float64),
            (DataType::Utf8View, DataType::Utf8),
            (DataType::Date32, utc.clone()),
            (DataType::Timestamp(TimeUnit::Nanosecond, None), utc),
        ] {
            assert!(fits(&given, &wanted, false), "{given} -> {wanted}");
        }
    }

    #[test]
    fn what_could_lose_something_does_not() {
        let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        for (given, wanted) in [
            (DataType::Int64, DataType::Int32),
            (DataType::Float64, DataType::Float32),
            (DataType::Float64, DataType::Decimal128(10, 2)),
            (DataType::Decimal128(10, 3), DataType::Decimal128(10, 2)),
            (DataType::Int64, DataType::Decimal128(10, 2)),
            (utc, DataType::Timestamp(TimeUnit::Microsecond, None)),
        ] {
            assert!(!fits(&given, &wanted, false), "{given} -> {wanted}");
        }
    }

    #[test]
    fn constants_may_be_narrowed_but_not_become_another_kind() {
        assert!(fits(&DataType::Int64, &DataType::Int32, true));
        assert!(fits(&DataType::Float64, &DataType::Decimal128(10, 2), true));
        for (given, wanted) in [
            (DataType::Utf8, DataType::Int64),
            (DataType::Int64, DataType::Utf8),
            (DataType::Utf8, DataType::Date32),
            (DataType::Float64, DataType::Int64),
            (DataType::Boolean, DataType::Int32),
            (DataType::Decimal128(4, 3), DataType::Decimal128(10, 2)),
        ] {
            assert!(!fits(&given, &wanted, true), "{given} -> {wanted}");
        }
    }

    #[test]
    fn fields_pair_up_by_name_or_have_none() {
        let wanted = fields(&["a", "B"], &DataType::Int64);
        assert_eq!(pairs(&fields(&["b", "A"], &DataType::Int64), &wanted), Some(vec![1, 0]));
        assert_eq!(pairs(&fields(&["c0", "c1"], &DataType::Int64), &wanted), Some(vec![0, 1]));
        assert_eq!(pairs(&fields(&["a", "x"], &DataType::Int64), &wanted), None);
        assert_eq!(pairs(&fields(&["a"], &DataType::Int64), &wanted), None);
        let list = |inner: &DataType| DataType::List(Arc::new(Field::new("element", inner.clone(), true)));
        let given = list(&DataType::Struct(fields(&["b", "a"], &DataType::Int32)));
        assert!(fits(&given, &list(&DataType::Struct(wanted)), false));
    }
}
