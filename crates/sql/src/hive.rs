//! Hive's types to Iceberg's and back: what CREATE TABLE reads and what SHOW CREATE TABLE and DESCRIBE print.

use crate::{SqlError, code};
use hosu_dialect::{ColumnDefinition, HiveType, StructField};
use hosu_table::evolve;
use iceberg::spec::{
    ListType, MapType, NestedField, NestedFieldRef, PrimitiveType, Schema, StructType, Type,
};
use std::collections::HashSet;
use std::sync::Arc;

/// The schema of a new table.
pub(crate) fn schema(columns: &[ColumnDefinition]) -> Result<Schema, SqlError> {
    let mut names = HashSet::new();
    let mut fields = Vec::new();
    for column in columns {
        let name = &column.name.value;
        if !names.insert(name.to_lowercase()) {
            let message = format!("Column name '{name}' specified more than once");
            return Err(SqlError::new(code::DUPLICATE_COLUMN_NAME, message).at(column.name.position));
        }
        let field_type =
            iceberg_type(&column.data_type.value).map_err(|error| error.at(column.data_type.position))?;
        let comment = column.comment.as_ref().map(|comment| comment.value.as_str());
        fields.push(field(name, field_type, column.not_null, comment));
    }
    evolve::fresh_ids_of(fields).map_err(|error| SqlError::new(code::INVALID_ARGUMENTS, error.to_string()))
}

fn field(name: &str, field_type: Type, required: bool, comment: Option<&str>) -> NestedFieldRef {
    // Ids are given once the whole schema is known.
    let field = NestedField::new(0, name, field_type, required);
    Arc::new(comment.into_iter().fold(field, |field, comment| field.with_doc(comment)))
}

fn iceberg_type(hive: &HiveType) -> Result<Type, SqlError> {
    let primitive = match hive {
        HiveType::Boolean => PrimitiveType::Boolean,
        HiveType::Int => PrimitiveType::Int,
        HiveType::BigInt => PrimitiveType::Long,
        HiveType::Float => PrimitiveType::Float,
        HiveType::Double => PrimitiveType::Double,
        HiveType::Decimal { precision, scale } => {
            PrimitiveType::Decimal { precision: u32::from(*precision), scale: u32::from(*scale) }
        }
        HiveType::String => PrimitiveType::String,
        HiveType::Binary => PrimitiveType::Binary,
        HiveType::Date => PrimitiveType::Date,
        HiveType::Time => PrimitiveType::Time,
        HiveType::Timestamp => PrimitiveType::Timestamp,
        HiveType::TimestampWithTimeZone => PrimitiveType::Timestamptz,
        HiveType::Uuid => PrimitiveType::Uuid,
        HiveType::Fixed(bytes) => PrimitiveType::Fixed(u64::from(*bytes)),
        HiveType::TinyInt | HiveType::SmallInt => return Err(not_iceberg(hive, "int")),
        HiveType::Varchar(_) | HiveType::Char(_) => return Err(not_iceberg(hive, "string")),
        HiveType::Array(element) => {
            let element = field("element", iceberg_type(element)?, false, None);
            return Ok(Type::List(ListType::new(element)));
        }
        HiveType::Map(key, value) => {
            let key = field("key", iceberg_type(key)?, true, None);
            return Ok(Type::Map(MapType::new(key, field("value", iceberg_type(value)?, false, None))));
        }
        HiveType::Struct(fields) => return struct_type(fields),
    };
    Ok(Type::Primitive(primitive))
}

fn not_iceberg(hive: &HiveType, instead: &str) -> SqlError {
    SqlError::not_supported(format!("Iceberg tables have no type {hive}: use {instead}"))
}

fn struct_type(fields: &[StructField]) -> Result<Type, SqlError> {
    let mut names = HashSet::new();
    let mut made = Vec::new();
    for inner in fields {
        if !names.insert(inner.name.to_lowercase()) {
            let message = format!("Field name '{}' specified more than once", inner.name);
            return Err(SqlError::new(code::DUPLICATE_COLUMN_NAME, message));
        }
        made.push(field(&inner.name, iceberg_type(&inner.data_type)?, false, inner.comment.as_deref()));
    }
    Ok(Type::Struct(StructType::new(made)))
}

