//! Every object name under a table, both directions.
