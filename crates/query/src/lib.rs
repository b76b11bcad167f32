//! DataFusion over pinned snapshots. Reads only.