/// The type in Hive's words. Nanoseconds, which only format v3 has, are a `timestamp` of them.
pub(crate) fn hive_type(iceberg: &Type) -> HiveType {
    match iceberg {
        Type::Primitive(primitive) => hive_primitive(primitive),
        Type::List(list) => HiveType::Array(Box::new(hive_type(&list.element_field.field_type))),
        Type::Map(map) => HiveType::Map(
            Box::new(hive_type(&map.key_field.field_type)),
            Box::new(hive_type(&map.value_field.field_type)),
        ),
        Type::Struct(fields) => {
            HiveType::Struct(fields.fields().iter().map(|field| hive_field(field)).collect())
        }
    }
}

fn hive_field(field: &NestedField) -> StructField {
    StructField {
        name: field.name.clone(),
        data_type: hive_type(&field.field_type),
        comment: field.doc.clone(),
    }
}

fn hive_primitive(primitive: &PrimitiveType) -> HiveType {
    match primitive {
        PrimitiveType::Boolean => HiveType::Boolean,
        PrimitiveType::Int => HiveType::Int,
        PrimitiveType::Long => HiveType::BigInt,
        PrimitiveType::Float => HiveType::Float,
        PrimitiveType::Double => HiveType::Double,
        PrimitiveType::Decimal { precision, scale } => HiveType::Decimal {
            precision: u8::try_from(*precision).unwrap_or(u8::MAX),
            scale: u8::try_from(*scale).unwrap_or(u8::MAX),
        },
        PrimitiveType::Date => HiveType::Date,
        PrimitiveType::Time => HiveType::Time,
        PrimitiveType::Timestamp | PrimitiveType::TimestampNs => HiveType::Timestamp,
        PrimitiveType::Timestamptz | PrimitiveType::TimestamptzNs => HiveType::TimestampWithTimeZone,
        PrimitiveType::String => HiveType::String,
        PrimitiveType::Uuid => HiveType::Uuid,
        PrimitiveType::Fixed(bytes) => HiveType::Fixed(u32::try_from(*bytes).unwrap_or(u32::MAX)),
        PrimitiveType::Binary => HiveType::Binary,
    }
}

#[cfg(test)]
mod tests {
    use super::{hive_type, schema};
    use crate::code;
    use hosu_dialect::{Statement, parse};

    fn columns(text: &str) -> Vec<hosu_dialect::ColumnDefinition> {
        let statement = parse(&format!("CREATE TABLE t ({text})")).unwrap().remove(0).value;
        let Statement::CreateTable(create) = statement else { panic!("{statement}") };
        create.columns
    }

    #[test]
    fn every_type_comes_back() {
        let text = "a boolean, b int, c bigint, d float, e double, f decimal(12,3), g string, h binary, i date, \
                    j time, k timestamp, l timestamp with time zone, m uuid, n fixed(7), o array<int>, \
                    p map<string,array<double>>, q struct<x:int COMMENT 'why',`y z`:struct<w:date>>";
        let columns = columns(text);
        let schema = schema(&columns).unwrap();
        for (column, field) in columns.iter().zip(schema.as_struct().fields()) {
            assert_eq!(column.data_type.value, hive_type(&field.field_type));
            assert_eq!((&column.name.value, field.required), (&field.name, false));
        }
    }

    #[test]
    fn comments_and_not_null_are_kept() {
        let schema = schema(&columns("a int NOT NULL COMMENT 'it''s'")).unwrap();
        let field = &schema.as_struct().fields()[0];
        assert!(field.required);
        assert_eq!((field.id, field.doc.as_deref()), (1, Some("it's")));
    }

    #[test]
    fn what_iceberg_lacks_is_refused_at_its_place() {
        let error = schema(&columns("a int, b array<smallint>")).unwrap_err();
        assert_eq!(error.to_string(), "line 1:26: Iceberg tables have no type smallint: use int");
        assert_eq!(schema(&columns("a varchar(10)")).unwrap_err().code, code::NOT_SUPPORTED);
        let error = schema(&columns("a int, A string")).unwrap_err();
        assert_eq!((error.code, error.column), (code::DUPLICATE_COLUMN_NAME, Some(24)));
        let error = schema(&columns("a struct<b:int,B:int>")).unwrap_err();
        assert_eq!(error.code, code::DUPLICATE_COLUMN_NAME);
    }
}
