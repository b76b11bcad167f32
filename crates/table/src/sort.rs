//! Sort orders: text to order and back.
