//! Chance as a value: ids from the machine's randomness, or the same ids again from a seed.

use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};

use rand::rngs::SmallRng;
use rand::{Rng, RngCore, SeedableRng};
use uuid::Uuid;

/// Where ids and jitter come from.
pub trait Ids: Debug + Send + Sync {
    /// A UUID (version 4) that nobody else has.
    fn uuid(&self) -> Uuid;

    /// A random number, evenly spread over all 64 bits.
    fn random_u64(&self) -> u64;
}

/// Ids from the machine's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    fn uuid(&self) -> Uuid {
        Uuid::new_v4()
    }

    fn random_u64(&self) -> u64 {
        rand::rng().random()
    }
}

/// Ids that follow from a seed: the same seed and the same order of questions give the same ids.
#[derive(Debug)]
pub struct SeededIds {
    random: Mutex<SmallRng>,
}

impl SeededIds {
    /// The sequence of ids of this seed.
    pub fn new(seed: u64) -> Self {
        Self { random: Mutex::new(SmallRng::seed_from_u64(seed)) }
    }
}

impl Ids for SeededIds {
    fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.random.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    fn random_u64(&self) -> u64 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).next_u64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_tells_the_ids() {
        let (one, same, other) = (SeededIds::new(7), SeededIds::new(7), SeededIds::new(8));
        let first = one.uuid();
        assert_eq!(first, same.uuid());
        assert_eq!(one.random_u64(), same.random_u64());
        assert_ne!(first, other.uuid());
        assert_eq!(first.get_version_num(), 4);
        assert_ne!(first, one.uuid());
    }

    #[test]
    fn random_ids_differ() {
        assert_ne!(RandomIds.uuid(), RandomIds.uuid());
        assert_ne!(RandomIds.random_u64(), RandomIds.random_u64());
    }
}
