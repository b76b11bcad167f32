//! A whole lake under a seed: faulty stores, a disk that forgets, actors that crash, and an auditor.
//!
//! Everything that an actor asks of the world (a request to the store, a sync of the disk, a question to the catalog's
//! database) is a call through its [`gate::Gate`]. The gate counts it, may make it fail before or after its effect, and
//! may let the actor die right after it: nothing that the actor asks from then on happens, its future is dropped, and
//! what it wrote without syncing is forgotten. Who comes after starts from what is durable, as after a power cut.
//!
//! A story that does not end well prints itself, its seed and every call. `cargo run -p hosu-simulation --example seed
//! -- 42` tells a seed again, `-- 0 1000` tries a thousand. What comes to write tables belongs here as a
//! [`sender::Sender`]; what fills tables from others is a [`jobs::SimulatedJob`], run by a [`runner`].
//!
//! The same seed tells the same story as far as calls go that actors make one after the other: actors take
//! [`turns`], time stands still until somebody sleeps, ids follow from the seed. Calls that one actor makes side by
//! side (parts of an upload, files of a commit) may change places when work on other threads is ready sooner or later.

pub mod auditor;
pub mod book;
pub mod database;
pub mod disk;
pub mod faults;
pub mod gate;
pub mod jobs;
pub mod reader;
pub mod relation;
pub mod rows;
pub mod runner;
pub mod scenario;
pub mod sender;
pub mod store;
pub mod turns;
pub mod world;
