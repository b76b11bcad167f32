//! Trino's types and functions over Arrow arrays.
//!
//! For now it is the types' names: queries have DataFusion's own functions. Trino's, where they are missing or differ, come
//! in here, so that a change to one builds without the engine.

mod type_name;

pub use type_name::type_name;
