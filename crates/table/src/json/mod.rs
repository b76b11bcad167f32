//! JSON as it arrives: trees with positions, inference, what fits.
