//! A table's contract: the JSON Schema that each of its records must satisfy.
//!
//! Without a contract nothing is rejected for its values. With one, a record that violates it goes to the rejects table, with the
//! keyword and the place that failed. So does a record with a value that satisfies the schema and does not fit its column: what
//! the contract names is never rescued. Fields that it does not name land by the rule of every table.
//!
//! The record that is checked is the one that lands: names are those of the columns that they find, of repeated names the last
//! value counts, and integers are exact within 64 bits.

mod attach;
mod by_place;
mod instance;
mod named;
mod plain;
mod violation;

use std::collections::HashSet;
use std::sync::Arc;

use hosu_table::json::{JsonValue, Rescued};
use hosu_table::json_schema;
use iceberg::spec::Schema;
use jsonschema::json::Json;
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use instance::Names;
use named::Named;
use plain::{Place, Plain};

pub use attach::attach_contract;
pub(crate) use by_place::{ObjectRules, Rules, ScalarRules};
pub use violation::group_of;

/// The table's property that has its contract: the text of a JSON Schema.
pub const CONTRACT_PROPERTY: &str = "hosu.contract";

/// The longest contract: each metadata file of the table has it.
pub const CONTRACT_BYTES_MAX: usize = 256 << 10;

/// The memory that one compiled `pattern` may take.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// The drafts that are known.
const DRAFTS: [Draft; 5] =
    [Draft::Draft202012, Draft::Draft201909, Draft::Draft7, Draft::Draft6, Draft::Draft4];

/// How every reason of a violation begins.
const CONTRACT: &str = "contract";

/// A text that is no contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContractError {
    /// It is too long.
    #[error("the schema has {bytes} bytes, and a contract may have {CONTRACT_BYTES_MAX}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// It is no JSON.
    #[error("{reason}")]
    NotJson {
        /// What is wrong, and where.
        reason: String,
    },
    /// It is JSON, and no schema.
    #[error("schema at {path}: {reason}")]
    NotASchema {
        /// Where, as JSONPath.
        path: String,
        /// What is wrong there.
        reason: String,
    },
}

/// A JSON Schema that records are checked against.
#[derive(Clone, Debug)]
pub struct Contract {
    text: Arc<str>,
    schema: Arc<Value>,
    validators: Arc<Validators>,
}

/// The same schema for both forms of a record.
#[derive(Debug)]
struct Validators {
    plain: Validator<Plain>,
    copied: Validator,
}

impl Contract {
    /// Reads a contract.
    ///
    /// # Errors
    /// [`ContractError`] for what is no JSON Schema, or refers to something outside of itself.
    pub fn parse(text: &str) -> Result<Self, ContractError> {
        if text.len() > CONTRACT_BYTES_MAX {
            return Err(ContractError::TooLong { bytes: text.len() });
        }
        json_schema::check_json(text)
            .map_err(|error| ContractError::NotJson { reason: error.to_string() })?;
        let schema: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|error| ContractError::NotJson { reason: format!("the schema is no JSON: {error}") })?;
        if !schema.is_object() {
            let reason = "a contract must be a JSON object".to_owned();
            return Err(ContractError::NotASchema { path: "$".to_owned(), reason });
        }
        named::check_references(&schema)?;
        let validators = Validators { plain: compiled(&schema)?, copied: compiled(&schema)? };
        Ok(Self { text: text.into(), schema: Arc::new(schema), validators: Arc::new(validators) })
    }

    /// The text as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether another text says the same, however it is laid out.
    pub fn is_same(&self, other: &Self) -> bool {
        self.schema == other.schema
    }

    /// The contract for the columns of a table.
    pub fn for_columns(&self, columns: &Schema) -> Checker {
        let named = Named::of(&self.schema, columns);
        let names = Names::of(columns, &named.spelled);
        Checker {
            schema: self.schema.clone(),
            validators: self.validators.clone(),
            spells_alike: named.spelled.is_empty(),
            names,
            named: named.columns.iter().map(|name| name.to_lowercase()).collect(),
        }
    }
}

fn compiled<F: Json>(schema: &Value) -> Result<Validator<F>, ContractError> {
    let draft = draft_of(schema);
    if !DRAFTS.contains(&draft) {
        let draft = schema.get("$schema").unwrap_or(&Value::Null);
        let reason = format!("`$schema` is {draft}: known are 2020-12, 2019-09 and the drafts 7, 6 and 4");
        return Err(ContractError::NotASchema { path: "$".to_owned(), reason });
    }
    compiled_as(schema, draft)
}

/// A schema that does not say which draft it is of is taken for one of 2020-12.
fn draft_of(schema: &Value) -> Draft {
    Draft::Draft202012.detect(schema)
}

fn compiled_as<F: Json>(schema: &Value, draft: Draft) -> Result<Validator<F>, ContractError> {
    let options = jsonschema::options_for::<F>()
        .offline()
        .should_validate_formats(true)
        // Matches in linear time, whatever the pattern: there is no way back in it.
        .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES_MAX));
    options.with_draft(draft).build(schema).map_err(|error| ContractError::NotASchema {
        path: violation::json_path(error.instance_path().as_str(), schema),
        reason: violation::of_schema(&error),
    })
}

/// Checks the records of one table.
#[derive(Debug)]
pub struct Checker {
    schema: Arc<Value>,
    /// Whether the contract spells the names of all columns as the table does.
    spells_alike: bool,
    validators: Arc<Validators>,
    names: Names,
    /// Full names of the columns that the contract names, in lower case.
    named: HashSet<String>,
}

impl Checker {
    /// Checks a record before it lands.
    ///
    /// # Errors
    /// The reason for its reject.
    pub fn check(&self, record: &JsonValue<'_>) -> Result<(), String> {
        if plain::is_plain(record, Some(&self.names)) && self.validators.plain.is_valid(Place::Value(record))
        {
            return Ok(());
        }
        let instance = instance::of(record, &self.names);
        match self.validators.copied.validate(&instance) {
            Ok(()) => Ok(()),
            Err(error) => Err(violation::reason(&error, &instance)),
        }
    }

    /// What is to be checked place by place, if that is all: a record that keeps it where it is spelled as its columns are
    /// needs no other check.
    pub(crate) fn rules(&self) -> Option<Rules<'_>> {
        Rules::of(&self.schema, draft_of(&self.schema)).filter(|_| self.spells_alike)
    }

    /// The reason for the reject of a record whose value no column could hold, if the contract names the field.
    pub fn refuses(&self, rescued: &Rescued<'_>) -> Option<String> {
        if !self.named.contains(&rescued.column.to_lowercase()) {
            return None;
        }
        let (path, value, column) = (&rescued.path, violation::cut(rescued.source), &rescued.column);
        let what = match &rescued.column_type {
            Some(column_type) => format!("does not land unchanged in `{column}` of type {column_type}"),
            None => "stands beside another spelling of its name".to_owned(),
        };
        Some(format!("{CONTRACT}: column at {path}: {value} {what}"))
    }
}

#[cfg(test)]
mod tests;
