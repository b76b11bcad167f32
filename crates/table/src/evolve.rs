//! Schema evolution: added fields and widened types.
