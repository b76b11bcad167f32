//! What is wrong with the lake: its folder, its store, its catalog, its files.

use hosu_catalog::{CatalogError, DatabaseError};
use hosu_datafile::DataFileError;
use hosu_host::StoreError;

use super::{Failure, UNKNOWN_REMEDY, with_causes};
use crate::lake::LakeError;

impl From<LakeError> for Failure {
    fn from(error: LakeError) -> Self {
        let message = error.to_string();
        let (code, remedy) = match error {
            LakeError::File { .. } => ("NOT_A_LAKE", "name the folder of a lake with --lake, or a new one"),
            LakeError::NotALake { .. } => {
                ("NOT_A_LAKE", "name the folder of a lake with --lake, or a new or empty one")
            }
            LakeError::CatalogIsFolder { .. } => ("NOT_A_LAKE", "name a file as the catalog"),
            LakeError::Unreadable { .. } => ("ACCESS_DENIED", "check the permissions of the folder"),
        };
        Self::new(code, message).remedy(remedy)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

impl From<&StoreError> for Failure {
    fn from(error: &StoreError) -> Self {
        let message = error.to_string();
        let (code, remedy) = match error {
            StoreError::S3 { error, .. } => {
                let (code, remedy) = super::s3::told(error);
                return Self::new(code, message).remedy(remedy);
            }
            StoreError::NotFound { .. } => {
                ("NOT_FOUND", "check the path; `hosu doctor` tells what else is missing")
            }
            StoreError::Denied { .. } => {
                ("ACCESS_DENIED", "check the permissions of the folder, or the credentials of S3")
            }
            StoreError::Full { .. } => {
                ("STORE_FULL", "free some space and run the command again: the lake is as it was")
            }
            StoreError::Unavailable { .. } => {
                ("STORE_UNAVAILABLE", "check the network and run the command again")
            }
            StoreError::Changed { .. } => {
                ("SOURCE_CHANGED", "run the command again when nobody writes to it")
            }
            StoreError::Invalid { .. } => {
                ("INVALID_LOCATION", "docs/configuration.md says how stores are configured")
            }
            StoreError::Other { .. } => {
                ("STORE_FAILED", "run the command again; if it stays, look at what the store says")
            }
        };
        Self::new(code, message).remedy(remedy)
    }
}

impl From<CatalogError> for Failure {
    fn from(error: CatalogError) -> Self {
        Self::from(&error)
    }
}

impl From<&CatalogError> for Failure {
    fn from(error: &CatalogError) -> Self {
        let message = with_causes(error);
        let (code, remedy) = match error {
            CatalogError::TableNotFound { nearest, .. } => {
                let nearest = nearest.as_ref().map(ToString::to_string);
                return Self::new("TABLE_NOT_FOUND", message)
                    .remedy("`hosu sql -c \"show tables\"` lists the tables")
                    .nearest(nearest);
            }
            CatalogError::DatabaseNotFound { nearest, .. } => {
                return Self::new("SCHEMA_NOT_FOUND", message)
                    .remedy("`hosu sql -c \"show databases\"` lists the databases")
                    .nearest(nearest.clone());
            }
            CatalogError::Database(error) => return error.into(),
            CatalogError::Store(error) => return error.into(),
            CatalogError::TableExists { .. } => ("TABLE_ALREADY_EXISTS", "take another name"),
            CatalogError::DatabaseExists { .. } => ("SCHEMA_ALREADY_EXISTS", "take another name"),
            CatalogError::DatabaseNotEmpty { .. } => ("SCHEMA_NOT_EMPTY", "drop its tables first"),
            CatalogError::Conflict { .. } | CatalogError::AlreadyIngested { .. } => {
                ("COMMIT_CONFLICT", "nothing was committed: run the command again")
            }
            CatalogError::FormatVersion { version: 1, .. } => (
                "NOT_SUPPORTED",
                "raise it with the program that made it, in Spark: ALTER TABLE … SET TBLPROPERTIES ('format-version'='2')",
            ),
            CatalogError::FormatVersion { .. } => {
                ("NOT_SUPPORTED", "no program makes a lower version of it: write into a table of its own")
            }
            CatalogError::LeaseHeld { .. } => (
                "LEASE_HELD",
                "wait until the other program is done, or has been gone for as long as its lease lasts",
            ),
            CatalogError::LeaseLost { .. } => {
                ("LEASE_LOST", "nothing was committed: the other program does what this one was about to do")
            }
            CatalogError::Contended { .. } => {
                ("COMMIT_CONFLICT", "run the command again when fewer others write")
            }
            CatalogError::Unknown { .. } => ("COMMIT_UNKNOWN", UNKNOWN_REMEDY),
            CatalogError::Location { .. } => {
                ("INVALID_LOCATION", "another program wrote this table: check its location")
            }
            CatalogError::Unreadable { .. } => ("TABLE_DAMAGED", "`hosu doctor` tells what else is damaged"),
            CatalogError::Invalid { .. } => {
                ("INVALID_TABLE", "nothing was committed: change what was asked for")
            }
            CatalogError::Encode { .. } | CatalogError::Invariant { .. } => (
                "INTERNAL",
                "nothing was committed; this is a defect of hosu: please report it with the command",
            ),
        };
        Self::new(code, message).remedy(remedy)
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Self::from(&error)
    }
}

impl From<&DatabaseError> for Failure {
    fn from(error: &DatabaseError) -> Self {
        let message = error.to_string();
        let (code, remedy) = match error {
            DatabaseError::NotACatalog { .. } => ("NOT_A_LAKE", "name the folder of a lake with --lake"),
            DatabaseError::Newer { .. } => {
                ("CATALOG_NEWER", "use the version of hosu that made the lake, or a newer one")
            }
            DatabaseError::Locked { .. } => {
                ("CATALOG_LOCKED", "run the command again when the other program is done")
            }
            DatabaseError::Corrupt { .. } => (
                "CATALOG_CORRUPT",
                "restore the file from a backup; tables and data in the warehouse are not touched",
            ),
            DatabaseError::ReadOnly { .. } => {
                ("CATALOG_READ_ONLY", "check the permissions of the file and its folder")
            }
            DatabaseError::Full { .. } => {
                ("STORE_FULL", "free some space and run the command again: the lake is as it was")
            }
            DatabaseError::Unusable { .. } => (
                "CATALOG_UNUSABLE",
                "check the path, the permissions of the file, and whether its disk is full",
            ),
            DatabaseError::Unknown { .. } => ("COMMIT_UNKNOWN", UNKNOWN_REMEDY),
        };
        Self::new(code, message).remedy(remedy)
    }
}

impl From<DataFileError> for Failure {
    fn from(error: DataFileError) -> Self {
        Self::from(&error)
    }
}

impl From<&DataFileError> for Failure {
    fn from(error: &DataFileError) -> Self {
        let message = with_causes(error);
        match error {
            DataFileError::Store(error) => error.into(),
            DataFileError::Table { .. } | DataFileError::Column { .. } => Self::new("INVALID_TABLE", message)
                .remedy("change the table's properties, or write into another table"),
            DataFileError::Scratch { .. } => Self::new("SCRATCH_FAILED", message).remedy(
                "free space in the temporary folder, or set `query.spill` in hosu.toml to another one",
            ),
            _ => {
                Self::new("DATA_FILE_FAILED", message).remedy("`hosu doctor` tells whether files are damaged")
            }
        }
    }
}
