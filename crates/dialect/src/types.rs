//! Hive's types, and the few that Iceberg has beyond them.

use crate::format::write_name;
use std::fmt;

/// A type as DDL writes it. `Time`, `Uuid`, `Fixed` and `TimestampWithTimeZone` are not Athena's DDL, but tables made
/// elsewhere have them, and what prints such a table has to be readable again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HiveType {
    /// `boolean`
    Boolean,
    /// `tinyint`
    TinyInt,
    /// `smallint`
    SmallInt,
    /// `int`, `integer`
    Int,
    /// `bigint`
    BigInt,
    /// `float`, `real`: 32 bits
    Float,
    /// `double`: 64 bits
    Double,
    /// `decimal(precision, scale)`; (10, 0) where not given
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits of the fraction.
        scale: u8,
    },
    /// `string`, and `varchar` without a length
    String,
    /// `varchar(n)`
    Varchar(u32),
    /// `char(n)`
    Char(u32),
    /// `binary`, `varbinary`
    Binary,
    /// `date`
    Date,
    /// `time`: microseconds of a day
    Time,
    /// `timestamp`: microseconds without a zone
    Timestamp,
    /// `timestamp with time zone`, `timestamptz`: an instant in microseconds
    TimestampWithTimeZone,
    /// `uuid`
    Uuid,
    /// `fixed(n)`: binary of n bytes
    Fixed(u32),
    /// `array<element>`
    Array(Box<HiveType>),
    /// `map<key, value>`
    Map(Box<HiveType>, Box<HiveType>),
    /// `struct<name: type, ..>`
    Struct(Vec<StructField>),
}

/// A field of a struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StructField {
    /// Its name, in the case it was written in.
    pub name: String,
    /// Its type.
    pub data_type: HiveType,
    /// What it is for.
    pub comment: Option<String>,
}

impl fmt::Display for HiveType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("boolean"),
            Self::TinyInt => f.write_str("tinyint"),
            Self::SmallInt => f.write_str("smallint"),
            Self::Int => f.write_str("int"),
            Self::BigInt => f.write_str("bigint"),
            Self::Float => f.write_str("float"),
            Self::Double => f.write_str("double"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::String => f.write_str("string"),
            Self::Varchar(length) => write!(f, "varchar({length})"),
            Self::Char(length) => write!(f, "char({length})"),
            Self::Binary => f.write_str("binary"),
            Self::Date => f.write_str("date"),
            Self::Time => f.write_str("time"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::TimestampWithTimeZone => f.write_str("timestamp with time zone"),
            Self::Uuid => f.write_str("uuid"),
            Self::Fixed(length) => write!(f, "fixed({length})"),
            Self::Array(element) => write!(f, "array<{element}>"),
            Self::Map(key, value) => write!(f, "map<{key},{value}>"),
            Self::Struct(fields) => write_struct(f, fields),
        }
    }
}

fn write_struct(f: &mut fmt::Formatter<'_>, fields: &[StructField]) -> fmt::Result {
    f.write_str("struct<")?;
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            f.write_str(",")?;
        }
        write_name(f, &field.name)?;
        write!(f, ":{}", field.data_type)?;
        if let Some(comment) = &field.comment {
            write!(f, " COMMENT {}", crate::format::HiveText(comment))?;
        }
    }
    f.write_str(">")
}
