//! The statements, one kind a file.

pub(crate) mod create_table;
pub(crate) mod database;
pub(crate) mod explain;
pub(crate) mod insert;
pub(crate) mod properties;
pub(crate) mod show;
