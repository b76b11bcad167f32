//! Binds Athena's statements and runs them.
