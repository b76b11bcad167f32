//! Which manifests and which files can hold rows that a filter keeps.
//!
//! A manifest list tells the range of each partition value of a manifest, a manifest tells partition values and
//! column bounds of each file. Both come to the same question: what is known of a column in a *container*, be
//! it a manifest or a file? DataFusion's [`PruningPredicate`] answers for all containers at once. A partition
//! value is a bound too: all rows of the day 2024-05-01 lie between its first and last microsecond.
//!
//! A bound that is missing, or that could be wrong, is unknown and keeps the container.

mod bounds;
mod container;
mod predicate;
mod statistics;

pub(crate) use container::{Container, FileContainer, Known, ManifestContainer};
pub(crate) use predicate::{Leaf, Leaves, Pruner};

#[cfg(test)]
mod tests;
