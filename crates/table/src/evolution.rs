//! What an ingest may do to a table when records bring what its columns cannot take: the words of
//! `--schema-evolution` and of the table's property of that name.

use std::fmt;
use std::str::FromStr;

/// What becomes of fields that a table lacks, and of values that do not fit their column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SchemaEvolution {
    /// New fields become columns, columns become wider where Iceberg allows it, the rest is rescued.
    #[default]
    AddColumns,
    /// The schema stays; new fields and misfits are rescued.
    Rescue,
    /// The schema stays; new fields are left out and counted, misfits are rescued.
    Ignore,
    /// The first new field or misfit ends the ingest.
    Fail,
}

/// A word that names none of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no schema evolution: `add-columns`, `rescue`, `ignore` and `fail` are")]
pub struct UnknownEvolution(pub String);

impl SchemaEvolution {
    /// All of them, the default first.
    pub const ALL: [Self; 4] = [Self::AddColumns, Self::Rescue, Self::Ignore, Self::Fail];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::AddColumns => "add-columns",
            Self::Rescue => "rescue",
            Self::Ignore => "ignore",
            Self::Fail => "fail",
        }
    }
}

impl fmt::Display for SchemaEvolution {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

impl FromStr for SchemaEvolution {
    type Err = UnknownEvolution;

    fn from_str(text: &str) -> Result<Self, UnknownEvolution> {
        let found =
            Self::ALL.into_iter().find(|evolution| evolution.word().eq_ignore_ascii_case(text.trim()));
        found.ok_or_else(|| UnknownEvolution(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for evolution in SchemaEvolution::ALL {
            assert_eq!(evolution.to_string().parse(), Ok(evolution));
        }
        assert_eq!("Add-Columns".parse(), Ok(SchemaEvolution::AddColumns));
        assert!("none".parse::<SchemaEvolution>().is_err());
    }
}
