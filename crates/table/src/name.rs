//! Names of databases and tables, and which ones are allowed.
