//! Everything that needs the whole: architecture, generated pages, SQL, runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests fail by panicking")]

#[path = "all/architecture.rs"]
mod architecture;
#[path = "all/catalogue.rs"]
mod catalogue;
#[path = "all/clinical_documents.rs"]
mod clinical_documents;
#[path = "all/command.rs"]
pub(crate) mod command;
#[path = "all/corrections.rs"]
mod corrections;
#[path = "all/encryption.rs"]
mod encryption;
#[path = "all/evaluate.rs"]
mod evaluate;
#[path = "all/examples.rs"]
mod examples;
#[path = "all/feeds.rs"]
mod feeds;
#[path = "all/halfway.rs"]
mod halfway;
#[path = "all/kill.rs"]
mod kill;
#[path = "all/leaks.rs"]
mod leaks;
#[path = "all/models.rs"]
mod models;
#[path = "all/operations.rs"]
mod operations;
#[path = "all/pages.rs"]
mod pages;
#[path = "all/quality.rs"]
mod quality;
#[path = "all/sql_logic.rs"]
mod sql_logic;
#[path = "all/trace.rs"]
mod trace;
#[path = "all/variables.rs"]
mod variables;
