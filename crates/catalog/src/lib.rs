//! Which tables exist, and the one place where a commit becomes true.
