//! Rows added, replaced and deleted: data files and one commit.
