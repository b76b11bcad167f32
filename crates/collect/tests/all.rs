//! What holds for any input, tried from outside with the public parts of this crate.

#[path = "all/agree.rs"]
mod agree;
#[path = "all/json_test_suite.rs"]
mod json_test_suite;
#[path = "all/kept_inputs.rs"]
mod kept_inputs;
