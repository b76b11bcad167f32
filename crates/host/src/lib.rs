//! Object store, clock, ids and scratch files: the only seam to the machine.
