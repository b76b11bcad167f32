//! Athena's statements: text to syntax tree with positions.
