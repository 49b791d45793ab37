//! Live feeds: a day of an invented hospital comes by HL7 v2 over MLLP, from a FHIR
//! server that is asked, and by notifications; over bad networks, through outages
//! and kills. How the tables must stand in the end is computed without Sillage
//! (`sillage_sandbox::day::expected`).
//!
//! `SILLAGE_DAY_SEED` plays other days, `SILLAGE_KILL_RUNS` so many of them in the
//! kill test. A failure names the seed.

#[path = "feeds/clients.rs"]
mod clients;
#[path = "feeds/clinical_documents.rs"]
mod clinical_documents;
#[path = "feeds/clock.rs"]
mod clock;
#[path = "feeds/disk.rs"]
mod disk;
#[path = "feeds/erased.rs"]
mod erased;
#[path = "feeds/killed.rs"]
mod killed;
#[path = "feeds/played.rs"]
mod played;
#[path = "feeds/real.rs"]
mod real;
#[path = "feeds/running.rs"]
mod running;
#[path = "feeds/samples.rs"]
mod samples;
#[path = "feeds/tables.rs"]
mod tables;

/// A number from the environment.
fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}
