//! What must hold of every commit.
