//! Commit planning: facts in, decision out.
