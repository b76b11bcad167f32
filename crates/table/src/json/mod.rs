//! JSON as it arrives, and the rule of what lands unchanged.
//!
//! `docs/unchanged.md` is the rule as users read it; here it is code, in the order in which a line goes through
//! it: [`parse`] reads the line into a tree that keeps every value's source text; [`Inference`] says which
//! columns such trees need; [`Landing`] puts one tree into the columns of a schema, by [`fit`], and keeps as
//! source text under a path whatever a column would change. [`Cursor`] is the way past the tree for lines in which
//! nothing is unusual.

mod datetime;
mod elements;
mod fit;
mod inference;
mod landing;
mod members;
mod number;
mod parse;
mod path;
mod rescued;
mod scan;
mod value;

pub use datetime::LastDate;
pub use elements::Elements;
pub use fit::{Scalar, fit};
pub use inference::{Inference, Limits};
pub use landing::{Cell, Landed, Landing, LandingError, NotLanded, UnknownFields, list_places_max};
pub use number::Number;
pub use parse::{JsonError, JsonErrorKind, NESTING_MAX, parse};
pub use rescued::{Ignored, Rescued, Respelled, Why, rescued_key, rescued_text};
pub use scan::{Cursor, NumberToken, QuotedText};
pub use value::{JsonKind, JsonValue, Member, Name};
