//! What an Iceberg table is and how it may change, as pure rules: facts in, decision out.
//!
//! Nothing here reads a file, awaits, or asks for the time or for chance; the crates above bring the facts
//! and do what was decided. Tables are described with the types of `iceberg::spec`.

pub mod arrow_schema;
pub mod calendar;
pub mod commit;
pub mod declared;
pub mod evolution;
pub mod evolve;
pub mod fate;
pub mod increment;
pub mod invariants;
pub mod json;
pub mod json_schema;
pub mod metrics;
pub mod name;
pub mod partition;
pub mod paths;
pub mod properties;
pub mod rejects;
pub mod sort;
pub mod terms;
