//! Sillage: clinical documents in, coded tables out.
//!
//! The way of a document: a source hands over an epoch ([`runner`]), the SQL
//! stages turn it into rows ([`stages`]), the store commits them ([`store`]).

pub mod cli;
pub mod configuration;
pub mod error;
pub mod evaluate;
pub mod export;
pub mod journal;
pub mod lock;
pub mod models;
pub mod operations;
pub mod progress;
pub mod pseudonym;
pub mod runner;
pub mod session;
pub mod stages;
pub mod store;
