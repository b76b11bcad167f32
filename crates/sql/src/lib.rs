//! Binds Athena's statements and runs them.

pub mod encode;
