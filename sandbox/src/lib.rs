//! The simulated hospital, real texts in FHIR clothes, and the benchmarks.

// A test that cannot go on should stop where it stands.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod benchmark;
pub mod day;
pub mod feed;
pub mod hospital;
pub mod wrap;
