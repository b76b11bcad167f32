//! A seeded host, a faulty store, actors and an auditor.
