//! Hive's types. Trino's names are taken where Hive has no other meaning for them.

use super::{Parsed, Parser};
use crate::{HiveType, ParseError, Position, StructField};

/// How deep types may nest.
const DEPTH_MAX: usize = 64;

impl Parser<'_> {
    pub(super) fn data_type(&mut self) -> Parsed<HiveType> {
        self.nested_type(0)
    }

    fn nested_type(&mut self, depth: usize) -> Parsed<HiveType> {
        let position = self.cursor.position();
        if depth > DEPTH_MAX {
            return Err(ParseError::new(format!("type nests deeper than {DEPTH_MAX}"), position));
        }
        self.cursor.note("<type>");
        if !self.cursor.at_word() {
            return Err(self.cursor.unexpected());
        }
        let name = self.cursor.identifier()?.value.to_ascii_lowercase();
        match name.as_str() {
            "array" | "list" => {
                self.cursor.expect_symbol('<')?;
                let element = self.nested_type(depth + 1)?;
                self.cursor.expect_symbol('>')?;
                Ok(HiveType::Array(Box::new(element)))
            }
            "map" => {
                self.cursor.expect_symbol('<')?;
                let key = self.nested_type(depth + 1)?;
                self.cursor.expect_symbol(',')?;
                let value = self.nested_type(depth + 1)?;
                self.cursor.expect_symbol('>')?;
                Ok(HiveType::Map(Box::new(key), Box::new(value)))
            }
            "struct" => self.struct_fields(depth),
            _ => self.scalar_type(&name, position),
        }
    }

    fn struct_fields(&mut self, depth: usize) -> Parsed<HiveType> {
        self.cursor.expect_symbol('<')?;
        let mut fields = Vec::new();
        loop {
            let name = self.cursor.identifier()?.value;
            self.cursor.symbol(':'); // Hive wants it, other dialects leave it out
            let data_type = self.nested_type(depth + 1)?;
            let comment = if self.cursor.keyword("COMMENT") { Some(self.cursor.text()?.value) } else { None };
            fields.push(StructField { name, data_type, comment });
            if !self.cursor.symbol(',') {
                self.cursor.expect_symbol('>')?;
                return Ok(HiveType::Struct(fields));
            }
        }
    }

    fn scalar_type(&mut self, name: &str, position: Position) -> Parsed<HiveType> {
        Ok(match name {
            "boolean" => HiveType::Boolean,
            "tinyint" => HiveType::TinyInt,
            "smallint" => HiveType::SmallInt,
            "int" | "integer" => HiveType::Int,
            "bigint" | "long" => HiveType::BigInt,
            "float" | "real" => HiveType::Float,
            "double" => {
                self.cursor.keyword("PRECISION");
                HiveType::Double
            }
            "decimal" | "numeric" => self.decimal(position)?,
            "string" => HiveType::String,
            "varchar" if !self.cursor.at_symbol(0, '(') => HiveType::String,
            "varchar" => HiveType::Varchar(self.length()?),
            "char" => HiveType::Char(if self.cursor.at_symbol(0, '(') { self.length()? } else { 1 }),
            "binary" | "varbinary" => HiveType::Binary,
            "date" => HiveType::Date,
            "time" => HiveType::Time,
            "timestamp" => self.timestamp()?,
            "timestamptz" => HiveType::TimestampWithTimeZone,
            "uuid" => HiveType::Uuid,
            "fixed" => HiveType::Fixed(self.length()?),
            _ => return Err(ParseError::new(unknown_type(name), position)),
        })
    }

    fn length(&mut self) -> Parsed<u32> {
        self.cursor.expect_symbol('(')?;
        let position = self.cursor.position();
        let length = self.cursor.integer()?;
        if length == 0 {
            return Err(ParseError::new("a length is at least 1", position));
        }
        self.cursor.expect_symbol(')')?;
        Ok(length)
    }

    fn decimal(&mut self, position: Position) -> Parsed<HiveType> {
        let (mut precision, mut scale) = (10, 0);
        if self.cursor.symbol('(') {
            precision = self.cursor.integer()?;
            if self.cursor.symbol(',') {
                scale = self.cursor.integer()?;
            }
            self.cursor.expect_symbol(')')?;
        }
        if precision == 0 || precision > 38 || scale > precision {
            let message = format!(
                "decimal({precision},{scale}): the precision is 1 to 38, the scale at most the precision"
            );
            return Err(ParseError::new(message, position));
        }
        Ok(HiveType::Decimal { precision, scale })
    }

    /// Behind `timestamp`: a precision of 6 is Iceberg's; Athena itself writes `timestamp` for it.
    fn timestamp(&mut self) -> Parsed<HiveType> {
        if self.cursor.at_symbol(0, '(') {
            let position = self.cursor.position();
            if self.length()? != 6 {
                return Err(ParseError::new("an Iceberg timestamp has 6 digits of a second", position));
            }
        }
        if !self.cursor.keyword("WITH") {
            return Ok(HiveType::Timestamp);
        }
        self.cursor.keyword("LOCAL");
        for word in ["TIME", "ZONE"] {
            self.cursor.expect_keyword(word)?;
        }
        Ok(HiveType::TimestampWithTimeZone)
    }
}

fn unknown_type(name: &str) -> String {
    let instead = match name {
        "row" => "; in DDL it is struct<name: type>",
        "text" => "; in DDL it is string",
        "json" | "jsonb" | "variant" => "; keep it as string and use json_extract",
        "datetime" => "; in DDL it is timestamp",
        _ => "",
    };
    format!("unknown type '{name}'{instead}")
}
