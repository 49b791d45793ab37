//! What every other package agrees on: the Arrow schemas of the tables, whose
//! fault an error is, and the terminology files. A leaf: it depends on nothing
//! of ours.

pub mod coded;
pub mod fault;
pub mod record;
#[cfg(feature = "tables")]
pub mod tables;
pub mod terminology;

pub use fault::Fault;
