//! Following sources: what is added to files, and files and objects that appear, become commits as long as it goes on.
//!
//! There is no state beside the ledger. It has of each part that was taken the name, the identity (device and inode), the
//! length and the hash of everything up to there, in the same transaction as the rows. Who begins anew asks it; what is
//! remembered in between only saves asking. So a follower that is killed at any moment has lost and doubled nothing, and
//! two of them on the same folder take each part once: the commit is refused where the ledger has got a row meanwhile.
//!
//! A round looks at all sources, and commits when there is enough or something has waited long enough. Files of plain lines are
//! taken up to their last line end, in the order in which they waited. Whatever else there is (compressed files, objects)
//! is taken as a whole. The commit itself is an ordinary ingest, with all its bounds of memory.

mod batch;
mod entry;
mod files;
mod objects;
mod rounds;
#[cfg(test)]
mod tests;
mod tracked;

use std::time::Duration;

use hosu_catalog::Catalog;
use hosu_host::Stop;

use crate::error::CollectError;
use crate::report::Report;
use crate::request::IngestRequest;

/// What is to be followed, and how.
#[derive(Clone, Debug)]
pub struct FollowRequest {
    /// The table, the sources, and how each commit is made. Its own `stop` ends a commit that is under way.
    pub ingest: IngestRequest,
    /// A commit is made when so many bytes wait, and takes about as many.
    pub commit_bytes: u64,
    /// A commit is made when something has waited for so long.
    pub commit_age: Duration,
    /// How often objects are listed; and files, beside being told by the system when they change.
    pub look_every: Duration,
    /// Whether it ends when there is nothing more to take.
    pub until_idle: bool,
    /// Ends it after a last commit of what is complete.
    pub stop: Stop,
}

impl FollowRequest {
    /// Follows the sources of `ingest`, everything else by default.
    pub fn new(ingest: IngestRequest) -> Self {
        Self {
            ingest,
            commit_bytes: 128 << 20,
            commit_age: Duration::from_secs(60),
            look_every: Duration::from_secs(10),
            until_idle: false,
            stop: Stop::new(),
        }
    }
}

/// What following came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Followed {
    /// How many commits were made.
    pub commits: u64,
    /// Rows that were added.
    pub rows: u64,
    /// Records that were rejected.
    pub rejected: u64,
    /// Bytes of sources that were taken.
    pub bytes_read: u64,
    /// Sources that could not be taken when it ended.
    pub failing: u64,
}

/// Something that happened.
#[derive(Debug)]
pub enum FollowEvent<'a> {
    /// The first look is done.
    Watching {
        /// How many files and objects there are.
        sources: usize,
        /// Whether the system tells when files change.
        is_notified: bool,
    },
    /// A commit was made.
    Committed {
        /// What it has.
        report: &'a Report,
    },
    /// A file was truncated or written anew: it is read from its start.
    Anew {
        /// Its path.
        name: &'a str,
        /// How far it was taken before.
        byte: u64,
    },
    /// A file is gone, and so is what may have followed the unfinished line at its end, which was taken as it is.
    Gone {
        /// Its last path.
        name: &'a str,
    },
    /// Something did not work; it is tried again.
    Trouble {
        /// What.
        error: &'a CollectError,
        /// After so long.
        wait: Duration,
    },
    /// Somebody else ingests the same sources.
    Overtaken,
    /// The end was asked for.
    Stopping,
}

/// Told what happens.
pub trait FollowWatch: Send + Sync {
    /// Something happened.
    fn event(&self, event: &FollowEvent<'_>);
}

/// Follows sources until it is asked to stop, or until nothing is left when that is wanted.
///
/// The future may be dropped at any time: each commit is made or not.
///
/// # Errors
/// What cannot get better by itself: the request is wrong. Everything else is told and tried again.
pub async fn follow(
    catalog: &Catalog,
    request: FollowRequest,
    watch: &dyn FollowWatch,
) -> Result<Followed, CollectError> {
    request.ingest.table.check_ingest_target()?;
    rounds::Rounds::new(catalog, &request, watch).run().await
}
